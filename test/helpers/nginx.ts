/** An installed nginx as a proxy that buffers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { EXTRA_DIRS, findProgram } from '../../dev/find-redis.mjs'
import { freePort } from './free-port.ts'
import { eventually } from './waiting.ts'

const program = findProgram('nginx', process.env, EXTRA_DIRS)
const missing = 'nginx is not installed: install the package `nginx-light` with your package manager'
if (!program && process.env.REQUIRE_ALL_TESTS === '1') throw new Error(missing)

/** For `t.test(name, { skip: noNginx })`. */
export const noNginx: string | false = program ? false : missing

/**
 * Starts a proxy in front of `target`, closed with the test, and returns its URL. It ignores `X-Accel-Buffering: no`,
 * unless `heeds` is set.
 */
export async function bufferingNginx(t: Test, target: string, { heeds = false } = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'nginx-'))
  const port = await freePort()
  await writeFile(join(dir, 'nginx.conf'), configuration(dir, port, target, heeds))
  const nginx = spawn(program as string, ['-p', dir, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said: string[] = []
  nginx.stderr.on('data', (chunk) => said.push(String(chunk)))
  const ended = once(nginx, 'exit')
  t.teardown(async () => {
    nginx.kill('SIGTERM')
    await ended
    await rm(dir, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}`
  await eventually('nginx answers', async () => {
    if (nginx.exitCode !== null) throw new Error(`nginx ended: ${said.join('')}`)
    return fetch(`${url}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    )
  })
  return url
}

function configuration(dir: string, port: number, target: string, heeds: boolean): string {
  return aroundLocation(
    dir,
    port,
    `location / {
      proxy_pass ${target};
      proxy_buffering on;
      ${heeds ? '' : 'proxy_ignore_headers X-Accel-Buffering;'}
    }`,
  )
}

/** A configuration with one server, for an nginx without privileges. */
export function aroundLocation(dir: string, port: number, location: string): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
master_process off;
pid ${dir}/nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  ${folders.map((name) => `${name}_temp_path ${dir}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    ${location}
  }
}
`
}

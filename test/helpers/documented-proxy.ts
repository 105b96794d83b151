/** nginx, HAProxy or Caddy in front of a server, configured as docs/proxies.md shows it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { EXTRA_DIRS, findProgram } from '../../dev/find-redis.mjs'
import { freePort } from './free-port.ts'
import { aroundLocation } from './nginx.ts'
import { ROOT } from './processes.ts'
import { eventually } from './waiting.ts'

export type ProxyKind = 'nginx' | 'haproxy' | 'caddy'

/** For `t.test(name, { skip: lacks(kind) })`. */
export function lacks(kind: ProxyKind): string | false {
  if (findProgram(kind, process.env, EXTRA_DIRS)) return false
  const missing = `${kind} is not installed: install your system's package`
  if (process.env.REQUIRE_ALL_TESTS === '1') throw new Error(missing)
  return missing
}

/**
 * Starts a proxy that is closed with the test, and returns its URL. `change` edits the documented configuration; `block`
 * names another example on the page, which serves the API under `path`.
 */
export async function documentedProxy(
  t: Test,
  kind: ProxyKind,
  target: string,
  change = (text: string) => text,
  { block = kind as string, path = '' } = {},
): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `${kind}-`))
  const port = await freePort()
  const given = change(documented(block)).replaceAll('127.0.0.1:3001', new URL(target).host)
  const file = join(dir, `${kind}.conf`)
  const { text, args } = {
    nginx: { text: aroundLocation(dir, port, given), args: ['-p', dir, '-c', file, '-e', 'stderr'] },
    haproxy: { text: given.replace('127.0.0.1:8080', `127.0.0.1:${port}`), args: ['-db', '-f', file] },
    // Use plain HTTP, and no admin listener.
    caddy: {
      text: `{\n  admin off\n}\n${given.replace('example.org', `http://127.0.0.1:${port}`)}`,
      args: ['run', '--config', file, '--adapter', 'caddyfile'],
    },
  }[kind]
  await writeFile(file, text)
  const program = findProgram(kind, process.env, EXTRA_DIRS) as string
  // Caddy keeps its state there.
  const env = { ...process.env, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir }
  const proxy = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
  const said: string[] = []
  proxy.stderr.on('data', (chunk) => said.push(String(chunk)))
  const ended = once(proxy, 'exit')
  t.teardown(async () => {
    proxy.kill('SIGTERM')
    await ended
    await rm(dir, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}${path}`
  await eventually(`${kind} answers`, async () => {
    if (proxy.exitCode !== null) throw new Error(`${kind} ended: ${said.join('')}`)
    return fetch(`${url}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    )
  })
  return url
}

function documented(name: string): string {
  const text = readFileSync(join(ROOT, 'docs', 'proxies.md'), 'utf8')
  const block = new RegExp(`<!-- proxy: ${name} -->\\n\`\`\`\\w+\\n(.*?)\`\`\``, 's').exec(text)?.[1]
  if (!block) throw new Error(`docs/proxies.md has no configuration of ${name}`)
  return block
}

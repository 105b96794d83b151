/** nginx with nchan, where both are installed: a publisher posts each event, clients subscribe. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'undici'
import type { Breakable } from './break.ts'
import { eventData } from './frame.ts'
import { Watchers } from './watchers.ts'

const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so'
const NGINX = '/usr/sbin/nginx'

export const hasNchan = existsSync(MODULE) && existsSync(NGINX)

export interface NchanSource extends Breakable {
  /** Resident bytes of all its processes. */
  rss(): number
}

export async function nchanSource(count: number): Promise<NchanSource> {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-nchan-'))
  const port = await freePort()
  await writeFile(join(dir, 'nginx.conf'), configuration(dir, port))
  const nginx = spawn(NGINX, ['-c', join(dir, 'nginx.conf'), '-p', dir, '-e', join(dir, 'error.log')], {
    stdio: 'ignore',
  })
  await listening(port)
  const idle = rssOf(nginx.pid)
  const watchers = new Watchers(port)
  const path = (i: number) => `/watch/${i}`
  await watchers.open(count, path, '', (text) => text.includes('\r\n\r\n'))
  const publisher = new Pool(`http://127.0.0.1:${port}`, { connections: 20 })
  return {
    watchers,
    path,
    rss: () => rssOf(nginx.pid) - idle,
    async step(i, message) {
      const body = JSON.stringify(eventData(String(i), message))
      const answer = await publisher.request({ path: `/publish/${i}`, method: 'POST', body })
      await answer.body.dump()
    },
    async close() {
      watchers.close()
      await publisher.destroy()
      nginx.kill('SIGTERM')
      await once(nginx, 'exit')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function configuration(dir: string, port: number): string {
  return `load_module ${MODULE};
worker_processes 1;
daemon off;
pid ${dir}/nginx.pid;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ ^/publish/(.+)$ { nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 64; }
    location ~ ^/watch/(.+)$ { nchan_subscriber eventsource; nchan_channel_id $1; }
  }
}
`
}

function rssOf(pid: number | undefined): number {
  const family = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    if (Number(name) === pid) return true
    try {
      return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid)
    } catch {
      return false
    }
  })
  const pages = family.map((name) => Number(readFileSync(`/proc/${name}/statm`, 'utf8').split(' ')[1]))
  return pages.reduce((sum, one) => sum + one, 0) * 4096
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const socket = connect(port, '127.0.0.1')
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('nginx does not listen')
}

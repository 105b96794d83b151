/** A forward proxy: tunnels (CONNECT) and plain requests with an absolute URL. It resolves every name to this machine. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Owner } from './owner.ts'

export interface ForwardProxy {
  url: string
  /** What passed through: `CONNECT host:port`, or method and address. */
  seen: string[]
  /** The credentials of the last request. */
  credentials: string | undefined
  /** If set, the proxy refuses everything with this status. */
  refusal: number | undefined
}

export async function forwardProxy(t: Owner): Promise<ForwardProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((asked, answer) => {
    const { method, url = '' } = asked
    const { 'proxy-authorization': credentials, ...headers } = asked.headers
    proxy.seen.push(`${method} ${url}`)
    proxy.credentials = credentials
    if (proxy.refusal) return void answer.writeHead(proxy.refusal).end()
    const { port, pathname, search } = new URL(url)
    const path = `${pathname}${search}`
    const passed = request({ host: '127.0.0.1', port, path, method, headers }, (from) => {
      answer.writeHead(from.statusCode as number, from.headers)
      from.pipe(answer)
    })
    passed.on('error', () => answer.destroy())
    answer.on('close', () => passed.destroy())
    asked.pipe(passed)
  })
  server.on('connect', ({ url = '', headers }, socket: Socket) => {
    proxy.seen.push(`CONNECT ${url}`)
    proxy.credentials = headers['proxy-authorization']
    if (proxy.refusal) return socket.end(`HTTP/1.1 ${proxy.refusal} no\r\n\r\n`)
    const target = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    target.on('error', () => socket.destroy())
    socket.on('error', () => target.destroy())
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const proxy: ForwardProxy = {
    url: `http://127.0.0.1:${port}`,
    seen: [],
    credentials: undefined,
    refusal: undefined,
  }
  return proxy
}

/** A TCP proxy whose connections a test can cut, as a flaky network does. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

export class CuttingProxy {
  /** Connections accepted so far. */
  accepted = 0
  /** The request heads that passed, one text per connection. */
  readonly requests: string[] = []
  private readonly server: Server
  private readonly sockets = new Set<Socket>()

  private constructor(target: URL) {
    this.server = createServer((client) => {
      const index = this.accepted
      this.accepted += 1
      this.requests[index] = ''
      const upstream = connect(Number(target.port), target.hostname)
      client.on('data', (chunk) => {
        this.requests[index] += chunk.toString()
      })
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(one)
        one.on('error', () => {})
        one.on('close', () => {
          this.sockets.delete(one)
          other.destroy()
        })
        one.pipe(other)
      }
    })
  }

  /** A proxy to the server at `url`, closed with the test. */
  static async open(t: Test, url: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(new URL(url))
    proxy.server.listen(0, '127.0.0.1')
    await once(proxy.server, 'listening')
    t.teardown(async () => {
      proxy.server.close()
      proxy.cut()
    })
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Breaks every connection without notice. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy()
  }
}

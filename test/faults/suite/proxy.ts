/** A TCP proxy that can break connections as networks do. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Owner } from '../../helpers/owner.ts'

/** The target of a proxy: a port on this or another machine, or the path of a socket. */
export type Target = number | string | { host: string; port: number }

/**
 * - `pass`: passes everything on.
 * - `drop`: silently swallows everything both ways, on old and new connections.
 * - `refuse`: resets every connection, old and new.
 */
export type Mode = 'pass' | 'drop' | 'refuse'

interface Pair {
  client: Socket
  server: Socket
  /** Whether one side has gone without notice, so that nothing passes any more. */
  halfOpen: boolean
}

export class FaultProxy {
  mode: Mode = 'pass'
  /** Delays each chunk by this much, in ms. */
  delayMs = 0
  /** Where new connections go. */
  target: Target
  private readonly pairs = new Set<Pair>()
  private readonly server = createServer((client) => this.accept(client))

  private constructor(target: Target) {
    this.target = target
  }

  static async open(owner: Owner, target: Target): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    proxy.server.listen(0, '127.0.0.1')
    await once(proxy.server, 'listening')
    owner.teardown(() => {
      proxy.server.close()
      proxy.reset()
    })
    return proxy
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.pairs.size
  }

  set(mode: Mode): void {
    this.mode = mode
    if (mode === 'refuse') this.reset()
  }

  /** Resets every open connection. */
  reset(): void {
    for (const { client, server } of this.pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  /** Closes the servers' ends without telling the clients, as a cut cable or a restarted firewall does. */
  halfOpen(): void {
    for (const pair of this.pairs) {
      pair.halfOpen = true
      pair.server.destroy()
    }
  }

  private accept(client: Socket): void {
    if (this.mode === 'refuse') return void client.resetAndDestroy()
    const server = open(this.target)
    const pair: Pair = { client, server, halfOpen: false }
    this.pairs.add(pair)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true)
      from.on('error', () => {})
      from.on('data', (piece) => void this.carry(pair, to, piece))
      from.on('close', (broken) => void this.close(pair, from, to, broken))
    }
  }

  /** Closes a pair of connections, delayed as much as the data before it. */
  private async close(pair: Pair, from: Socket, to: Socket, broken: boolean): Promise<void> {
    if (pair.halfOpen && from === pair.server) return
    if (this.delayMs > 0) await delay(this.delayMs)
    this.pairs.delete(pair)
    if (broken) to.destroy()
    else to.end()
  }

  private async carry(pair: Pair, to: Socket, piece: Buffer): Promise<void> {
    const dead = () => this.mode === 'drop' || pair.halfOpen || to.destroyed
    if (dead()) return
    // Timers of the same length fire in the order in which they were set.
    if (this.delayMs > 0) await delay(this.delayMs)
    if (dead()) return
    const from = to === pair.server ? pair.client : pair.server
    if (!to.write(piece)) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  }
}

function open(target: Target): Socket {
  if (typeof target === 'string') return connect(target)
  return typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target)
}

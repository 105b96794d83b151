/**
 * Finds the node to connect to. All keys of a queue are in one slot of a Redis Cluster, so a connection needs only the node
 * that owns this slot. Each connect looks the owner up. So a connection survives a fail-over by reconnecting, and all other
 * code sees one plain connection. Once a Redis has turned out not to be a cluster, it is not asked again.
 */
import { connect, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis'
import { hasHashTag, NEEDS_HASH_TAG } from './redis-url.ts'

/** Maximum time to connect to a node and ask it for the slot's owner, in ms. */
const ASK_WITHIN_MS = 2000

interface Address {
  host: string
  port: number
}

/** A reply of `CLUSTER SLOTS`: first and last slot, then the primary and its replicas. */
type Range = [first: number, last: number, ...nodes: [host: string | null, port: number, id: string][]]

/** The target of a connection; shared by the connection and its duplicates. */
export interface Place {
  readonly seeds: readonly Address[]
  /** Any key of the queue: its hash tag decides. */
  readonly key: string
  /** Nodes learned from the cluster, used if the configured ones are gone. */
  nodes: Address[]
  /** Whether this Redis is known not to be a cluster. */
  single: boolean
}

export function placeOf(urls: readonly string[], key: string): Place {
  const seeds = urls.map((url) => {
    const { hostname, port } = new URL(url)
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) }
  })
  return { seeds, key, nodes: [], single: false }
}

/** The connector of a connection to `place`. It must not throw: ioredis would never reconnect. */
export function connectorTo(place: Place): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    private readonly options: RedisOptions

    constructor(options: unknown) {
      super((options as RedisOptions).disconnectTimeout ?? 0)
      this.options = options as RedisOptions
    }

    async connect(): Promise<Socket> {
      this.connecting = true
      const target = await findNode(place, this.options).catch((error: Error) => error)
      if (!this.connecting) throw new Error('Connection is closed.')
      const stream = target instanceof Error ? new Socket().destroy() : this.open(target)
      if (target instanceof Error) this.firstError = target
      else
        stream.once('error', (error) => {
          this.firstError = error
        })
      this.stream = stream
      return stream
    }

    private open(address: Address): Socket {
      const { family, tls } = this.options
      const options = { ...address, ...(family !== undefined && { family }) }
      return tls ? connectTls({ ...options, ...tls }) : connect(options)
    }
  }
}

/** The node to connect to. Throws if a cluster answers but cannot be used. */
export async function findNode(place: Place, options: RedisOptions): Promise<Address> {
  const [first] = place.seeds as [Address]
  if (place.single) return first
  const known = new Map([...place.seeds, ...place.nodes].map((one) => [`${one.host}:${one.port}`, one]))
  // Take the first answer, so that a node that is down does not cost its timeout.
  const asked = [...known.values()].map((address) => askOwner(address, place, options))
  const answer = await Promise.any(asked).catch((error: AggregateError) => error.errors[0] as Error)
  // No node answers: connecting will fail with the usual error.
  if (answer instanceof Error) {
    if (answer instanceof Unusable) throw answer
    return first
  }
  return answer
}

/** The cluster answers, but cannot serve this queue, either now or ever. */
export class Unusable extends Error {
  readonly isLasting: boolean
  constructor(message: string, isLasting: boolean) {
    super(message)
    this.isLasting = isLasting
  }
}

async function askOwner(address: Address, place: Place, options: RedisOptions): Promise<Address> {
  const { Connector: _, replyMapping: __, ...rest } = options
  const redis = new Redis({
    ...rest,
    ...address,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    reconnectOnError: () => false,
    connectTimeout: ASK_WITHIN_MS,
    commandTimeout: ASK_WITHIN_MS,
    db: 0,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    const slot = (await redis.call('CLUSTER', 'KEYSLOT', place.key)) as number
    const ranges = (await redis.call('CLUSTER', 'SLOTS')) as Range[]
    return ownerOf(slot, ranges, address, place)
  } catch (error) {
    // If the command is forbidden, treat it as a single server.
    if (!/cluster support disabled|unknown command|^NOPERM/i.test((error as Error).message)) throw error
    place.single = true
    return address
  } finally {
    redis.disconnect()
  }
}

function ownerOf(slot: number, ranges: Range[], asked: Address, place: Place): Address {
  if (!hasHashTag(place.key)) throw new Unusable(NEEDS_HASH_TAG, true)
  // A node that does not know its own host name is at the address that was used to reach it.
  const toAddress = ([host, port]: [string | null, number, string]) => ({ host: host || asked.host, port })
  place.nodes = ranges.flatMap(([, , ...nodes]) => nodes.map(toAddress))
  const primary = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2]
  if (!primary) throw new Unusable(`No node of the Redis Cluster serves slot ${slot} right now`, false)
  return toAddress(primary)
}

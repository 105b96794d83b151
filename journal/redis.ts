/**
 * The one place that opens connections to Redis. Which role a connection has decides how it behaves when Redis is
 * away: a request must fail soon, a worker or a reader must wait and come back.
 */
import { Redis, type RedisOptions } from 'ioredis'
import { connectorTo, findNode, placeOf, Unusable } from './redis-cluster.ts'
import { splitRedisUrl } from './redis-url.ts'

/** Longest time in ms a command of the `commands` role may take: a frozen Redis answers nothing at all. */
const COMMAND_TIMEOUT_MS = 2000

/**
 * - `commands`: for answering requests. Fails at once while disconnected, and after `COMMAND_TIMEOUT_MS`.
 * - `blocking`: for BullMQ's Worker, the event reader and subscribers. Waits for Redis as long as it takes.
 */
export type RedisRole = 'commands' | 'blocking'

const OPTIONS = {
  commands: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    // A command that was in flight when the connection broke may have run: never send it twice.
    autoResendUnfulfilledCommands: false,
  },
  // Longer than any blocking read (BullMQ's 10 s), so that only a dead connection is given up.
  blocking: { maxRetriesPerRequest: null, socketTimeout: 15_000 },
} satisfies Record<RedisRole, RedisOptions>

/**
 * Opens a connection that keeps coming back, at most 2 s after Redis does. `url`: redis://, rediss:// or unix://; of a
 * Redis Cluster one node or several, with commas between. `prefix` of the queue's keys tells which of its nodes it is.
 */
export function connectRedis(url: string, role: RedisRole, prefix: string): Redis {
  const urls = splitRedisUrl(url)
  const [first] = urls as [string]
  const options = {
    ...OPTIONS[role],
    connectTimeout: 5000,
    // How long a socket is kept after `disconnect`, e.g. one on which a blocking read is under way.
    disconnectTimeout: 100,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), 2000),
    reconnectOnError,
  }
  const Connection = role === 'commands' ? TimedRedis : Redis
  if (isSocket(first)) return new Connection(first.slice('unix://'.length), options)
  return new Connection(first, { ...options, Connector: connectorTo(placeOf(urls, prefix)) })
}

type Sent = Parameters<Redis['sendCommand']>[0]

/**
 * A connection whose commands are answered within `COMMAND_TIMEOUT_MS` or fail. One that swallows a command (a cut cable)
 * is given up and made anew, so that a request which needs several does not wait for each in turn.
 *
 * ioredis's own time-outs would also fire when this process stood still for so long, although the answer lies in the
 * socket: here it is read before a command is judged.
 */
class TimedRedis extends Redis {
  override sendCommand(command: Sent, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    const answer = super.sendCommand(command, stream)
    const { stream: connection } = this
    const judge = () => {
      if (command.isSettled) return
      const late = new Error('Command timed out')
      command.reject(late)
      connection?.destroy(late)
    }
    // Timers come before input and output in a turn, immediates after them.
    const timer = setTimeout(() => setImmediate(judge), COMMAND_TIMEOUT_MS)
    const clear = () => clearTimeout(timer)
    command.promise.then(clear, clear)
    return answer
  }
}

/** Why this Redis can never serve this queue, or null; also null while it is away. */
export async function redisMisfit(url: string, prefix: string): Promise<string | null> {
  const urls = splitRedisUrl(url)
  const [first] = urls as [string]
  if (isSocket(first)) return null
  const { options } = new Redis(first, { lazyConnect: true })
  const answer = await findNode(placeOf(urls, prefix), options).catch((error: Error) => error)
  return answer instanceof Unusable && answer.isLasting ? answer.message : null
}

/**
 * A primary that was just demoted answers READONLY, or in a cluster MOVED: reconnect to find the new one. What was
 * moved has not run, so it may be sent again; where commands do not wait for a connection it fails.
 */
function reconnectOnError({ message }: Error): false | 1 | 2 {
  if (message.startsWith('MOVED')) return 2
  return message.startsWith('READONLY') ? 1 : false
}

function isSocket(url: string): boolean {
  return url.startsWith('unix://')
}

/** Ends a connection without waiting for Redis longer than `deadlineMs`. */
export async function closeRedis(redis: Redis, deadlineMs = 500): Promise<void> {
  if (redis.status === 'end') return
  let timer: NodeJS.Timeout | undefined
  // A quit that waits for a lost Redis never settles, not even when the connection is given up.
  const deadline = new Promise((resolve) => {
    timer = setTimeout(resolve, deadlineMs)
  })
  await Promise.race([redis.quit().catch(() => {}), deadline])
  clearTimeout(timer)
  redis.disconnect()
}

/** A Redis out of memory or read-only fails thousands of times a second: one line a second is enough. */
export function logOncePerSecond<A extends unknown[]>(log: (...args: A) => void): (...args: A) => void {
  let next = 0
  return (...args) => {
    if (Date.now() < next) return
    next = Date.now() + 1000
    log(...args)
  }
}

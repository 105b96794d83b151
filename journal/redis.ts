/**
 * The one place that opens connections to Redis. Which role a connection has decides how it behaves when Redis is
 * away: a request must fail soon, a worker or a reader must wait and come back.
 */
import { Redis, type RedisOptions } from 'ioredis'
import type { JournalKeys } from './journal.ts'
import { connectorTo, findNode, placeOf, Unusable } from './redis-cluster.ts'
import { rightsFault } from './redis-rights.ts'
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

/** What a connection is made to: an address, or that of an ioredis instance, which itself is left alone. */
export type RedisSource = string | RedisLike

/** An ioredis instance, of whatever release. */
export interface RedisLike {
  readonly options: object
}

/** What is taken over of an instance. How it behaves when Redis is away is a matter of the role. */
const ADDRESS = [
  ...['host', 'port', 'path', 'family', 'tls', 'username', 'password', 'db', 'natMap', 'sentinels', 'name'],
  ...['sentinelUsername', 'sentinelPassword', 'sentinelTLS', 'enableTLSForSentinelMode', 'connectionName'],
]

/**
 * Opens a connection that keeps coming back, at most 2 s after Redis does. `source`: redis://, rediss:// or unix://; of a
 * Redis Cluster one node or several, with commas between. `prefix` of the queue's keys tells which of its nodes it is.
 */
export function connectRedis(source: RedisSource, role: RedisRole, prefix: string): Redis {
  const options = {
    ...OPTIONS[role],
    connectTimeout: 5000,
    // How long a socket is kept after `disconnect`, e.g. one on which a blocking read is under way.
    disconnectTimeout: 100,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), 2000),
    reconnectOnError,
  }
  const Connection = role === 'commands' ? TimedRedis : PatientRedis
  if (typeof source !== 'string')
    return leavingWrongDatabase(new Connection({ ...addressOf(source), ...options }))
  const urls = splitRedisUrl(source)
  const [first] = urls as [string]
  return leavingWrongDatabase(
    isSocket(first)
      ? new Connection(first.slice('unix://'.length), options)
      : new Connection(first, { ...options, Connector: connectorTo(placeOf(urls, prefix)) }),
  )
}

function addressOf(instance: RedisLike): Pick<RedisOptions, 'host' | 'port' | 'db'> {
  if ('isCluster' in instance && instance.isCluster)
    throw new TypeError(
      'For a Redis Cluster give redisUrl with its nodes, commas between, instead of an instance',
    )
  const { options } = instance as { options: Record<string, unknown> }
  return Object.fromEntries(ADDRESS.flatMap((name) => (name in options ? [[name, options[name]]] : [])))
}

type Sent = Parameters<Redis['sendCommand']>[0]
type Stream = Parameters<Redis['sendCommand']>[1]

/** In the wrong database, it would work on the jobs of another project. */
function leavingWrongDatabase(redis: Redis): Redis {
  return redis.on('error', (error: Error & { command?: { name?: string } }) => {
    // ioredis would go on in database 0.
    if (error.command?.name === 'select') redis.disconnect(true)
  })
}

/** How long a caller waits to hear of a refusal, in ms. */
const REFUSAL_MS = 1000

/**
 * A connection on which a loop cannot spin. BullMQ tries again at once what Redis refuses (a right that was taken away,
 * a full memory), thousands of times a second, and the process hears nothing else: here each refusal takes a second.
 */
class PatientRedis extends Redis {
  /** BullMQ duplicates the connection it is given; the twin must be as patient. */
  override duplicate(override?: Partial<RedisOptions>): Redis {
    const { replyMapping: _, ...options } = { ...this.options, ...override }
    return leavingWrongDatabase(new PatientRedis(options))
  }

  override sendCommand(command: Sent, stream?: Stream): unknown {
    const reject = command.reject
    command.reject = (error) => {
      // Not while it connects: a Redis before 7.2 refuses parts of the handshake, and no loop waits for those.
      if (!isRefusal(error) || this.status !== 'ready') return reject(error)
      setTimeout(() => reject(error), REFUSAL_MS)
    }
    return super.sendCommand(command, stream)
  }
}

/** An error reply that the next try will meet too. The others are parts of how Redis is spoken with. */
function isRefusal(error: Error): boolean {
  return error.name === 'ReplyError' && !/^(NOSCRIPT|MOVED|ASK|EXECABORT)/.test(error.message)
}

/**
 * A connection whose commands are answered within `COMMAND_TIMEOUT_MS` or fail. One that swallows a command (a cut cable)
 * is given up and made anew, so that a request which needs several does not wait for each in turn.
 *
 * ioredis's own time-outs would also fire when this process stood still for so long, although the answer lies in the
 * socket: here it is read before a command is judged.
 */
class TimedRedis extends Redis {
  override sendCommand(command: Sent, stream?: Stream): unknown {
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

/** Why this Redis can never serve this queue, in a line about REDIS_URL or REDIS_PREFIX; null also while it is away. */
export async function redisMisfit(url: string, prefix: string): Promise<string | null> {
  const urls = splitRedisUrl(url)
  const [first] = urls as [string]
  const { options } = new Redis(isSocket(first) ? first.slice('unix://'.length) : first, {
    lazyConnect: true,
  })
  if (isSocket(first)) return about(await rightsFault(options, prefix))
  const answer = await findNode(placeOf(urls, prefix), options).catch((error: Error) => error)
  if (answer instanceof Unusable) return answer.isLasting ? answer.message : null
  return answer instanceof Error ? null : about(await rightsFault({ ...options, ...answer }, prefix))
}

function about(fault: string | null): string | null {
  return (
    fault && `REDIS_URL names a Redis that cannot be used: ${fault} (docs/deployment.md tells what is needed)`
  )
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

/**
 * Does, in small, what the queue does: a script that writes, and a message to all workers. Out of memory, read-only or
 * with fewer rights than at the start, Redis still answers everything else. Throws what Redis says.
 */
export async function probeRedis(redis: Redis, keys: JournalKeys): Promise<void> {
  const write = redis.eval("return redis.call('SET', KEYS[1], '1', 'EX', 60)", 1, keys.own('probe'))
  await Promise.all([write, redis.publish(keys.cancels, '')])
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
    // Not by the wall clock: set back, it would silence the log.
    if (performance.now() < next) return
    next = performance.now() + 1000
    log(...args)
  }
}

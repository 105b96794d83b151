/**
 * The only place that opens connections to Redis. The role of a connection decides what happens while Redis is
 * unavailable: a request must fail soon; a worker or reader must wait and reconnect.
 */
import { Redis, type RedisOptions } from 'ioredis'
import type { JournalKeys } from './journal.ts'
import { connectorTo, findNode, placeOf, Unusable } from './redis-cluster.ts'
import { rightsFault } from './redis-rights.ts'
import { splitRedisUrl } from './redis-url.ts'

/** Timeout of commands in the `commands` role, in ms: a frozen Redis never answers. */
const COMMAND_TIMEOUT_MS = 2000

/**
 * - `commands`: for requests. Fails at once while disconnected, and after `COMMAND_TIMEOUT_MS`.
 * - `blocking`: for BullMQ's Worker, the event reader and subscribers. Waits for Redis without limit.
 */
export type RedisRole = 'commands' | 'blocking'

const OPTIONS = {
  commands: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    // A command in flight when the connection broke may have run: never resend it.
    autoResendUnfulfilledCommands: false,
  },
  // Longer than any blocking read (BullMQ's 10 s), so that only a dead connection is closed.
  blocking: { maxRetriesPerRequest: null, socketTimeout: 15_000 },
} satisfies Record<RedisRole, RedisOptions>

type OwnOptions = Pick<
  RedisOptions,
  'autoResendUnfulfilledCommands' | 'autoResubscribe' | 'enableOfflineQueue' | 'socketTimeout'
>

/** Certificates for rediss:// addresses, each in PEM form. */
export interface RedisTls {
  /** Trusted CAs, instead of the public ones. */
  ca?: string | Buffer | undefined
  /** The client certificate for Redis, and its private key. */
  cert?: string | Buffer | undefined
  key?: string | Buffer | undefined
}

/** An address of Redis, with certificates if it needs them. */
export interface RedisAddress {
  url: string
  tls?: RedisTls | undefined
}

/** An address, or an ioredis instance whose address is copied. */
export type RedisSource = RedisAddress | RedisLike

/** An ioredis instance of any version. */
export interface RedisLike {
  readonly options: object
}

/** The options copied from an instance. The role decides the behaviour while Redis is unavailable. */
const ADDRESS = [
  ...['host', 'port', 'path', 'family', 'tls', 'username', 'password', 'db', 'natMap', 'sentinels', 'name'],
  ...['sentinelUsername', 'sentinelPassword', 'sentinelTLS', 'enableTLSForSentinelMode', 'connectionName'],
]

/**
 * Opens a connection that always reconnects, at most 2 s after Redis is back. An address is redis://, rediss:// or unix://;
 * for a Redis Cluster one or more nodes, comma-separated. The key `prefix` determines the node.
 * `own`: options that override those of the role.
 */
export function connectRedis(
  source: RedisSource | string,
  role: RedisRole,
  prefix: string,
  own: OwnOptions = {},
): Redis {
  const options = {
    ...OPTIONS[role],
    ...own,
    connectTimeout: 5000,
    // How long a socket stays open after `disconnect`, e.g. during a blocking read.
    disconnectTimeout: 100,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), 2000),
    reconnectOnError,
  }
  const Connection = role === 'commands' ? TimedRedis : PatientRedis
  if (typeof source !== 'string' && 'options' in source)
    return leavingWrongDatabase(new Connection({ ...addressOf(source), ...options }))
  const { url, tls }: RedisAddress = typeof source === 'string' ? { url: source } : source
  const urls = splitRedisUrl(url)
  const [first] = urls as [string]
  return leavingWrongDatabase(
    isSocket(first)
      ? new Connection(first.slice('unix://'.length), options)
      : new Connection(first, {
          ...options,
          ...withTls(first, tls),
          Connector: connectorTo(placeOf(urls, prefix)),
        }),
  )
}

/** Without `tls`, ioredis itself obeys rediss://. */
function withTls(url: string, tls: RedisTls | undefined): Pick<RedisOptions, 'tls'> {
  if (!tls || !url.startsWith('rediss:')) return {}
  return { tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)) }
}

function addressOf(instance: RedisLike): Pick<RedisOptions, 'host' | 'port' | 'db'> {
  if ('isCluster' in instance && instance.isCluster)
    throw new TypeError(
      'For a Redis Cluster, set redisUrl to its nodes, comma-separated, instead of passing an instance',
    )
  const { options } = instance as { options: Record<string, unknown> }
  return Object.fromEntries(ADDRESS.flatMap((name) => (name in options ? [[name, options[name]]] : [])))
}

type Sent = Parameters<Redis['sendCommand']>[0]
type Stream = Parameters<Redis['sendCommand']>[1]

/** Disconnects if SELECT fails: in the wrong database it would process another project's jobs. */
function leavingWrongDatabase(redis: Redis): Redis {
  return redis.on('error', (error: Error & { command?: { name?: string } }) => {
    // ioredis would continue in database 0.
    if (error.command?.name === 'select') redis.disconnect(true)
  })
}

/** Delay before a rejection reaches the caller, in ms. */
const REFUSAL_MS = 1000

/**
 * A connection that slows down retry loops. When Redis rejects a command (revoked permissions, full memory), BullMQ retries
 * thousands of times a second, which starves the process. Here each rejection takes a second.
 */
class PatientRedis extends Redis {
  /** BullMQ's Worker duplicates its connection for blocking reads, during which Redis may be silent for longer. */
  override duplicate(override?: Partial<RedisOptions>): Redis {
    const { socketTimeout } = OPTIONS.blocking
    const { replyMapping: _, ...options } = { ...this.options, socketTimeout, ...override }
    return leavingWrongDatabase(new PatientRedis(options))
  }

  override sendCommand(command: Sent, stream?: Stream): unknown {
    const reject = command.reject
    command.reject = (error) => {
      // Do not delay while connecting: Redis before 7.2 rejects parts of the handshake, and no loop waits for those.
      if (!isRefusal(error) || this.status !== 'ready') return reject(error)
      setTimeout(() => reject(error), REFUSAL_MS)
    }
    return super.sendCommand(command, stream)
  }
}

/** Whether a retry would get the same error. Other error replies are part of the normal protocol. */
function isRefusal(error: Error): boolean {
  return error.name === 'ReplyError' && !/^(NOSCRIPT|MOVED|ASK|EXECABORT)/.test(error.message)
}

/**
 * A connection whose commands fail after `COMMAND_TIMEOUT_MS`. When a command times out (a cut cable), the connection
 * reconnects, so that a request with several commands does not wait for a timeout for each.
 *
 * ioredis's own timeouts also fire if the process was blocked, although the reply is already in the socket. Here pending
 * input is read before a command times out.
 */
class TimedRedis extends Redis {
  /** The commands sent in this event-loop turn. They share a timer. */
  private turn: Sent[] = []

  override sendCommand(command: Sent, stream?: Stream): unknown {
    const answer = super.sendCommand(command, stream)
    if (this.turn.length === 0) setImmediate(() => this.startTimer())
    this.turn.push(command)
    return answer
  }

  private startTimer(): void {
    const { turn: commands, stream: connection } = this
    this.turn = []
    const judge = () => {
      const late = new Error('Command timed out')
      const unsettled = commands.filter((command) => !command.isSettled)
      for (const command of unsettled) command.reject(late)
      if (unsettled.length > 0) connection?.destroy(late)
    }
    // Redis answers in order, so once the last command is settled, all are.
    const last = commands.findLast((command) => !command.isSettled)
    if (!last) return
    // In an event-loop turn, timers run before I/O and immediates after it.
    const timer = setTimeout(() => setImmediate(judge), COMMAND_TIMEOUT_MS)
    const clear = () => clearTimeout(timer)
    last.promise.then(clear, clear)
  }
}

/** Why this Redis can never serve this queue, as a line about REDIS_URL or REDIS_PREFIX; null while it is unavailable. */
export async function redisMisfit({ url, tls }: RedisAddress, prefix: string): Promise<string | null> {
  const urls = splitRedisUrl(url)
  const [first] = urls as [string]
  const { options } = new Redis(isSocket(first) ? first.slice('unix://'.length) : first, {
    ...withTls(first, tls),
    lazyConnect: true,
  })
  if (isSocket(first)) return about(await rightsFault(options, prefix))
  const answer = await findNode(placeOf(urls, prefix), options).catch((error: Error) => error)
  if (answer instanceof Unusable) return answer.isLasting ? answer.message : null
  return answer instanceof Error ? null : about(await rightsFault({ ...options, ...answer }, prefix))
}

function about(fault: string | null): string | null {
  return (
    fault &&
    `REDIS_URL names a Redis that cannot be used: ${fault} (docs/deployment.md lists the requirements)`
  )
}

/**
 * A primary that was just demoted answers READONLY, or MOVED in a cluster: reconnect to find the new primary. A command
 * that got MOVED has not run, so it may be resent; on a `commands` connection it fails.
 */
function reconnectOnError({ message }: Error): false | 1 | 2 {
  if (message.startsWith('MOVED')) return 2
  return message.startsWith('READONLY') ? 1 : false
}

function isSocket(url: string): boolean {
  return url.startsWith('unix://')
}

/**
 * Runs the kinds of commands that the queue needs: a script that writes, and a publish. Redis rejects them when it is out of
 * memory or read-only, or when permissions are missing, although it still answers reads. Throws Redis's error.
 */
export async function probeRedis(redis: Redis, keys: JournalKeys): Promise<void> {
  const write = redis.eval("return redis.call('SET', KEYS[1], '1', 'EX', 60)", 1, keys.own('probe'))
  await Promise.all([write, redis.publish(keys.cancels, '')])
}

/** Closes a connection; waits for Redis at most `deadlineMs`. */
export async function closeRedis(redis: Redis, deadlineMs = 500): Promise<void> {
  if (redis.status === 'end') return
  let timer: NodeJS.Timeout | undefined
  // `quit` never settles while Redis is lost, not even after a disconnect.
  const deadline = new Promise((resolve) => {
    timer = setTimeout(resolve, deadlineMs)
  })
  await Promise.race([redis.quit().catch(() => {}), deadline])
  clearTimeout(timer)
  redis.disconnect()
}

/** Limits a log line to one per second: a Redis that is full or read-only fails thousands of times a second. */
export function logOncePerSecond<A extends unknown[]>(log: (...args: A) => void): (...args: A) => void {
  let next = 0
  return (...args) => {
    // Do not use the wall clock: if set back, it would silence the log.
    if (performance.now() < next) return
    next = performance.now() + 1000
    log(...args)
  }
}

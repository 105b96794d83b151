/**
 * Checks once, at startup, for faults that only an operator can fix: a wrong password, a missing database, or a command
 * that the queue and its journal need but may not run. Temporary problems (an outage, full memory) are ignored.
 */
import { Redis, type RedisOptions } from 'ioredis'
import { journalKeys } from './journal.ts'
import { loadScript } from './scripts.ts'

const WITHIN_MS = 2000

/** The commands used by BullMQ, its scripts and ours, with valid arguments; K is the key. */
const COMMANDS = [
  ...[
    'GET K',
    'SET K 1 EX 60',
    'DEL K',
    'UNLINK K',
    'EXISTS K',
    'EXPIRE K 60',
    'PEXPIRE K 60000',
    'PERSIST K',
    'PTTL K',
  ],
  ...[
    'TYPE K',
    'INCR K',
    'INCRBY K 1',
    'HGET K f',
    'HSET K f 1',
    'HSETNX K f 1',
    'HMGET K f',
    'HGETALL K',
    'HDEL K f',
  ],
  ...[
    'HEXISTS K f',
    'HLEN K',
    'HINCRBY K f 1',
    'LLEN K',
    'LRANGE K 0 0',
    'LPUSH K 1',
    'RPUSH K 1',
    'LPOP K',
    'RPOP K',
  ],
  ...[
    'RPOPLPUSH K K',
    'LREM K 1 1',
    'LTRIM K 0 0',
    'LPOS K 1',
    'LINDEX K 0',
    'SADD K 1',
    'SREM K 1',
    'SCARD K',
  ],
  ...[
    'SMEMBERS K',
    'SISMEMBER K 1',
    'ZADD K 1 m',
    'ZREM K m',
    'ZCARD K',
    'ZCOUNT K 0 1',
    'ZSCORE K m',
    'ZMSCORE K m',
  ],
  ...['ZRANGE K 0 0', 'ZREVRANGE K 0 0', 'ZRANGEBYSCORE K 0 1', 'ZREVRANGEBYSCORE K 1 0', 'ZPOPMIN K'],
  ...[
    'ZREMRANGEBYSCORE K 0 1',
    'ZREMRANGEBYRANK K 0 0',
    'XADD K * f 1',
    'XREAD STREAMS K 0',
    'XRANGE K - +',
    'XLEN K',
  ],
  ...['XREVRANGE K + -', 'XDEL K 0-1', 'SETRANGE K 0 a', 'GETRANGE K 0 0', 'XTRIM K MAXLEN 1', 'TIME'],
]

/** Returns the names of commands that this user may not run. */
const missingRights = loadScript<string[]>('missing-rights')

/** Why the queue can never work with this connection's user; null if it can, or if Redis is unavailable. */
export async function rightsFault(options: RedisOptions, prefix: string): Promise<string | null> {
  const { db = 0, replyMapping: _, ...rest } = options
  const redis = new Redis({
    ...rest,
    lazyConnect: true,
    // The database is selected below, where a rejection is visible.
    db: 0,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    reconnectOnError: () => false,
    connectTimeout: WITHIN_MS,
    commandTimeout: WITHIN_MS,
  })
  let refusal: Error | undefined
  redis.on('error', (error) => {
    refusal ??= error
  })
  try {
    await redis.connect()
    const { cancels, own } = journalKeys(prefix)
    if (db !== 0) await redis.call('SELECT', db)
    await redis.info('server')
    const probe = own('rights')
    const missing = await missingRights.run(redis, { probe, channel: cancels, rest: COMMANDS })
    // Scripts cannot run a blocking command.
    await redis.bzpopmin(probe, 0.01)
    await redis.multi().get(probe).exec()
    await redis.subscribe(cancels)
    return missing.length > 0 ? `its user may not run ${missing.join(', ')}` : null
  } catch (error) {
    return lastingFault(refusal ?? (error as Error), db)
  } finally {
    redis.disconnect()
  }
}

/** Describes a permanent error; null for any other. */
function lastingFault({ message }: Error, db: number): string | null {
  if (/DB index|invalid DB/i.test(message))
    return `it has no database ${db}: raise \`databases\`, or choose another`
  if (/^WRONGPASS|invalid password|invalid username/i.test(message))
    return 'it does not accept the user or password'
  if (/^NOAUTH/.test(message)) return 'it asks for a password'
  // A renamed command counts as forbidden.
  if (/^NOPERM|unknown command/.test(message))
    return `its user may not run a command that is needed (${message})`
  return null
}

/** Subscribes to cancel requests on its own Redis connection. */
import type { FastifyBaseLogger } from 'fastify'
import { journalKeys } from '../journal/journal.ts'
import { closeRedis, connectRedis, logOncePerSecond, type RedisSource } from '../journal/redis.ts'

export interface CancelListenerOptions {
  heard(jobId: string): void
  /** Called after a reconnect: requests may have been missed. */
  missed(): Promise<void>
  log: FastifyBaseLogger
}

export interface CancelListener {
  /** How often it has reconnected. */
  readonly reconnects: number
  /** Whether it is subscribed right now. */
  readonly isListening: boolean
  /** Closes the connection within `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** A connection that only listens can die unnoticed, so it is checked this often, in ms. */
const CHECK_MS = 5000
/** Longest time Redis may take to answer, in ms. */
const SILENCE_MS = 5000

export function listenForCancels(
  source: RedisSource,
  prefix: string,
  { heard, missed, log }: CancelListenerOptions,
): CancelListener {
  const { cancels } = journalKeys(prefix)
  const redis = connectRedis(source, 'blocking', prefix, {
    socketTimeout: SILENCE_MS,
    // ioredis would throw a refused resubscribe outside any handler, which would end the process.
    autoResubscribe: false,
  })
  let connected = 0
  let isSubscribed = false
  redis.on(
    'error',
    logOncePerSecond((err: Error) => log.warn({ err }, 'redis connection error')),
  )
  redis.on('message', (_channel, jobId) => heard(jobId))
  redis.on('close', () => {
    isSubscribed = false
  })
  redis.on('ready', () => {
    connected += 1
    void listen()
  })
  const check = setInterval(() => {
    // A permission that was revoked may be granted again.
    if (!isSubscribed && redis.status === 'ready') void listen()
    else void redis.ping().catch(() => {})
  }, CHECK_MS)

  async function listen(): Promise<void> {
    try {
      await redis.subscribe(cancels)
      isSubscribed = true
      await missed()
    } catch (err) {
      log.warn({ err }, 'could not subscribe to cancel requests')
    }
  }

  return {
    get reconnects() {
      return Math.max(0, connected - 1)
    },
    get isListening() {
      return isSubscribed
    },
    close(graceMs) {
      clearInterval(check)
      return closeRedis(redis, graceMs)
    },
  }
}

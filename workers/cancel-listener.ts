/** Hears of cancel requests, on a connection of its own. */
import type { FastifyBaseLogger } from 'fastify'
import { journalKeys } from '../journal/journal.ts'
import { closeRedis, connectRedis, logOncePerSecond, type RedisSource } from '../journal/redis.ts'

export interface CancelListenerOptions {
  heard(jobId: string): void
  /** It listens again: requests may have been made meanwhile. */
  missed(): Promise<void>
  log: FastifyBaseLogger
}

export interface CancelListener {
  /** How often its connection was made anew. */
  readonly reconnects: number
  /** Whether a request made now would be heard. */
  readonly isListening: boolean
  /** Within `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** A connection that only listens is dead unnoticed, unless it is spoken on now and then; in ms. */
const CHECK_MS = 5000
/** Longest silence of Redis, in ms. */
const SILENCE_MS = 5000

export function listenForCancels(
  source: RedisSource,
  prefix: string,
  { heard, missed, log }: CancelListenerOptions,
): CancelListener {
  const { cancels } = journalKeys(prefix)
  const redis = connectRedis(source, 'blocking', prefix)
  redis.options.socketTimeout = SILENCE_MS
  // ioredis would throw a refusal where nobody can catch it, and so end the process.
  redis.options.autoResubscribe = false
  let connected = 0
  let isSubscribed = false
  redis.on(
    'error',
    logOncePerSecond((err: Error) => log.warn({ err }, 'redis connection')),
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
    // A right that was taken away may come back.
    if (!isSubscribed && redis.status === 'ready') void listen()
    else void redis.ping().catch(() => {})
  }, CHECK_MS)

  async function listen(): Promise<void> {
    try {
      await redis.subscribe(cancels)
      isSubscribed = true
      await missed()
    } catch (err) {
      log.warn({ err }, 'cancel requests cannot be heard')
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

/** Hears of cancel requests, on a connection of its own. */
import type { FastifyBaseLogger } from 'fastify'
import { journalKeys } from '../journal/journal.ts'
import { closeRedis, connectRedis, logOncePerSecond } from '../journal/redis.ts'

export interface CancelListenerOptions {
  heard(jobId: string): void
  /** It listens again: requests may have been made meanwhile. */
  missed(): Promise<void>
  log: FastifyBaseLogger
}

export interface CancelListener {
  /** How often its connection was made anew. */
  readonly reconnects: number
  /** Within `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** A connection that only listens is dead unnoticed, unless it is spoken on now and then; in ms. */
const CHECK_MS = 5000
/** Longest silence of Redis, in ms. */
const SILENCE_MS = 5000

export function listenForCancels(
  redisUrl: string,
  prefix: string,
  { heard, missed, log }: CancelListenerOptions,
): CancelListener {
  const { cancels } = journalKeys(prefix)
  const redis = connectRedis(redisUrl, 'blocking', prefix)
  redis.options.socketTimeout = SILENCE_MS
  let connected = 0
  redis.on(
    'error',
    logOncePerSecond((err: Error) => log.warn({ err }, 'redis connection')),
  )
  redis.on('message', (_channel, jobId) => heard(jobId))
  redis.on('ready', () => {
    connected += 1
    void listen()
  })
  const check = setInterval(() => void redis.ping().catch(() => {}), CHECK_MS)

  async function listen(): Promise<void> {
    try {
      await redis.subscribe(cancels)
      await missed()
    } catch (err) {
      log.debug({ err }, 'cancel requests cannot be heard')
    }
  }

  return {
    get reconnects() {
      return Math.max(0, connected - 1)
    },
    close(graceMs) {
      clearInterval(check)
      return closeRedis(redis, graceMs)
    },
  }
}

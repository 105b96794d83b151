/**
 * Detects queues that Stagecast's API or another tool has paused. BullMQ hands out none of their jobs until they are
 * resumed. It announces a pause only in the event stream of that queue, so the flag is read periodically.
 */
import type { Redis } from 'ioredis'

const EVERY_MS = 2000

export interface Pauses {
  /** Names of the queues that were paused when Redis was last asked. */
  current(): readonly string[]
  /** Asks Redis now. Rejects if it does not answer. */
  look(): Promise<readonly string[]>
  stop(): void
}

export interface PausesOptions {
  redis: Redis
  /** Prefix of all keys. */
  prefix: string
  queues: readonly string[]
  /** Called once per change, and at the start for a queue that is paused. */
  changed(queue: string, isPaused: boolean): void
}

export function watchPauses({ redis, prefix, queues, changed }: PausesOptions): Pauses {
  let paused: readonly string[] = []
  const later = setInterval(() => void lookIfReady(), EVERY_MS).unref()
  redis.on('ready', lookIfReady)
  void lookIfReady()
  return {
    current: () => paused,
    look,
    stop() {
      clearInterval(later)
      redis.off('ready', lookIfReady)
    },
  }

  async function look(): Promise<readonly string[]> {
    const flags = await Promise.all(queues.map((queue) => redis.hexists(`${prefix}:${queue}:meta`, 'paused')))
    const found = queues.filter((_queue, i) => flags[i] === 1)
    const before = paused
    paused = found
    for (const queue of queues)
      if (found.includes(queue) !== before.includes(queue)) changed(queue, found.includes(queue))
    return found
  }

  /** While Redis is unavailable, the last known pauses stay in effect. */
  async function lookIfReady(): Promise<void> {
    if (redis.status === 'ready') await look().catch(() => {})
  }
}

/** The log line for a change. */
export function pauseMessage(isPaused: boolean): string {
  return isPaused ? 'a queue is paused: its jobs wait until it is resumed' : 'a queue was resumed'
}

/**
 * The only reader of the queue's event stream in this process. It reads the stream directly instead of through BullMQ's
 * QueueEvents, so that an event of an unwatched job costs one Map lookup and is never parsed. While there are no feeds, it
 * does not read.
 */

import type { LogEntry } from '../contract/events.ts'
import { closeRedis, connectRedis, logOncePerSecond, type RedisSource } from '../journal/redis.ts'
import type { Logger } from './logger.ts'

/** What `RECORD` announces: the entries it appended, and the cursor they follow. */
export interface Announcement {
  prev: string
  entries: LogEntry[]
}

export interface TailListener {
  /** Whether there are any feeds. */
  watching(): boolean
  /** Called for each entry of the stream. Check first whether its job or workflow is watched: most are not. */
  heard(message: Message): void
  /** Called when entries may have been missed: every feed must be read. */
  resynced(): void
}

/** One entry of the event stream. It is parsed only when needed. */
export class Message {
  private readonly fields: string[]
  private parsed: Announcement | null | undefined

  constructor(fields: string[]) {
    this.fields = fields
  }

  get event(): string {
    return this.field('event') ?? ''
  }

  get jobId(): string {
    return this.field('jobId') ?? ''
  }

  /** Name of the workflow whose order got new places. */
  get workflow(): string | undefined {
    return this.field('workflow')
  }

  /** The previous newest position and the new ones, separated by spaces. */
  get places(): string {
    return this.field('places') ?? ''
  }

  /** Null if the entry is not ours: other code may call BullMQ's updateProgress on a job. */
  get announcement(): Announcement | null {
    if (this.parsed === undefined) {
      const data = this.event === 'progress' ? JSON.parse(this.field('data') ?? 'null') : null
      this.parsed = Array.isArray(data?.entries) ? data : null
    }
    return this.parsed as Announcement | null
  }

  private field(name: string): string | undefined {
    const { fields } = this
    for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
    return undefined
  }
}

export interface Tail {
  listen(listener: TailListener): void
  /** Call when the first job is watched: starts reading, then calls `resynced`. */
  wake(): void
  /** Whether the reader is reading, or could. */
  readonly connected: boolean
  /** Number of reconnects. */
  readonly reconnects: number
  close(): Promise<void>
}

export interface TailOptions {
  source: RedisSource
  prefix: string
  /** Key of the event stream. */
  stream: string
  log: Logger
}

/** Longest blocking read, in ms. Stopping the reader may take as long. */
const BLOCK_MS = 2000
const RETRY_MS = 200
/** Events after which a job may have ended or disappeared without an announcement. */
export const TOUCHING = new Set(['cancelling', 'completed', 'failed', 'removed'])

/** Creates a reader that is idle until `wake` is called. */
export function startTail({ source, prefix, stream, log }: TailOptions): Tail {
  const redis = connectRedis(source, 'blocking', prefix, {
    // Do not resend a read after a reconnect: `synchronise` must check the stream first.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // Clients wait until a dead connection is detected.
    socketTimeout: 2 * BLOCK_MS,
  })
  redis.on(
    'error',
    logOncePerSecond((err: Error) => log.warn({ err }, 'redis connection error in the event reader')),
  )

  const listeners: TailListener[] = []
  let position: string | undefined
  let connected = false
  let connections = 0
  redis.on('ready', () => {
    connections += 1
  })
  let closed = false
  /** Set while the reader sleeps. */
  let wake: (() => void) | undefined
  const tail: Tail = {
    listen: (one: TailListener) => void listeners.push(one),
    wake: () => wake?.(),
    get connected() {
      return wake ? redis.status === 'ready' : connected
    },
    get reconnects() {
      return Math.max(0, connections - 1)
    },
    async close() {
      closed = true
      wake?.()
      await closeRedis(redis, 0)
      await reading
    },
  }

  const reading = read()
  return tail

  async function read(): Promise<void> {
    let idle = false
    while (!closed) {
      if (!listeners.some((one) => one.watching())) await sleep()
      if (closed) return
      try {
        if (!connected || idle) await synchronise()
        const from = position as string
        const batch = await answered(redis.xread('COUNT', 1000, 'BLOCK', BLOCK_MS, 'STREAMS', stream, from))
        for (const [id, fields] of batch?.[0]?.[1] ?? []) {
          position = id
          const message = new Message(fields)
          for (const listener of listeners) listener.heard(message)
        }
        idle = !batch
        // Streams write their events at the end of this tick. Let them, before the next read goes to Redis.
        await new Promise<void>((resolve) => process.nextTick(resolve))
      } catch (err) {
        connected = false
        if (closed) return
        log.debug({ err }, 'event reader restarts')
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** Events during the sleep are skipped; afterwards all feeds are read. */
  async function sleep(): Promise<void> {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    wake = undefined
    connected = false
    position = undefined
  }

  /**
   * Determines the position to read from. It is never `$`, which would skip entries that arrive between two reads. After a
   * fail-over or a flush, the stream may have restarted with lower ids. A read from the old position would then never
   * return, so the position moves back.
   */
  async function synchronise(): Promise<void> {
    const last = (await answered(redis.xrevrange(stream, '+', '-', 'COUNT', 1)))[0]?.[0] ?? '0-0'
    const lost = position === undefined || compareIds(last, position) < 0
    if (lost) position = last
    if (connected && !lost) return
    connected = true
    for (const listener of listeners) listener.resynced()
  }

  /** Rejects when the connection breaks: ioredis then drops the pending command without a reply. */
  function answered<T>(command: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const broken = () => reject(new Error('the connection broke'))
      redis.once('close', broken)
      command.then(resolve, reject).finally(() => redis.off('close', broken))
    })
  }
}

/** Order of Redis stream ids, `<ms>-<n>`. */
function compareIds(a: string, b: string): number {
  const [aMs = 0, aN = 0] = a.split('-').map(Number)
  const [bMs = 0, bN = 0] = b.split('-').map(Number)
  return aMs - bMs || aN - bN
}

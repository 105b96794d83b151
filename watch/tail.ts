/**
 * The one reader of the queue's event stream in this process. It reads the stream itself and not through
 * BullMQ's QueueEvents, so that an event of a job nobody watches costs one Map lookup and is never parsed. While
 * nothing is kept up here, nothing is read.
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
  /** Whether anybody here watches anything. */
  watching(): boolean
  /** An entry of the stream. Look first whether its job or its workflow is watched: most are not. */
  heard(message: Message): void
  /** The reader may have missed anything: look at everything that is watched. */
  resynced(): void
}

/** One entry of the stream, of which nothing is parsed before it is asked for. */
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

  /** Name of the workflow in whose order something was placed. */
  get workflow(): string | undefined {
    return this.field('workflow')
  }

  /** The newest position before, and those that were given, with spaces between. */
  get places(): string {
    return this.field('places') ?? ''
  }

  /** Null for anything but a step of ours: anybody may call BullMQ's own updateProgress on a job. */
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
  /** To be called when a first job is watched: reading begins, after which `resynced` is called. */
  wake(): void
  /** Whether the reader stands in the stream now, or could. */
  readonly connected: boolean
  /** How often its connection was made anew. */
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

/** Longest blocking read in ms; also how soon a stopped reader notices. */
const BLOCK_MS = 2000
const RETRY_MS = 200
/** Events after which a job may have ended, or gone, without an announcement. */
export const TOUCHING = new Set(['cancelling', 'completed', 'failed', 'removed'])

/** Reads nothing until it is woken. */
export function startTail({ source, prefix, stream, log }: TailOptions): Tail {
  const redis = connectRedis(source, 'blocking', prefix)
  Object.assign(redis.options, {
    // A read that was under way when the connection broke is begun anew, behind a look at where the stream stands.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // Watchers wait for as long as a dead connection goes unnoticed.
    socketTimeout: 2 * BLOCK_MS,
  })
  redis.on(
    'error',
    logOncePerSecond((err: Error) => log.warn({ err }, 'event reader connection')),
  )

  const listeners: TailListener[] = []
  let position: string | undefined
  let connected = false
  let connections = 0
  redis.on('ready', () => {
    connections += 1
  })
  let closed = false
  /** Set while nothing is read. */
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
        // What was heard goes out at the end of this tick: to the clients first, and to Redis after them.
        await new Promise<void>((resolve) => process.nextTick(resolve))
      } catch (err) {
        connected = false
        if (closed) return
        log.debug({ err }, 'event reader starts again')
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** What happens meanwhile is skipped, and all that is watched then is looked at. */
  async function sleep(): Promise<void> {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    wake = undefined
    connected = false
    position = undefined
  }

  /**
   * Stands at a concrete id, never at `$`, which would skip what arrives between two reads. After a fail-over or a
   * flush the stream may have begun anew behind the position, and a read from there would be silent for ever: then
   * it is taken back.
   */
  async function synchronise(): Promise<void> {
    const last = (await answered(redis.xrevrange(stream, '+', '-', 'COUNT', 1)))[0]?.[0] ?? '0-0'
    const lost = position === undefined || compareIds(last, position) < 0
    if (lost) position = last
    if (connected && !lost) return
    connected = true
    for (const listener of listeners) listener.resynced()
  }

  /** The connection forgets a command that was under way when it broke, so that no answer ever comes. */
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

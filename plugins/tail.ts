/**
 * The one reader of the queue's event stream in this process. It reads the stream itself and not through
 * BullMQ's QueueEvents, so that an event of a job nobody watches costs one Map lookup and is never parsed.
 */
import fp from 'fastify-plugin'
import { closeRedis, connectRedis } from '../redis.ts'
import type { LogEntry } from '../stages/events.ts'
import { logOncePerSecond } from './redis.ts'

/** What `RECORD` announces: the entries it appended, and the cursor they follow. */
export interface Announcement {
  prev: string
  entries: LogEntry[]
}

export interface TailListener {
  /** Whether anybody here watches the job. */
  watches(jobId: string): boolean
  /** A step of a watched job. */
  announced(jobId: string, announcement: Announcement): void
  /** Something else happened to a watched job: look at its journal. */
  touched(jobId: string): void
  /** The reader may have missed anything: look at every watched job. */
  resynced(): void
}

declare module 'fastify' {
  interface FastifyInstance {
    tail: {
      listen(listener: TailListener): void
      /** Whether the reader stands in the stream now. */
      readonly connected: boolean
    }
  }
}

/** Longest blocking read in ms; also how soon a stopped reader notices. */
const BLOCK_MS = 2000
const RETRY_MS = 200
/** BullMQ events after which a job may have ended, or gone, without an announcement. */
const TOUCHING = new Set(['cancelling', 'completed', 'failed', 'removed'])

export default fp<{ url: string; prefix: string }>(
  async (app, { url, prefix }) => {
    const redis = connectRedis(url, 'blocking', prefix)
    // A read that was under way when the connection broke is begun anew, behind a look at where the stream stands.
    Object.assign(redis.options, { autoResendUnfulfilledCommands: false, enableOfflineQueue: false })
    redis.on(
      'error',
      logOncePerSecond((err: Error) => app.log.warn({ err }, 'event reader connection')),
    )
    const stream = app.journal.keys.events

    let listener: TailListener | undefined
    let position: string | undefined
    let connected = false
    let closed = false
    app.decorate('tail', {
      listen: (one: TailListener) => {
        listener = one
      },
      get connected() {
        return connected
      },
    })

    const reading = read()
    app.addHook('onClose', async () => {
      closed = true
      await closeRedis(redis, 0)
      await reading
    })

    async function read(): Promise<void> {
      let idle = false
      while (!closed) {
        try {
          if (!connected || idle) await synchronise()
          const from = position as string
          const batch = await answered(redis.xread('COUNT', 1000, 'BLOCK', BLOCK_MS, 'STREAMS', stream, from))
          for (const [id, fields] of batch?.[0]?.[1] ?? []) {
            position = id
            dispatch(fields)
          }
          idle = !batch
        } catch (err) {
          connected = false
          if (closed) return
          app.log.debug({ err }, 'event reader starts again')
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
        }
      }
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
      listener?.resynced()
    }

    /** The connection forgets a command that was under way when it broke, so that no answer ever comes. */
    function answered<T>(command: Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        const broken = () => reject(new Error('the connection broke'))
        redis.once('close', broken)
        command.then(resolve, reject).finally(() => redis.off('close', broken))
      })
    }

    function dispatch(fields: string[]): void {
      const jobId = fieldOf(fields, 'jobId')
      if (!jobId || !listener?.watches(jobId)) return
      const event = fieldOf(fields, 'event') as string
      if (TOUCHING.has(event)) listener.touched(jobId)
      if (event !== 'progress') return
      const data = JSON.parse(fieldOf(fields, 'data') ?? 'null')
      // Anybody may call BullMQ's own updateProgress on a job: that is no step of ours.
      if (Array.isArray(data?.entries)) listener.announced(jobId, data)
    }
  },
  { name: 'tail', dependencies: ['journal'] },
)

function fieldOf(fields: string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
  return undefined
}

/** Order of Redis stream ids, `<ms>-<n>`. */
function compareIds(a: string, b: string): number {
  const [aMs = 0, aN = 0] = a.split('-').map(Number)
  const [bMs = 0, bN = 0] = b.split('-').map(Number)
  return aMs - bMs || aN - bN
}

/**
 * Open event streams. A stream is a cursor over a feed: it has no queue of its own. Frames are encoded once a job;
 * a client that reads slowly is passed over until its socket drains, and then goes on from its cursor.
 */
import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import { FIRST_ID, isNext, isTerminal } from '../stages/events.ts'
import type { JobEvent } from '../stages/job.ts'
import type { Feed, Follower } from './progress.ts'
import { TimingWheel } from './timing-wheel.ts'

export interface StreamsPluginOptions {
  heartbeatMs: number
  maxConnections: number
  maxPerUser: number
  maxPerJob: number
}

export interface StreamRequest {
  jobId: string
  userId: string
  /** The last event the client has, '' for none. */
  cursor: string
  /** Epoch ms at which the client's token or ticket ends, and with it the stream. */
  until: number
}

declare module 'fastify' {
  interface FastifyInstance {
    streams: {
      /** Which cap another stream would break, or null. 0 = no cap. */
      full(jobId: string, userId: string): 'process' | 'user' | 'job' | null
      /** Takes over a response whose head is written, until job, client, credentials or process end. */
      open(response: ServerResponse, request: StreamRequest): void
      readonly open_count: number
    }
  }
}

/** A client whose socket took nothing for so long is dropped; it comes back and resumes. */
const BLOCKED_MS = 30_000
/** Longest life of a connection, times 0.8 to 1.0, so that load spreads over processes again. */
const LIFETIME_MS = 600_000
const RECONNECT_MS = 2000

export default fp<StreamsPluginOptions>(
  async (app, options) => {
    const streams = new Set<Stream>()
    const perUser = new Map<string, number>()
    const perJob = new Map<string, number>()
    const over = (count: number, cap: number) => cap > 0 && count >= cap
    const wheel = new TimingWheel<Stream>(options.heartbeatMs, (stream) => stream.tick())
    let closing = false

    app.decorate('streams', {
      full(jobId, userId) {
        if (closing || over(streams.size, options.maxConnections)) return 'process'
        if (over(perUser.get(userId) ?? 0, options.maxPerUser)) return 'user'
        return over(perJob.get(jobId) ?? 0, options.maxPerJob) ? 'job' : null
      },
      open(response, request) {
        const stream = new Stream(response, request)
        streams.add(stream)
        count(perUser, request.userId, 1)
        count(perJob, request.jobId, 1)
        wheel.add(stream)
        response.once('close', () => {
          streams.delete(stream)
          count(perUser, request.userId, -1)
          count(perJob, request.jobId, -1)
          wheel.delete(stream)
          app.progress.unfollow(stream.feed, stream)
        })
        response.write(`retry: ${jittered(RECONNECT_MS)}\n: connected\n\n`)
        stream.feed = app.progress.follow(request.jobId, stream)
      },
      get open_count() {
        return streams.size
      },
    })
    app.addHook('preClose', async () => {
      closing = true
      wheel.stop()
      for (const stream of streams) stream.end()
    })

    class Stream implements Follower {
      readonly response: ServerResponse
      readonly jobId: string
      declare feed: Feed
      cursor: string
      /** When the stream is ended at the latest, epoch ms. */
      readonly deadline: number
      /** When the socket stopped taking bytes, 0 while it takes them. */
      blockedAt = 0
      /** The journal was read since a gap was suspected. */
      sure = false

      constructor(response: ServerResponse, { jobId, cursor, until }: StreamRequest) {
        this.response = response
        this.jobId = jobId
        this.cursor = cursor
        this.deadline = Math.min(until, Date.now() + LIFETIME_MS * (0.8 + 0.2 * Math.random()))
      }

      changed(feed: Feed): void {
        if (this.blockedAt > 0 || this.response.writableEnded) return
        if (feed.gone) {
          this.response.end(`event: gone\ndata: ${JSON.stringify({ job_id: this.jobId })}\n\n`)
          return
        }
        const { events } = feed
        if (!isReplayable(this.cursor, events) && !this.tellGap(feed)) return
        // Most changes add one event: look from the end.
        let next = events.length
        while (next > 0 && (events[next - 1] as JobEvent).id > this.cursor) next -= 1
        for (; next < events.length; next += 1) {
          const event = events[next] as JobEvent
          this.cursor = event.id
          if (isTerminal(event.event)) this.response.end(frame(event))
          else if (!this.write(frame(event))) return
        }
      }

      /**
       * False when the journal has to be read first: what is known here may lag behind what the client has seen at
       * another process, and the snapshot must be of the moment of the gap.
       */
      tellGap(feed: Feed): boolean {
        const { snapshot, events } = feed
        const head = events.at(-1)
        if (!head || snapshot?.cursor !== head.id || !this.sure) {
          this.sure = true
          app.progress.refresh(feed)
          return false
        }
        this.sure = false
        // The end of a job is told by its own event, so the gap stops before it.
        const place = isTerminal(head.event) ? (events.at(-2)?.id ?? FIRST_ID) : head.id
        this.cursor = place
        return this.write(`id: ${place}\nevent: gap\ndata: ${JSON.stringify(snapshot)}\n\n`)
      }

      write(text: string | Buffer): boolean {
        if (this.response.write(text)) return true
        this.blockedAt = Date.now()
        this.response.once('drain', () => {
          this.blockedAt = 0
          this.changed(this.feed)
        })
        return false
      }

      /** Now and then; returns when it wants to be called next, in ms. */
      tick(): number {
        const now = Date.now()
        if (now >= this.deadline) this.end()
        else if (this.blockedAt > 0 && now - this.blockedAt > BLOCKED_MS) this.response.destroy()
        else if (this.blockedAt === 0) this.write(':\n\n')
        return this.deadline - now
      }

      /** Tells the client to come back, at a moment of its own. */
      end(): void {
        if (!this.response.writableEnded) this.response.end(`retry: ${jittered(RECONNECT_MS)}\n\n`)
      }
    }
  },
  { name: 'streams', dependencies: ['progress'] },
)

/** Whether everything after `cursor` is in `events`. */
export function isReplayable(cursor: string, events: JobEvent[]): boolean {
  const first = events[0]
  const last = events.at(-1)
  if (!first || !last) return true
  // Ahead of the newest event: a cursor of a history that Redis has lost, or none of ours.
  if (cursor > last.id) return false
  return first.id === FIRST_ID || cursor >= first.id || isNext(cursor, first.id)
}

const frames = new WeakMap<JobEvent, Buffer>()

function frame(event: JobEvent): Buffer {
  let bytes = frames.get(event)
  if (!bytes) {
    bytes = Buffer.from(`id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`)
    frames.set(event, bytes)
  }
  return bytes
}

function jittered(ms: number): number {
  return Math.round(ms * (0.5 + Math.random()))
}

function count(counts: Map<string, number>, key: string, step: 1 | -1): void {
  const next = (counts.get(key) ?? 0) + step
  if (next > 0) counts.set(key, next)
  else counts.delete(key)
}

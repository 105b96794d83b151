/** The open event streams of this process: caps, heartbeats, lifetime. */
import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import type { Feed } from '../watch/feed.ts'
import type { Feeds } from '../watch/feeds.ts'
import { Stream, type StreamCounts, type StreamOwner } from '../watch/stream.ts'
import { TimingWheel } from '../watch/timing-wheel.ts'

export interface StreamsPluginOptions {
  heartbeatMs: number
  /** Lifetime of a stream, multiplied by 0.8 to 1.0 so that reconnects spread over time and processes; 0 = no limit. */
  lifetimeMs: number
  maxConnections: number
  maxPerUser: number
  maxPerJob: number
}

export interface StreamRequest {
  kind: 'job' | 'workflow'
  /** Key of the feed. */
  key: string
  userId: string
  /** The last event that the client has; '' for none. */
  cursor: string
  /** Epoch ms at which the client's token or ticket expires; the stream ends then. */
  until: number
}

declare module './core.ts' {
  interface Stagecast {
    streams: {
      /** The cap that one more stream would exceed, or null. A cap of 0 means no limit. */
      full(key: string, userId: string): 'process' | 'user' | 'feed' | null
      /** Takes over a response whose head is written. The stream ends with its feed, client, credentials or process. */
      open(response: ServerResponse, request: StreamRequest): void
      readonly size: number
      /** Counts since the process started. */
      readonly counts: Readonly<StreamCounts>
    }
  }
}

const FAREWELL_MS = 500

export default fp<StreamsPluginOptions>(
  async (app, options) => {
    const streams = new Set<Stream>()
    const perUser = new Map<string, number>()
    const perFeed = new Map<string, number>()
    const wheel = new TimingWheel<Stream>(options.heartbeatMs, (stream) => stream.tick())
    const counts: StreamCounts = { events: 0, replays: 0, gaps: 0, dropped: 0 }
    const owners: Record<StreamRequest['kind'], StreamOwner & { feeds: Feeds<Feed> }> = {
      job: { feeds: app.stagecast.progress, counts },
      workflow: { feeds: app.stagecast.workflows, counts },
    }
    let closing = false

    app.stagecast.streams = {
      counts,
      full(key, userId) {
        if (closing || over(streams.size, options.maxConnections)) return 'process'
        if (over(perUser.get(userId), options.maxPerUser)) return 'user'
        return over(perFeed.get(key), options.maxPerJob) ? 'feed' : null
      },
      open(response, { kind, key, userId, cursor, until }) {
        // The client disconnected during the request: `close` would not fire again.
        if (response.destroyed) return
        const owner = owners[kind]
        const { feeds } = owner
        const lifetime = (options.lifetimeMs || Number.POSITIVE_INFINITY) * (0.8 + 0.2 * Math.random())
        // Subtract a step: the timing wheel may be that late, and a stream must not outlive its credentials.
        const deadline = Math.min(Date.now() + lifetime, until - wheel.stepMs)
        const stream = new Stream(response, owner, cursor, deadline)
        streams.add(stream)
        count(perUser, userId, 1)
        count(perFeed, key, 1)
        wheel.add(stream, deadline - Date.now())
        const feed = feeds.follow(key, stream)
        response.once('close', () => {
          streams.delete(stream)
          count(perUser, userId, -1)
          count(perFeed, key, -1)
          wheel.delete(stream)
          feeds.unfollow(feed, stream)
        })
      },
      get size() {
        return streams.size
      },
    }
    app.addHook('preClose', async () => {
      closing = true
      wheel.stop()
      for (const stream of streams) stream.sendBack()
      // A client that has not read the last line by then is not reading at all.
      setTimeout(() => {
        for (const stream of streams) stream.destroy()
      }, FAREWELL_MS).unref()
    })
  },
  { name: 'streams', dependencies: ['progress', 'workflows'] },
)

function over(count = 0, cap: number): boolean {
  return cap > 0 && count >= cap
}

function count(counts: Map<string, number>, key: string, step: 1 | -1): void {
  const next = (counts.get(key) ?? 0) + step
  if (next > 0) counts.set(key, next)
  else counts.delete(key)
}

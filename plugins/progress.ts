/**
 * Follows watched jobs. A feed holds what is known of one watched job: read once from its journal, then kept up by
 * the tail. Followers are cursors over a feed; however many there are, a job costs Redis one read.
 */
import { setMaxListeners } from 'node:events'
import fp from 'fastify-plugin'
import { eventId, isTerminal, LOG_CAPACITY } from '../stages/events.ts'
import type { JobEvent, JobSnapshot } from '../stages/job.ts'
import { toEvent } from '../stages/snapshot.ts'
import type { JobRecord } from './journal.ts'
import type { Announcement } from './tail.ts'

export interface Feed {
  readonly jobId: string
  /** As read from the journal last; current when its cursor is the head's id. Null until the first read. */
  snapshot: JobSnapshot | null
  /** Every event known, oldest first. */
  events: JobEvent[]
  /** When the last successful read of the journal began, by `performance.now()`; 0 = never. */
  asOf: number
  /** The job was watched and has disappeared. */
  gone: boolean
  readonly followers: Set<Follower>
  /** When something was last heard of the job, epoch ms. */
  heardAt: number
}

/** Told of every change of its feed, in the turn in which it is known. Must not throw. */
export interface Follower {
  changed(feed: Feed): void
}

declare module 'fastify' {
  interface FastifyInstance {
    progress: {
      /** Registers `follower`, and calls it as soon as the feed is known and at every change after that. */
      follow(jobId: string, follower: Follower): Feed
      unfollow(feed: Feed, follower: Follower): void
      /** Reads the job's journal anew; followers are called even when nothing is new. */
      refresh(feed: Feed): void
      /** Resolves when the job has an event after `cursor`, or is gone; after `ms`, at shutdown or by `signal` too. */
      news(jobId: string, cursor: string, ms: number, signal: AbortSignal): Promise<void>
      /** Jobs watched in this process. */
      readonly watched: number
    }
  }
}

/** Watched jobs without news are looked at this often, in ms: a trimmed stream can hide an event. */
const SWEEP_MS = 30_000
const JOBS_PER_READ = 200
const RETRY_MS = 500

export default fp(
  async (app) => {
    const feeds = new Map<string, Feed>()
    /** Feeds to read in the next turn; many reasons in one turn make one read. */
    const stale = new Set<Feed>()
    let reading = false

    const closing = new AbortController()
    setMaxListeners(0, closing.signal)
    app.addHook('preClose', async () => closing.abort())

    app.decorate('progress', {
      follow,
      unfollow,
      refresh,
      news(jobId, cursor, ms, signal) {
        return new Promise<void>((resolve) => {
          const follower: Follower = {
            changed(feed) {
              if (feed.gone || (feed.events.at(-1)?.id ?? '') > cursor) end()
            },
          }
          const feed = follow(jobId, follower)
          // A timer, and not AbortSignal.timeout: Node 20 collects that one before it fires.
          const late = setTimeout(end, ms)
          for (const one of [signal, closing.signal]) one.addEventListener('abort', end)
          if (signal.aborted || closing.signal.aborted) end()

          function end(): void {
            // Not while the feed is being told, and not before `follow` has returned.
            setImmediate(() => {
              clearTimeout(late)
              for (const one of [signal, closing.signal]) one.removeEventListener('abort', end)
              unfollow(feed, follower)
            })
            resolve()
          }
        })
      },
      get watched() {
        return feeds.size
      },
    })

    app.tail.listen({
      watches: (jobId) => feeds.has(jobId),
      announced(jobId, announcement) {
        const feed = feeds.get(jobId) as Feed
        if (!append(feed, announcement)) refresh(feed)
        else notify(feed)
      },
      touched(jobId) {
        const feed = feeds.get(jobId)
        if (feed && !isTerminal(feed.events.at(-1)?.event ?? '')) refresh(feed)
      },
      resynced: () => feeds.forEach(refresh),
    })

    const sweep = setInterval(() => {
      const silentSince = Date.now() - SWEEP_MS
      for (const feed of feeds.values()) if (feed.heardAt < silentSince) refresh(feed)
    }, SWEEP_MS / 4)
    sweep.unref()
    app.addHook('onClose', async () => clearInterval(sweep))

    function follow(jobId: string, follower: Follower): Feed {
      const feed = feeds.get(jobId) ?? createFeed(jobId)
      feed.followers.add(follower)
      if (feed.snapshot) follower.changed(feed)
      return feed
    }

    function unfollow(feed: Feed, follower: Follower): void {
      feed.followers.delete(follower)
      if (feed.followers.size === 0) forget(feed)
    }

    function createFeed(jobId: string): Feed {
      const feed: Feed = {
        jobId,
        snapshot: null,
        events: [],
        asOf: 0,
        gone: false,
        followers: new Set(),
        heardAt: 0,
      }
      feeds.set(jobId, feed)
      refresh(feed)
      return feed
    }

    function forget(feed: Feed): void {
      if (feeds.get(feed.jobId) === feed) feeds.delete(feed.jobId)
      stale.delete(feed)
    }

    function refresh(feed: Feed): void {
      stale.add(feed)
      if (!reading) {
        reading = true
        setImmediate(readStale)
      }
    }

    async function readStale(): Promise<void> {
      while (stale.size > 0) {
        const batch = [...stale].slice(0, JOBS_PER_READ)
        // Taken off first: a change that arrives during the read asks for another one.
        for (const feed of batch) stale.delete(feed)
        const asOf = performance.now()
        try {
          const records = await app.journal.records(batch.map((feed) => feed.jobId))
          for (const [i, feed] of batch.entries()) replace(feed, records[i] ?? null, asOf)
        } catch {
          // Redis is away, which is logged where it was noticed.
          for (const feed of batch) if (feeds.get(feed.jobId) === feed) stale.add(feed)
          setTimeout(readStale, RETRY_MS).unref()
          return
        }
      }
      reading = false
    }

    function replace(feed: Feed, record: JobRecord | null, asOf: number): void {
      feed.asOf = asOf
      if (record) {
        feed.snapshot = record.snapshot
        feed.events = merge(feed.events, record.events)
      } else feed.gone = true
      notify(feed)
      if (feed.gone) forget(feed)
    }
  },
  { name: 'progress', dependencies: ['journal', 'tail'] },
)

function notify(feed: Feed): void {
  feed.heardAt = Date.now()
  for (const follower of feed.followers) follower.changed(feed)
}

/** False when the announced entries do not follow what is known, or need more than they carry. */
function append(feed: Feed, { prev, entries }: Announcement): boolean {
  const head = feed.events.at(-1)
  const last = entries.at(-1)
  if (!feed.snapshot || !head || !last) return false
  if (eventId(last) <= head.id) return true
  // The end is read from the journal, for its result.
  if (isTerminal(last.type)) return false
  if (head.id !== prev && !(prev === '' && feed.events.length === 1 && head.event === 'queued')) return false
  for (const entry of entries) feed.events.push(toEvent(entry, feed.snapshot))
  // A job that talks without end: followers further back than this are told of a gap.
  if (feed.events.length > 2 * LOG_CAPACITY) feed.events.splice(0, LOG_CAPACITY)
  return true
}

/**
 * The journal as read, but never less than is known already: a read may come from a moment before the last
 * announcement, and the stored log may have dropped lines that are still here. Where what is known ends before the
 * first line read, there is a hole, and what lies before it is let go: its followers are told of a gap.
 */
function merge(known: JobEvent[], read: JobEvent[]): JobEvent[] {
  const first = read[0]?.id ?? ''
  const last = read.at(-1)
  const reaches = (known.at(-1)?.id ?? '') >= first
  const older = reaches ? known.filter(({ id }) => id < first) : []
  const newer = last && !isTerminal(last.event) ? known.filter(({ id }) => id > last.id) : []
  return [...older, ...read, ...newer].slice(-2 * LOG_CAPACITY)
}

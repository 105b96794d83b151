/**
 * One open event stream: a cursor over a feed. It has no queue: a slow client is skipped until its socket drains, then
 * resumes from its cursor. Frames are encoded once for all streams.
 */
import type { ServerResponse } from 'node:http'
import type { Hint } from '../contract/job.ts'
import type { Feed, FeedEvent, Follower } from './feed.ts'
import type { Feeds } from './feeds.ts'
import { breakOff, frameOf } from './frame.ts'

/** Counts of all streams of a process. */
export interface StreamCounts {
  /** Events written. */
  events: number
  /** Streams that resumed after an event. */
  replays: number
  /** Gaps sent. */
  gaps: number
  /** Streams closed because their client did not read. */
  dropped: number
}

/** State that all streams of a process share. */
export interface StreamOwner {
  feeds: Pick<Feeds<Feed>, 'refresh'>
  counts: StreamCounts
}

/** A client that reads nothing for this long is disconnected; it can reconnect and resume. */
export const BLOCKED_MS = 30_000
const RECONNECT_MS = 2000

export class Stream implements Follower {
  private readonly response: ServerResponse
  private readonly owner: StreamOwner
  /** The last event that the client has; '' for none. */
  private cursor: string
  /** Latest end of the stream, epoch ms. */
  private readonly deadline: number
  /** The feed at its last change. */
  private feed: Feed | null = null
  private isOver = false
  /** When the stream began to wait for its socket to drain or to send the end, epoch ms; 0 = not waiting. */
  private blockedAt = 0
  /** When a gap was suspected, by the clock of `Feed.asOf`; 0 = not suspected. */
  private suspectedAt = 0

  /** Takes over a response whose head is written. */
  constructor(response: ServerResponse, owner: StreamOwner, cursor: string, deadline: number) {
    this.response = response
    this.owner = owner
    this.cursor = cursor
    this.deadline = deadline
    if (cursor !== '') owner.counts.replays += 1
    this.write(`retry: ${retryMs()}\n: connected\n\n`)
  }

  changed(feed: Feed): void {
    this.feed = feed
    if (this.blockedAt > 0) return
    if (feed.gone) this.end(frameOf('gone', feed.farewell))
    else if (feed.isReplayable(this.cursor)) this.goOn(feed)
    else this.tellGap(feed)
  }

  /** Sends a hint, unless the client is behind. */
  hinted(hint: Hint): void {
    if (this.blockedAt === 0) this.write(frameOf('hint', hint))
  }

  /** Called periodically; returns the delay until the next call, in ms. */
  tick(): number {
    const now = Date.now()
    const { deadline } = this
    const patience = this.blockedAt + BLOCKED_MS
    if (this.blockedAt > 0 && now >= patience) this.drop()
    else if (now >= deadline) this.sendBack()
    else if (this.blockedAt === 0) this.write(':\n\n')
    return Math.min(...[deadline, patience].filter((at) => at > now)) - now
  }

  /** Interrupts the stream; asks the client to reconnect after a random delay. */
  sendBack(): void {
    if (this.isOver) return
    this.isOver = true
    breakOff(this.response, retryMs())
    this.blockedAt ||= Date.now()
  }

  private drop(): void {
    this.owner.counts.dropped += 1
    this.response.destroy()
  }

  destroy(): void {
    this.response.destroy()
  }

  /** Ends the stream cleanly. */
  private end(text?: string | Buffer): void {
    if (this.isOver) return
    this.isOver = true
    this.response.end(text)
    this.blockedAt ||= Date.now()
  }

  /** Sends the events after the cursor, until the socket is full. */
  private goOn(feed: Feed): void {
    const { events } = feed
    this.suspectedAt = 0
    // Most changes add one event, so search from the end.
    let next = events.length
    while (next > 0 && (events[next - 1] as FeedEvent).id > this.cursor) next -= 1
    for (; next < events.length && this.blockedAt === 0; next += 1) {
      const event = events[next] as FeedEvent
      this.cursor = event.id
      if (event.event !== '') this.owner.counts.events += 1
      if (feed.isLast(event)) this.end(frame(event))
      else if (event.event !== '') this.write(frame(event))
    }
    // The client got the terminal event from another process before it arrived here. It gets a 204 when it reconnects.
    const last = events.at(-1)
    if (last && this.cursor === last.id && feed.isLast(last)) this.end()
  }

  /** Reads the feed again before it sends a gap, because the client may have newer events from another process. */
  private tellGap(feed: Feed): void {
    if (this.suspectedAt === 0) {
      this.suspectedAt = performance.now()
      this.owner.feeds.refresh(feed)
    }
    const gap = feed.asOf < this.suspectedAt ? null : feed.gap()
    if (!gap) return
    this.suspectedAt = 0
    this.owner.counts.gaps += 1
    this.cursor = gap.cursor
    this.write(frameOf('gap', gap.data, gap.cursor))
    this.changed(feed)
  }

  private write(text: string | Buffer): void {
    if (this.response.write(text)) return
    this.blockedAt = Date.now()
    this.response.once('drain', () => {
      if (this.isOver) return
      this.blockedAt = 0
      if (this.feed) this.changed(this.feed)
    })
  }
}

/** Caches an event's bytes on the event. A WeakMap would slow down every garbage collection. */
const FRAME = Symbol('frame')

function frame(event: FeedEvent & { [FRAME]?: Buffer }): Buffer {
  event[FRAME] ??= Buffer.from(frameOf(event.event, event.data, event.id))
  return event[FRAME]
}

/** Random reconnect delay, so that the clients of a process that ended do not all reconnect at once. */
function retryMs(): number {
  return Math.round(RECONNECT_MS * (0.5 + Math.random()))
}

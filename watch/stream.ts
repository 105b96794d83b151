/**
 * One open event stream: a cursor over a feed. It has no queue of its own: a client that reads slowly is passed over
 * until its socket drains, and then goes on from its cursor. Frames are encoded once, for all streams.
 */
import type { ServerResponse } from 'node:http'
import type { Hint } from '../contract/job.ts'
import type { Feed, FeedEvent, Follower } from './feed.ts'
import type { Feeds } from './feeds.ts'
import { breakOff, frameOf } from './frame.ts'

/** What all streams of a process have done. */
export interface StreamCounts {
  /** Events written. */
  events: number
  /** Streams opened behind an event. */
  replays: number
  /** Gaps told. */
  gaps: number
  /** Streams cut because their client read nothing. */
  dropped: number
}

/** What the streams of one kind share. */
export interface StreamOwner {
  feeds: Pick<Feeds<Feed>, 'refresh'>
  counts: StreamCounts
}

/** A client whose socket took nothing for so long is dropped; it comes back and resumes. */
export const BLOCKED_MS = 30_000
const RECONNECT_MS = 2000

export class Stream implements Follower {
  private readonly response: ServerResponse
  private readonly owner: StreamOwner
  /** The last event the client has, '' for none. */
  private cursor: string
  /** When the stream is ended at the latest, epoch ms. */
  private readonly deadline: number
  /** As it was told last. */
  private feed: Feed | null = null
  private isOver = false
  /** Since when the socket owes us something: a drain, or to have sent the end. Epoch ms, 0 = it does not. */
  private blockedAt = 0
  /** When a gap was suspected, on the clock of `Feed.asOf`; 0 = it is not. */
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

  /** A client that is behind needs no hints. */
  hinted(hint: Hint): void {
    if (this.blockedAt === 0) this.write(frameOf('hint', hint))
  }

  /** Now and then; returns when it wants to be called next, in ms. */
  tick(): number {
    const now = Date.now()
    const { deadline } = this
    const patience = this.blockedAt + BLOCKED_MS
    if (this.blockedAt > 0 && now >= patience) this.drop()
    else if (now >= deadline) this.sendBack()
    else if (this.blockedAt === 0) this.write(':\n\n')
    return Math.min(...[deadline, patience].filter((at) => at > now)) - now
  }

  /** Tells the client to come back, at a moment of its own: there is more to come. */
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

  /** Nothing can follow. */
  private end(text?: string | Buffer): void {
    if (this.isOver) return
    this.isOver = true
    this.response.end(text)
    this.blockedAt ||= Date.now()
  }

  /** Sends what is after the cursor, until the socket is full. */
  private goOn(feed: Feed): void {
    const { events } = feed
    this.suspectedAt = 0
    // Most changes add one event: look from the end.
    let next = events.length
    while (next > 0 && (events[next - 1] as FeedEvent).id > this.cursor) next -= 1
    for (; next < events.length && this.blockedAt === 0; next += 1) {
      const event = events[next] as FeedEvent
      this.cursor = event.id
      if (event.event !== '') this.owner.counts.events += 1
      if (feed.isLast(event)) this.end(frame(event))
      else if (event.event !== '') this.write(frame(event))
    }
    // It came with the end in hand, before the end was known here: when it comes back it is told to stop.
    const last = events.at(-1)
    if (last && this.cursor === last.id && feed.isLast(last)) this.end()
  }

  /** It is read first: what is known here may lag behind what the client has seen at another process. */
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

/** An event's bytes stay with it. In a WeakMap each collection of garbage would have to look at all of them. */
const FRAME = Symbol('frame')

function frame(event: FeedEvent & { [FRAME]?: Buffer }): Buffer {
  event[FRAME] ??= Buffer.from(frameOf(event.event, event.data, event.id))
  return event[FRAME]
}

/** When to come back, spread so that the clients of a process that ended do not all come at once. */
function retryMs(): number {
  return Math.round(RECONNECT_MS * (0.5 + Math.random()))
}

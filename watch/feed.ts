/** A feed: the events of a watched job or workflow, in the memory of this process. Followers read it from their cursors. */
import type { Hint } from '../contract/job.ts'

export interface FeedEvent {
  id: string
  event: string
  data: unknown
}

/** Receives changes of a feed. Its methods must not throw. */
export interface Follower {
  /** Called on every change of the feed, in the same event-loop turn. */
  changed(feed: Feed): void
  /** Called with a hint; hints may be lost. */
  hinted?(hint: Hint): void
  /** Called if the feed could not be read; the read is retried. */
  failed?(error: unknown): void
}

/** A job that waits for a worker. */
export interface WaitingJob {
  jobId: string
  stage: number
  /** Whether an attempt has failed. */
  isRetrying: boolean
}

export abstract class Feed<E extends FeedEvent = FeedEvent> {
  readonly key: string
  /** All known events, oldest first. */
  events: E[] = []
  /** Whether the next read must be a complete one. */
  wantsWhole = true
  /** When the last complete read started, by `performance.now()`; 0 = never. */
  asOf = 0
  /** Whether the job or workflow has disappeared. */
  gone = false
  /** When the last news arrived, by `performance.now()`. */
  heardAt = Number.NEGATIVE_INFINITY
  readonly followers = new Set<Follower>()
  /** The last hint of each waiting job. */
  readonly hints = new Map<string, Hint>()

  constructor(key: string) {
    this.key = key
  }

  get head(): string {
    return this.events.at(-1)?.id ?? ''
  }

  /** Whether it has been read. */
  abstract readonly isKnown: boolean
  /** `data` of the `gone` event. */
  abstract readonly farewell: object

  /** Called when an announcement may have been missed; the next read must check. */
  doubt(): void {}

  /** The jobs that are known to wait. */
  abstract waiting(): WaitingJob[]
  /** Whether the feed has every event after `cursor`; '' is before the first event. */
  abstract isReplayable(cursor: string): boolean
  /** Whether this event is final. */
  abstract isLast(event: E): boolean
  /** The state that replaces missing events, and the cursor after it; null before the first read. */
  abstract gap(): { cursor: string; data: object } | null
}

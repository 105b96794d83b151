/** A feed: what this process knows of something that is watched. Followers are cursors over it. */
import type { Hint } from '../contract/job.ts'

export interface FeedEvent {
  id: string
  event: string
  data: unknown
}

/** Must not throw. */
export interface Follower {
  /** Told of every change of its feed, in the turn in which it is known. */
  changed(feed: Feed): void
  /** Told now and then what a job waits for; it may be lost. */
  hinted?(hint: Hint): void
  /** The feed could not be read; it will be tried again. */
  failed?(error: unknown): void
}

/** A job that no worker runs. */
export interface WaitingJob {
  jobId: string
  stage: number
  /** Whether an attempt has failed. */
  isRetrying: boolean
}

export abstract class Feed<E extends FeedEvent = FeedEvent> {
  readonly key: string
  /** Every event known, oldest first. */
  events: E[] = []
  /** Whether the next read has to be one of the whole. */
  wantsWhole = true
  /** When the last successful read of the whole began, by `performance.now()`; 0 = never. */
  asOf = 0
  /** It was watched and has disappeared. */
  gone = false
  /** When something was last heard of it, epoch ms. */
  heardAt = 0
  readonly followers = new Set<Follower>()
  /** What was hinted last of each job that waits. */
  readonly hints = new Map<string, Hint>()

  constructor(key: string) {
    this.key = key
  }

  get head(): string {
    return this.events.at(-1)?.id ?? ''
  }

  /** Whether it has been read. */
  abstract readonly isKnown: boolean
  /** What is told when it is gone. */
  abstract readonly farewell: object

  /** Something may have happened unheard: the next read has to look for it. */
  doubt(): void {}

  /** Its jobs that wait, as far as is known. */
  abstract waiting(): WaitingJob[]
  /** Whether everything after `cursor` is here; '' stands before the first event. */
  abstract isReplayable(cursor: string): boolean
  /** Whether nothing can follow this event. */
  abstract isLast(event: E): boolean
  /** What stands for the events that are missing, and the cursor behind it; null before the first read. */
  abstract gap(): { cursor: string; data: object } | null
}

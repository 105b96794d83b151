/**
 * Maintains feeds. A feed is read once when it is first followed, then updated from announcements. It costs Redis one read,
 * regardless of the number of followers.
 */
import { setMaxListeners } from 'node:events'
import { ProblemError } from '../contract/errors.ts'
import { logOncePerSecond } from '../journal/redis.ts'
import type { Feed, Follower } from './feed.ts'
import { FeedReader } from './feed-reader.ts'
import { Leftovers } from './leftovers.ts'
import type { Logger } from './logger.ts'

export interface FeedSource<F extends Feed> {
  /** Called when the first feed is followed. */
  wake(): void
  create(key: string): F
  /** Brings feeds up to date in as few round trips as possible; sets `gone` on those that have disappeared. */
  read(feeds: readonly F[], asOf: number): Promise<void>
  /** Whether to keep a feed for a while after its last follower has left. */
  keeps?(feed: F): boolean
  /** Called when a feed is dropped. */
  forgotten?(feed: F): void
  /** Feeds to read together. */
  perRead: number
}

/** Feeds without news for this long, in ms, are checked: a trimmed stream can lose an announcement. */
const SILENT_MS = 30_000
/** Interval of these checks, in ms. Each checks a share of the feeds, so that the reads spread over time. */
const SWEEP_MS = 1000
const SWEEP_SHARE = 0.05
/** How long a feed is kept after its last follower has left, in ms, for clients that reconnect. */
const KEPT_MS = 5000
/** Maximum feeds kept without followers. */
const KEPT = 10_000

export class Feeds<F extends Feed> {
  private readonly source: FeedSource<F>
  private readonly log: Logger
  private readonly sweeper: NodeJS.Timeout
  private readonly feeds = new Map<string, F>()
  /** Feeds without followers. */
  private readonly left: Leftovers<F>
  private readonly reader: FeedReader<F>
  private readonly closing = new AbortController()
  private readonly logError = logOncePerSecond((err: unknown) =>
    this.log.error({ err }, 'could not update a feed from the data read'),
  )

  constructor(source: FeedSource<F>, log: Logger) {
    this.log = log
    this.source = source
    setMaxListeners(0, this.closing.signal)
    this.left = new Leftovers({ keptMs: KEPT_MS, most: KEPT, letGo: (feed) => this.forget(feed) })
    this.reader = new FeedReader({
      perRead: source.perRead,
      read: (batch, asOf) => source.read(batch, asOf),
      done: (feed) => this.wasRead(feed),
      failed: (feed, error) => this.wasNotRead(feed, error),
    })
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref()
  }

  /** Resolves all pending waits and stops keeping feeds. */
  release(): void {
    this.closing.abort()
  }

  close(): void {
    clearInterval(this.sweeper)
    this.left.stop()
  }

  /** Feeds followed in this process. */
  get watched(): number {
    return this.feeds.size - this.left.size
  }

  /** Whether there are no feeds. */
  get isEmpty(): boolean {
    return this.feeds.size === 0
  }

  /** Feeds followed in this process. */
  *all(): Iterable<F> {
    for (const feed of this.feeds.values()) if (feed.followers.size > 0) yield feed
  }

  get(key: string): F | undefined {
    return this.feeds.get(key)
  }

  /** Registers `follower`. It is called when the feed is known, and on every change afterwards. */
  follow(key: string, follower: Follower): F {
    const feed = this.feeds.get(key) ?? this.create(key)
    feed.followers.add(follower)
    this.left.delete(feed)
    if (feed.isKnown) follower.changed(feed)
    for (const { jobId } of feed.hints.size > 0 ? feed.waiting() : []) {
      const hint = feed.hints.get(jobId)
      if (hint) follower.hinted?.(hint)
    }
    return feed
  }

  /** Resolves with the feed when it is known or gone; it stays valid for this turn. Rejects if it cannot be read. */
  load(key: string): Promise<F> {
    return new Promise((resolve, reject) => {
      const leave = () => setImmediate(() => this.unfollow(feed, follower))
      const follower: Follower = {
        changed(feed) {
          resolve(feed as F)
          leave()
        },
        failed(error) {
          reject(error)
          leave()
        },
      }
      const feed = this.follow(key, follower)
    })
  }

  unfollow(feed: F, follower: Follower): void {
    feed.followers.delete(follower)
    if (feed.followers.size > 0 || this.feeds.get(feed.key) !== feed) return
    feed.hints.clear()
    const isKept = !this.closing.signal.aborted && this.isWorthKeeping(feed) && this.left.add(feed)
    if (!isKept) this.forget(feed)
  }

  /** Reads the complete feed again; calls its followers even if nothing is new. */
  refresh(feed: F): void {
    feed.wantsWhole = true
    this.catchUp(feed)
  }

  /** Reads events after the newest one; calls the followers even if there are none. */
  catchUp(feed: F): void {
    // Do not read a feed without followers; drop it.
    if (this.left.has(feed)) this.forget(feed)
    else this.reader.ask(feed)
  }

  /** Announcements may have been missed: reads all feeds. */
  catchUpAll(): void {
    for (const feed of this.feeds.values()) this.look(feed)
  }

  notify(feed: F): void {
    feed.heardAt = performance.now()
    for (const follower of feed.followers) follower.changed(feed)
  }

  /** Resolves when there is an event after `cursor` or the feed is gone; also after `ms`, at shutdown, or by `signal`. */
  news(key: string, cursor: string, ms: number, signal: AbortSignal): Promise<void> {
    return this.until(key, (feed) => feed.head > cursor, ms, signal)
  }

  /** The same for any condition on the feed. */
  until(key: string, isReached: (feed: F) => boolean, ms: number, signal: AbortSignal): Promise<void> {
    const signals = [signal, this.closing.signal]
    return new Promise<void>((resolve) => {
      const follower: Follower = {
        changed(feed) {
          if (feed.gone || isReached(feed as F)) end()
        },
      }
      const feed = this.follow(key, follower)
      // Do not use AbortSignal.timeout: Node 20 may garbage-collect it before it fires.
      const late = setTimeout(end, ms)
      for (const one of signals) one.addEventListener('abort', end)
      if (signals.some(({ aborted }) => aborted)) end()
      const unfollow = () => this.unfollow(feed, follower)

      function end(): void {
        // Unfollow later: not while the feed calls its followers, and not before `follow` has returned.
        setImmediate(() => {
          clearTimeout(late)
          for (const one of signals) one.removeEventListener('abort', end)
          unfollow()
        })
        resolve()
      }
    })
  }

  private create(key: string): F {
    const feed = this.source.create(key)
    this.feeds.set(key, feed)
    this.source.wake()
    this.refresh(feed)
    return feed
  }

  private forget(feed: F): void {
    this.reader.drop(feed)
    this.left.delete(feed)
    if (this.feeds.get(feed.key) !== feed) return
    this.feeds.delete(feed.key)
    this.source.forgotten?.(feed)
  }

  private isWorthKeeping(feed: F): boolean {
    return feed.isKnown && this.source.keeps?.(feed) === true
  }

  private sweep(): void {
    const silentSince = performance.now() - SILENT_MS
    let most = Math.ceil(this.feeds.size * SWEEP_SHARE)
    for (const feed of this.feeds.values()) {
      if (most === 0) return
      if (feed.heardAt >= silentSince || this.left.has(feed)) continue
      most -= 1
      this.look(feed)
    }
  }

  private look(feed: F): void {
    feed.doubt()
    this.catchUp(feed)
  }

  private wasRead(feed: F): void {
    this.notify(feed)
    // Its followers may have left during the read.
    if (feed.gone || (this.left.has(feed) && !this.isWorthKeeping(feed))) this.forget(feed)
  }

  private wasNotRead(feed: F, error: unknown): boolean {
    // A ProblemError means that Redis is unavailable, which is logged elsewhere.
    if (!(error instanceof ProblemError)) this.logError(error)
    feed.wantsWhole = true
    for (const follower of feed.followers) follower.failed?.(error)
    return this.feeds.get(feed.key) === feed
  }
}

/**
 * Keeps feeds up: read once when they are first followed, then kept up by what their owner hears. However many
 * followers there are, a feed costs Redis one read.
 */
import { setMaxListeners } from 'node:events'
import { ProblemError } from '../contract/errors.ts'
import { logOncePerSecond } from '../journal/redis.ts'
import type { Feed, Follower } from './feed.ts'
import { FeedReader } from './feed-reader.ts'
import { Leftovers } from './leftovers.ts'
import type { Logger } from './logger.ts'

export interface FeedSource<F extends Feed> {
  /** Called when there is something to follow. */
  wake(): void
  create(key: string): F
  /** Brings feeds up to date, in as few round trips as can be; marks those as gone that are. */
  read(feeds: readonly F[], asOf: number): Promise<void>
  /** Whether a feed is kept up for a while that nobody follows any more. */
  keeps?(feed: F): boolean
  /** It is not kept up any more, or gone. */
  forgotten?(feed: F): void
  /** Feeds to read together. */
  perRead: number
}

/** Feeds without news for so long, in ms, are looked at: a trimmed stream can hide an event. */
const SILENT_MS = 30_000
/** How often, in ms, and the part of all feeds at a time: those that were read together would stay together. */
const SWEEP_MS = 1000
const SWEEP_SHARE = 0.05
/** How long a feed is kept up after its last follower, in ms: clients that lost their connection come back to it. */
const KEPT_MS = 5000
/** Feeds kept up that nobody follows. */
const KEPT = 10_000

export class Feeds<F extends Feed> {
  private readonly source: FeedSource<F>
  private readonly log: Logger
  private readonly sweeper: NodeJS.Timeout
  private readonly feeds = new Map<string, F>()
  /** Feeds that nobody follows any more. */
  private readonly left: Leftovers<F>
  private readonly reader: FeedReader<F>
  private readonly closing = new AbortController()
  private readonly logError = logOncePerSecond((err: unknown) =>
    this.log.error({ err }, 'a feed could not be made of what was read'),
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

  /** Answers who still waits for news; nothing is kept for later from here on. */
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

  /** Whether no feed is kept up. */
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

  /** Registers `follower`, and calls it as soon as the feed is known and at every change after that. */
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

  /** The feed as soon as it is known, or gone; it lasts for this turn at least. Rejects when it cannot be read. */
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

  /** Reads the whole feed anew; followers are called even when nothing is new. */
  refresh(feed: F): void {
    feed.wantsWhole = true
    this.catchUp(feed)
  }

  /** Reads what is behind the head of the feed; followers are called even when there is nothing. */
  catchUp(feed: F): void {
    // What nobody follows is not worth a read.
    if (this.left.has(feed)) this.forget(feed)
    else this.reader.ask(feed)
  }

  /** Anything may have happened unheard. */
  catchUpAll(): void {
    for (const feed of this.feeds.values()) this.look(feed)
  }

  notify(feed: F): void {
    feed.heardAt = Date.now()
    for (const follower of feed.followers) follower.changed(feed)
  }

  /** Resolves when there is an event after `cursor`, or the feed is gone; after `ms`, at shutdown or by `signal` too. */
  news(key: string, cursor: string, ms: number, signal: AbortSignal): Promise<void> {
    return this.until(key, (feed) => feed.head > cursor, ms, signal)
  }

  /** The same for any state of the feed. */
  until(key: string, isReached: (feed: F) => boolean, ms: number, signal: AbortSignal): Promise<void> {
    const signals = [signal, this.closing.signal]
    return new Promise<void>((resolve) => {
      const follower: Follower = {
        changed(feed) {
          if (feed.gone || isReached(feed as F)) end()
        },
      }
      const feed = this.follow(key, follower)
      // A timer, and not AbortSignal.timeout: Node 20 collects that one before it fires.
      const late = setTimeout(end, ms)
      for (const one of signals) one.addEventListener('abort', end)
      if (signals.some(({ aborted }) => aborted)) end()
      const unfollow = () => this.unfollow(feed, follower)

      function end(): void {
        // Not while the feed is being told, and not before `follow` has returned.
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
    const silentSince = Date.now() - SILENT_MS
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
    // It may have been read for nobody.
    if (feed.gone || (this.left.has(feed) && !this.isWorthKeeping(feed))) this.forget(feed)
  }

  private wasNotRead(feed: F, error: unknown): boolean {
    // A Redis that is away is logged where it was noticed.
    if (!(error instanceof ProblemError)) this.logError(error)
    feed.wantsWhole = true
    for (const follower of feed.followers) follower.failed?.(error)
    return this.feeds.get(feed.key) === feed
  }
}

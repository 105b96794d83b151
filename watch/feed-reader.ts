/** Reads feeds in batches, one batch at a time, and retries until Redis answers. */
import type { Feed } from './feed.ts'

export interface FeedReaderOptions<F extends Feed> {
  /** Brings feeds up to date in as few round trips as possible. */
  read(feeds: readonly F[], asOf: number): Promise<void>
  /** Feeds to read together. */
  perRead: number
  done(feed: F): void
  /** Called when a read fails. Returns whether to try again. */
  failed(feed: F, error: unknown): boolean
}

const RETRY_MS = 500

export class FeedReader<F extends Feed> {
  private readonly options: FeedReaderOptions<F>
  /** Feeds to read in the next turn; several requests in one turn cause one read. */
  private readonly asked = new Set<F>()
  private isReading = false

  constructor(options: FeedReaderOptions<F>) {
    this.options = options
  }

  ask(feed: F): void {
    this.asked.add(feed)
    if (this.isReading) return
    this.isReading = true
    setImmediate(() => this.readAll())
  }

  drop(feed: F): void {
    this.asked.delete(feed)
  }

  private async readAll(): Promise<void> {
    const { read, perRead, done, failed } = this.options
    while (this.asked.size > 0) {
      const batch = [...this.asked].slice(0, perRead)
      // Remove the feed before reading, so that a change during the read requests another one.
      for (const feed of batch) this.asked.delete(feed)
      try {
        await read(batch, performance.now())
      } catch (error) {
        for (const feed of batch) if (failed(feed, error)) this.asked.add(feed)
        setTimeout(() => this.readAll(), RETRY_MS).unref()
        return
      }
      for (const feed of batch) done(feed)
    }
    this.isReading = false
  }
}

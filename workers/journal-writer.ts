/**
 * Writes the journal of one attempt while holding the job's lock. Each write is one script call. Redis refuses it if the
 * lock is lost, the job is being cancelled, or the job is settled.
 */
import type { Redis } from 'ioredis'
import { eventId, type LogEntry } from '../contract/events.ts'
import type { JobResult, JobSnapshot } from '../contract/job.ts'
import {
  type JournalKeys,
  type RecordReply,
  type RecordWrite,
  record,
  recordCall,
} from '../journal/journal.ts'
import {
  type CancelMark,
  cancellingEntry,
  type Journal,
  lastEntry,
  toEndRecord,
} from '../journal/snapshot.ts'

/** Another worker may hold the job, so this one must stop at once and change nothing. */
export class LockLost extends Error {
  override readonly name = 'LockLost'
}

/** A cancel was requested; the holder of the lock carries it out. */
export class CancelRequested extends Error {
  override readonly name = 'CancelRequested'
}

/** The job already has its outcome. */
export class AlreadySettled extends Error {
  override readonly name = 'AlreadySettled'
}

/** A step as the attempt reports it; sequence number and time are added here. */
export type Step = Pick<LogEntry, 'type' | 'progress' | 'message'> & Partial<Pick<LogEntry, 'error' | 'max'>>

/** `cancelled`: the write that carries out a cancel. */
type Write = Pick<RecordWrite, 'entries' | 'end' | 'cancelled'>

/** How many entries of this attempt to keep, to write them again if a fail-over lost them. */
const MEMORY = 64

export interface WriterOptions {
  redis: Redis
  keys: JournalKeys
  token: string
  /** How long to keep the log of an unfinished job after its last entry, in seconds. */
  logTtlSeconds: number
  resultTtlSeconds: number
}

export class JournalWriter {
  private readonly journal: Journal
  private readonly options: WriterOptions
  private readonly written: LogEntry[] = []
  private last: LogEntry
  /** The newest entry that Redis has accepted. The next write must find the cursor there. */
  private stored: LogEntry
  private cursor: string
  private tail: Promise<unknown> = Promise.resolve()

  constructor(journal: Journal, options: WriterOptions) {
    this.journal = journal
    this.options = options
    this.last = lastEntry(journal)
    this.stored = this.last
    this.cursor = journal.last ? eventId(journal.last) : ''
  }

  /** The newest entry. */
  get newest(): LogEntry {
    return this.last
  }

  /** Begins attempt `attempt`; its entries are numbered from 1. */
  async begin(attempt: number, max: number, before: Step[], first: Step[]): Promise<void> {
    const closing = before.map((step) => this.next(step))
    this.last = { ...this.last, attempt, max, seq: 0 }
    await this.write({ entries: [...closing, ...first.map((step) => this.next(step))] })
  }

  /** Writes are sent in call order. */
  step(step: Step): Promise<void> {
    return this.write({ entries: [this.next(step)] })
  }

  /** Stores the outcome, which nothing can change afterwards. */
  settle(steps: Step[], result: JobResult | null = null): Promise<void> {
    const entries = steps.map((step) => this.next(step))
    return this.write({ entries, end: toEndRecord(this.journal, this.last, result) })
  }

  /** Stores the outcome `cancelled` after a request for it; `toStep` builds the step from the newest stored entry. */
  async settleCancelled(toStep: (newest: LogEntry) => Step): Promise<void> {
    const { redis, keys } = this.options
    await this.tail.catch(() => {})
    this.tail = Promise.resolve()
    // The numbers of refused entries are used again.
    this.last = this.stored
    const mark = await redis.hget(keys.job(this.journal.data.job_id), 'cancel')
    const asked: CancelMark = mark ? JSON.parse(mark) : { after: this.cursor, at: Date.now() }
    const entries = [cancellingEntry(this.last, asked), this.next(toStep(this.last))]
    await this.write({ entries, end: toEndRecord(this.journal, this.last), cancelled: true })
  }

  /** The stored outcome of a settled job, or null once it has expired. */
  async outcome(): Promise<JobSnapshot | null> {
    const end = await this.options.redis.get(this.options.keys.end(this.journal.data.job_id))
    return end && JSON.parse(end)
  }

  private next(step: Step): LogEntry {
    const { attempt, max, seq } = this.last
    const { type, progress, message, error } = step
    // List every field, so that all entries have the same shape. This makes them far cheaper to create and encode.
    this.last = { type, progress, message, attempt, max: step.max ?? max, seq: seq + 1, at: Date.now() }
    if (error) this.last.error = error
    return this.last
  }

  private write(write: Write): Promise<void> {
    const sent = this.tail.then(() => this.send(write))
    // A refused write makes all later ones fail, each for its own caller.
    this.tail = sent
    sent.catch(() => {})
    return sent
  }

  private async send(write: Write): Promise<void> {
    const newest = write.entries.at(-1) as LogEntry
    const target = eventId(newest)
    let reply = await this.record(this.cursor, write)
    if (reply.startsWith('moved:')) reply = await this.recover(reply.slice('moved:'.length), target, write)
    if (reply === 'settled' && write.end && (await this.isStored(write.end))) reply = 'ok'
    if (reply === 'cancelling') throw new CancelRequested('a cancel was requested')
    if (reply === 'settled') throw new AlreadySettled('the job already has its outcome')
    if (reply !== 'ok') throw new LockLost(`this worker no longer holds the job: ${reply}`)
    this.cursor = target
    this.stored = newest
    this.written.push(...write.entries)
    if (this.written.length > MEMORY) this.written.splice(0, this.written.length - MEMORY)
  }

  /**
   * Handles a stored cursor that is not the one this writer stored last. Either a reconnect sent this write twice and the
   * first one succeeded, or a fail-over lost entries, which are written again.
   */
  private async recover(stored: string, target: string, write: Write): Promise<RecordReply> {
    if (stored === target) return 'ok'
    const lost = this.written.filter((entry) => eventId(entry) > stored)
    return this.record(stored, { ...write, entries: [...lost, ...write.entries] })
  }

  private record(expected: string, write: Write): Promise<RecordReply> {
    const { redis, keys, token, logTtlSeconds, resultTtlSeconds } = this.options
    const { journal } = this
    const call = { journal, token, expected, logTtlSeconds, resultTtlSeconds, ...write }
    return record.run(redis, recordCall(keys, call))
  }

  private async isStored(end: JobSnapshot): Promise<boolean> {
    const stored = await this.options.redis.get(this.options.keys.end(this.journal.data.job_id))
    return stored === JSON.stringify(end)
  }
}

/**
 * Writes the journal of one attempt, holding the job's lease. Every write is one script call that Redis refuses once
 * the lease is lost, a cancel was asked for, or the job is settled.
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

/** Another worker may hold the job by now: this one must stop at once and change nothing. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** Cancelling was asked for; the holder of the lease carries it out. */
export class CancelRequested extends Error {
  override readonly name = 'CancelRequested'
}

/** The job has its outcome already. */
export class AlreadySettled extends Error {
  override readonly name = 'AlreadySettled'
}

/** A step as the attempt tells it; place and time are added here. */
export type Step = Pick<LogEntry, 'type' | 'progress' | 'message'> & Partial<Pick<LogEntry, 'error' | 'max'>>

/** `cancelled`: the write that carries out a cancel. */
type Write = Pick<RecordWrite, 'entries' | 'end' | 'cancelled'>

/** Lines of this attempt kept to write them again should a fail-over have lost them. */
const MEMORY = 64

export interface WriterOptions {
  redis: Redis
  keys: JournalKeys
  token: string
  /** How long the log of an unfinished job is kept without news, in seconds. */
  logTtlSeconds: number
  resultTtlSeconds: number
}

export class JournalWriter {
  private readonly journal: Journal
  private readonly options: WriterOptions
  private readonly written: LogEntry[] = []
  private last: LogEntry
  /** The newest line that Redis has taken; its place is the cursor the next write must meet. */
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

  /** The newest line. */
  get newest(): LogEntry {
    return this.last
  }

  /** Begins attempt `attempt`: what follows is numbered from 1 again. */
  async begin(attempt: number, max: number, before: Step[], first: Step[]): Promise<void> {
    const closing = before.map((step) => this.next(step))
    this.last = { ...this.last, attempt, max, seq: 0 }
    await this.write({ entries: [...closing, ...first.map((step) => this.next(step))] })
  }

  /** Writes are sent in the order of the calls. */
  step(step: Step): Promise<void> {
    return this.write({ entries: [this.next(step)] })
  }

  /** Stores the outcome: after this nothing can change it. */
  settle(steps: Step[], result: JobResult | null = null): Promise<void> {
    const entries = steps.map((step) => this.next(step))
    return this.write({ entries, end: toEndRecord(this.journal, this.last, result) })
  }

  /** Stores the outcome `cancelled`, after the request for it; `toStep` makes it of the newest line stored. */
  async settleCancelled(toStep: (newest: LogEntry) => Step): Promise<void> {
    const { redis, keys } = this.options
    await this.tail.catch(() => {})
    this.tail = Promise.resolve()
    // Lines that were refused take up no place.
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
    // Spelled out: every line has the same shape, whatever the step's, and costs a fraction to make and to encode.
    this.last = { type, progress, message, attempt, max: step.max ?? max, seq: seq + 1, at: Date.now() }
    if (error) this.last.error = error
    return this.last
  }

  private write(write: Write): Promise<void> {
    const sent = this.tail.then(() => this.send(write))
    // A refused write refuses all after it, each to its own caller.
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
    if (reply === 'cancelling') throw new CancelRequested('cancelling was asked for')
    if (reply === 'settled') throw new AlreadySettled('the job has its outcome')
    if (reply !== 'ok') throw new LeaseLost(`the job is not held by this worker any more: ${reply}`)
    this.cursor = target
    this.stored = newest
    this.written.push(...write.entries)
    if (this.written.length > MEMORY) this.written.splice(0, this.written.length - MEMORY)
  }

  /**
   * The stored cursor is not where this writer left it. Either this very write was sent twice over a reconnect and has
   * happened; or Redis came back older than it was (a fail-over), and what it lost is written again.
   */
  private async recover(stored: string, target: string, write: Write): Promise<RecordReply> {
    if (stored === target) return 'ok'
    const lost = this.written.filter((entry) => eventId(entry) > stored)
    return this.record(stored, { ...write, entries: [...lost, ...write.entries] })
  }

  private record(expected: string, write: Write): Promise<RecordReply> {
    const { redis, keys, token, logTtlSeconds, resultTtlSeconds } = this.options
    const { journal } = this
    const call = { ...write, journal, token, expected, logTtlSeconds, resultTtlSeconds }
    return record.run(redis, recordCall(keys, call))
  }

  private async isStored(end: JobSnapshot): Promise<boolean> {
    const stored = await this.options.redis.get(this.options.keys.end(this.journal.data.job_id))
    return stored === JSON.stringify(end)
  }
}

/** The feed of one job: read from its journal, kept up by what `RECORD` announces. */
import { eventId, isTerminal, LOG_CAPACITY } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import type { JobEvent } from '../contract/job-event.ts'
import type { JobRecord } from '../journal/reader.ts'
import { cursorBehindGap, isReplayable, toEvent } from '../journal/snapshot.ts'
import { Feed, type WaitingJob } from './feed.ts'
import type { Announcement } from './tail.ts'

export class JobFeed extends Feed<JobEvent> {
  /** As read from the journal last; current when its cursor is the head's id. Null until the first read. */
  snapshot: JobSnapshot | null = null

  get isKnown(): boolean {
    return this.snapshot !== null
  }

  get farewell(): object {
    return { job_id: this.key }
  }

  /** Whether the job has told its end. */
  get isOver(): boolean {
    return isTerminal(this.events.at(-1)?.event ?? '')
  }

  waiting(): WaitingJob[] {
    const newest = this.events.at(-1)
    if (newest?.event !== 'queued' && newest?.event !== 'retrying') return []
    return [{ jobId: this.key, stage: newest.data.stage, isRetrying: newest.event === 'retrying' }]
  }

  isReplayable(cursor: string): boolean {
    return isReplayable(cursor, this.events)
  }

  isLast({ event }: JobEvent): boolean {
    return isTerminal(event)
  }

  gap(): { cursor: string; data: JobSnapshot } | null {
    const { snapshot, events } = this
    return snapshot && { cursor: cursorBehindGap(snapshot, events), data: snapshot }
  }

  take(record: JobRecord | null, asOf: number): void {
    this.asOf = asOf
    if (record) {
      this.snapshot = record.snapshot
      this.events = merge(this.events, record.events)
    } else this.gone = true
  }

  /** False when the announced entries do not follow what is known, or need more than they carry. */
  append({ prev, entries }: Announcement): boolean {
    const { head, events, snapshot } = this
    const last = entries.at(-1)
    if (!snapshot || head === '' || !last) return false
    if (eventId(last) <= head) return true
    // The end is read from the journal, for its result.
    if (isTerminal(last.type)) return false
    const isFirst = prev === '' && events.length === 1 && events[0]?.event === 'queued'
    if (head !== prev && !isFirst) return false
    for (const entry of entries) events.push(toEvent(entry, snapshot))
    // A job that talks without end: followers further back than this are told of a gap.
    if (events.length > 2 * LOG_CAPACITY) events.splice(0, LOG_CAPACITY)
    return true
  }
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

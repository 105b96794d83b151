/** The feed of one job: read from its journal, then updated by the announcements of `RECORD`. */
import { eventId, isTerminal, LOG_CAPACITY } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import type { JobEvent } from '../contract/job-event.ts'
import type { JobRecord } from '../journal/reader.ts'
import { cursorBehindGap, isReplayable, toEvent } from '../journal/snapshot.ts'
import { Feed, type WaitingJob } from './feed.ts'
import type { Announcement } from './tail.ts'

export class JobFeed extends Feed<JobEvent> {
  /** The snapshot of the last read; current if its cursor is the newest event's id. Null before the first read. */
  snapshot: JobSnapshot | null = null

  get isKnown(): boolean {
    return this.snapshot !== null
  }

  get farewell(): object {
    return { job_id: this.key }
  }

  /** Whether the feed contains the terminal event. */
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

  /** Appends announced entries. Returns false if they do not follow the known events, or if the journal must be read. */
  append({ prev, entries }: Announcement): boolean {
    const { head, events, snapshot } = this
    const last = entries.at(-1)
    if (!snapshot || head === '' || !last) return false
    if (eventId(last) <= head) return true
    // The result of a terminal event must be read from the journal.
    if (isTerminal(last.type)) return false
    const isFirst = prev === '' && events.length === 1 && events[0]?.event === 'queued'
    if (head !== prev && !isFirst) return false
    for (const entry of entries) events.push(toEvent(entry, snapshot))
    // The feed of a job with very many events is cut; followers further behind get a gap.
    if (events.length > 2 * LOG_CAPACITY) events.splice(0, LOG_CAPACITY)
    return true
  }
}

/**
 * Merges the events in memory with those just read. The read may be older than the last announcement, and the stored log may
 * have dropped events that are still in memory. If the events in memory end before the first event read, some events are
 * missing: then those in memory are dropped, and their followers get a gap.
 */
function merge(known: JobEvent[], read: JobEvent[]): JobEvent[] {
  const first = read[0]?.id ?? ''
  const last = read.at(-1)
  const reaches = (known.at(-1)?.id ?? '') >= first
  const older = reaches ? known.filter(({ id }) => id < first) : []
  const newer = last && !isTerminal(last.event) ? known.filter(({ id }) => id > last.id) : []
  return [...older, ...read, ...newer].slice(-2 * LOG_CAPACITY)
}

/**
 * The feed of one workflow: the events of all its jobs in the workflow's order. Event ids are positions in that order; the
 * events come from the jobs' logs.
 */
import { type EventId, eventId, isTerminal } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import type { WorkflowEvent as AnyEvent, JobEvent } from '../contract/job-event.ts'
import { ORDER_CAPACITY, type Place } from '../journal/order.ts'
import type { JobRecord } from '../journal/reader.ts'
import { toEvent } from '../journal/snapshot.ts'
import { Feed, type FeedEvent, type WaitingJob } from './feed.ts'
import type { Message } from './tail.ts'

/** An event of a job or run of the workflow. If the job or run has disappeared, only the position remains. */
export interface WorkflowEvent extends FeedEvent {
  event: AnyEvent['event'] | ''
  data: AnyEvent['data'] | null
}

/** A job whose events were read. */
interface KnownJob {
  job_id: string
  stage: number
  workflow_id: string
  run_id?: string
  /** Its newest event with a place in this order. */
  newest: EventId
  type: JobEvent['event']
}

/** The data read for a workflow. */
export interface WorkflowRecord {
  /** Places in order: all, or those after what the feed knew when the read started. */
  places: Place[]
  isWhole: boolean
  /** Whether the order has dropped its oldest places. */
  isCut: boolean
  /** Records of the jobs and runs read; null for one that has disappeared. */
  records: Map<string, JobRecord | RunRecord | null>
}

/** The log of a run. */
export interface RunRecord {
  events: AnyEvent[]
  size: number
}

export class WorkflowFeed extends Feed<WorkflowEvent> {
  /** Jobs that may have ended without a place in the order; the next read checks them. */
  readonly doubtful = new Set<string>()
  private readonly jobs = new Map<string, KnownJob>()
  /** The feed of each job, across all feeds. */
  private readonly owners: Map<string, WorkflowFeed>
  /** Everything after this position is known; '' = from the start. */
  private origin: string | null = null
  /** States of the jobs at the last complete read, and its position. */
  private states: { cursor: string; data: { jobs: JobSnapshot[] } } | null = null

  constructor(key: string, owners: Map<string, WorkflowFeed> = new Map()) {
    super(key)
    this.owners = owners
  }

  get isKnown(): boolean {
    return this.origin !== null
  }

  get farewell(): object {
    return { workflow_id: this.key.slice(0, this.key.indexOf(':')) }
  }

  override get head(): string {
    return this.events.at(-1)?.id ?? this.origin ?? ''
  }

  waiting(): WaitingJob[] {
    return [...this.jobs.values()].flatMap(({ job_id, stage, type }) =>
      type === 'queued' || type === 'retrying'
        ? [{ jobId: job_id, stage, isRetrying: type === 'retrying' }]
        : [],
    )
  }

  isReplayable(cursor: string): boolean {
    return cursor === this.origin || indexOf(this.events, cursor) >= 0
  }

  /** Always false: more stages may follow. */
  isLast(): boolean {
    return false
  }

  override doubt(): void {
    for (const { job_id, type } of this.jobs.values()) if (!isTerminal(type)) this.doubtful.add(job_id)
  }

  /** Called when a job of this workflow may have ended or disappeared without an announcement. True if that must be checked. */
  touch(jobId: string): boolean {
    if (isTerminal(this.jobs.get(jobId)?.type ?? '')) return false
    this.doubtful.add(jobId)
    return true
  }

  /** Called when a job was deleted. Only the positions of its events remain. */
  drop(jobId: string): void {
    this.events = this.events.map((one) =>
      one.data && 'job_id' in one.data && one.data.job_id === jobId
        ? { id: one.id, event: '', data: null }
        : one,
    )
    if (this.states) this.states.data.jobs = this.states.data.jobs.filter(({ job_id }) => job_id !== jobId)
    this.disown(jobId)
  }

  forget(): void {
    for (const id of this.jobs.keys()) this.disown(id)
  }

  gap(): { cursor: string; data: object } | null {
    return this.states
  }

  take({ places, isWhole, isCut, records }: WorkflowRecord, asOf: number): void {
    const known = new Map(this.events.map((event) => [event.id, event]))
    if (isWhole) {
      const last = places.at(-1)?.position ?? ''
      // Keep events that were announced during the read, if they follow the last event read.
      const newer = known.has(last) ? this.events.filter(({ id }) => id > last) : []
      this.asOf = asOf
      this.origin = isCut ? (places.shift()?.position ?? '') : ''
      this.events = []
      this.forget()
      this.extend(places, records, known)
      this.events.push(...newer)
      const snapshots = [...records.values()].flatMap((one) => (isJob(one) ? one.snapshot : []))
      this.states = { cursor: last, data: { jobs: snapshots } }
    } else {
      this.extend(
        places.filter(({ position }) => position > this.head),
        records,
        known,
      )
    }
    this.limit()
  }

  /** Appends placed events. False if they do not follow the known ones, or the journal must be read. */
  append({ jobId, places, announcement }: Message): boolean {
    const [prev = '', ...positions] = places.split(' ')
    if ((positions.at(-1) ?? '') <= this.head) return true
    const job = this.jobs.get(jobId)
    const entries = announcement?.entries.slice(-positions.length)
    if (prev !== this.head || !job || !entries || entries.length < positions.length) return false
    // The result must be read from the journal.
    if (entries.some(({ type }) => type === 'completed')) return false
    for (const [i, entry] of entries.entries()) {
      const { event, data } = toEvent(entry, job)
      this.events.push({ id: positions[i] as string, event, data })
      job.newest = eventId(entry)
      job.type = event
    }
    this.limit()
    return true
  }

  private extend(
    places: Place[],
    records: WorkflowRecord['records'],
    known: Map<string, WorkflowEvent>,
  ): void {
    const eventsOf = new Map<string, Map<string, AnyEvent>>()
    for (const { position, jobId, eventId: id } of places) {
      const record = records.get(jobId)
      let own = eventsOf.get(jobId)
      if (!own) {
        const events: readonly AnyEvent[] = record?.events ?? []
        own = new Map(events.map((event) => [event.id, event]))
        eventsOf.set(jobId, own)
      }
      const found = own.get(id)
      if (isJob(record) && found) this.learn(record, found as JobEvent)
      const event = found ? { id: position, event: found.event, data: found.data } : known.get(position)
      if (event) this.events.push(known.get(position) ?? event)
      else if (record === null) this.events.push({ id: position, event: '', data: null })
      else {
        // The log has dropped this event, or its job was not read. Drop the events before it too: one after them is missing.
        this.events = []
        this.origin = position
      }
    }
  }

  private learn({ snapshot }: JobRecord, { id, event }: JobEvent): void {
    const { job_id, stage, workflow_id, run_id } = snapshot
    const known: KnownJob = { job_id, stage, workflow_id, newest: id, type: event }
    if (run_id) known.run_id = run_id
    this.jobs.set(job_id, known)
    this.owners.set(job_id, this)
  }

  private disown(jobId: string): void {
    this.jobs.delete(jobId)
    this.owners.delete(jobId)
  }

  /** Limits a workflow with very many events: followers further behind get a gap. */
  private limit(): void {
    if (this.events.length <= 2 * ORDER_CAPACITY) return
    this.origin = this.events[ORDER_CAPACITY - 1]?.id ?? ''
    this.events.splice(0, ORDER_CAPACITY)
    const named = new Set(this.events.map(({ data }) => (data && 'job_id' in data ? data.job_id : '')))
    for (const id of this.jobs.keys()) if (!named.has(id)) this.disown(id)
  }
}

function isJob(record: JobRecord | RunRecord | null | undefined): record is JobRecord {
  return record != null && 'snapshot' in record
}

/** Binary search: positions are ascending. */
function indexOf(events: WorkflowEvent[], id: string): number {
  let [low, high] = [0, events.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((events[middle] as WorkflowEvent).id < id) low = middle + 1
    else high = middle
  }
  return events[low]?.id === id ? low : -1
}

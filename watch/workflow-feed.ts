/**
 * The feed of one workflow: the events of all its jobs, in the workflow's order. The ids are positions in that order;
 * the events themselves come from the logs of the jobs.
 */
import { type EventId, eventId, isTerminal } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import type { JobEvent, JobEventData } from '../contract/job-event.ts'
import { ORDER_CAPACITY, type Place } from '../journal/order.ts'
import type { JobRecord } from '../journal/reader.ts'
import { toEvent } from '../journal/snapshot.ts'
import { Feed, type FeedEvent, type WaitingJob } from './feed.ts'
import type { Message } from './tail.ts'

/** An event of one of the jobs. Of a job that has vanished only the position is left, without `event` or data. */
export interface WorkflowEvent extends FeedEvent {
  event: JobEvent['event'] | ''
  data: JobEventData | null
}

/** What is known of a job whose events were read. */
interface KnownJob {
  job_id: string
  stage: number
  workflow_id: string
  /** Its newest event that has a place here. */
  newest: EventId
  type: JobEvent['event']
}

/** What was read of a workflow. */
export interface WorkflowRecord {
  /** In order: all of them, or those behind what the feed knew when the read began. */
  places: Place[]
  isWhole: boolean
  /** Whether places before the first of all were dropped. */
  isCut: boolean
  /** Of the jobs that were looked at; null for one that has vanished. */
  records: Map<string, JobRecord | null>
}

export class WorkflowFeed extends Feed<WorkflowEvent> {
  /** Jobs that may have ended without a place in the order: the next read looks at them. */
  readonly doubtful = new Set<string>()
  private readonly jobs = new Map<string, KnownJob>()
  /** Whose jobs are whose, over all feeds. */
  private readonly owners: Map<string, WorkflowFeed>
  /** The position behind which everything is known; '' = from the beginning. */
  private origin: string | null = null
  /** States of the jobs and the position they go with, as the whole was read last. */
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

  /** More stages may always follow. */
  isLast(): boolean {
    return false
  }

  override doubt(): void {
    for (const { job_id, type } of this.jobs.values()) if (!isTerminal(type)) this.doubtful.add(job_id)
  }

  /** A job of this workflow may have ended, or gone, unheard. True when that has to be looked at. */
  touch(jobId: string): boolean {
    if (isTerminal(this.jobs.get(jobId)?.type ?? '')) return false
    this.doubtful.add(jobId)
    return true
  }

  /** A job was deleted: of its events only the positions are left. */
  drop(jobId: string): void {
    this.events = this.events.map((one) =>
      one.data?.job_id === jobId ? { id: one.id, event: '', data: null } : one,
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
      // What was announced during the read, if it goes on where the read ended.
      const newer = known.has(last) ? this.events.filter(({ id }) => id > last) : []
      this.asOf = asOf
      this.origin = isCut ? (places.shift()?.position ?? '') : ''
      this.events = []
      this.forget()
      this.extend(places, records, known)
      this.events.push(...newer)
      const snapshots = [...records.values()].flatMap((record) => record?.snapshot ?? [])
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

  /** False when what was placed does not follow what is known, or needs more than the message carries. */
  append({ jobId, places, announcement }: Message): boolean {
    const [prev = '', ...positions] = places.split(' ')
    if ((positions.at(-1) ?? '') <= this.head) return true
    const job = this.jobs.get(jobId)
    const entries = announcement?.entries.slice(-positions.length)
    if (prev !== this.head || !job || !entries || entries.length < positions.length) return false
    // The result stands in the journal.
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
    records: Map<string, JobRecord | null>,
    known: Map<string, WorkflowEvent>,
  ): void {
    const eventsOf = new Map<string, Map<string, JobEvent>>()
    for (const { position, jobId, eventId: id } of places) {
      const record = records.get(jobId)
      let own = eventsOf.get(jobId)
      if (!own) {
        own = new Map(record?.events.map((event) => [event.id, event]))
        eventsOf.set(jobId, own)
      }
      const found = own.get(id)
      if (record && found) this.learn(record, found)
      const event = found ? { id: position, event: found.event, data: found.data } : known.get(position)
      if (event) this.events.push(known.get(position) ?? event)
      else if (record === null) this.events.push({ id: position, event: '', data: null })
      else {
        // Its job's log has dropped it, or its job was not looked at: what is before it cannot be told without a hole.
        this.events = []
        this.origin = position
      }
    }
  }

  private learn({ snapshot }: JobRecord, { id, event }: JobEvent): void {
    const { job_id, stage, workflow_id } = snapshot
    this.jobs.set(job_id, { job_id, stage, workflow_id, newest: id, type: event })
    this.owners.set(job_id, this)
  }

  private disown(jobId: string): void {
    this.jobs.delete(jobId)
    this.owners.delete(jobId)
  }

  /** A workflow that talks without end: followers further back than this are told of a gap. */
  private limit(): void {
    if (this.events.length <= 2 * ORDER_CAPACITY) return
    this.origin = this.events[ORDER_CAPACITY - 1]?.id ?? ''
    this.events.splice(0, ORDER_CAPACITY)
    const named = new Set(this.events.map(({ data }) => data?.job_id))
    for (const id of this.jobs.keys()) if (!named.has(id)) this.disown(id)
  }
}

/** By halving: the positions rise. */
function indexOf(events: WorkflowEvent[], id: string): number {
  let [low, high] = [0, events.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((events[middle] as WorkflowEvent).id < id) low = middle + 1
    else high = middle
  }
  return events[low]?.id === id ? low : -1
}

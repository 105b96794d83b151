/**
 * Advances a run as far as possible: stores what `advance` returns, then queues and cancels jobs accordingly. It may be
 * interrupted at any point and repeated.
 */

import { isTerminal } from '../contract/events.ts'
import type { JobData, JobSnapshot } from '../contract/job.ts'
import type { JournalReader } from '../journal/reader.ts'
import { advance, type JobEnd } from './advance.ts'
import { isLive, type RunDocument, type Step } from './document.ts'
import type { RunQueue } from './queue.ts'
import type { KnownResult } from './result.ts'
import type { Memory, RunOrigin, RunStore, StoredRun } from './store.ts'

export interface EngineOptions {
  store: RunStore
  queue: RunQueue
  journal: Pick<JournalReader, 'snapshot' | 'cancel'>
  /** Removes a finished job from its queue, if possible. */
  discard(jobId: string): Promise<void>
}

/** A person's action on a run, applied to its stored state. It returns null if nothing changes. */
export type Act = (
  run: RunDocument,
  memory: Memory,
) => { document: RunDocument; results: KnownResult[] } | null

export class RunEngine {
  private readonly options: EngineOptions

  constructor(options: EngineOptions) {
    this.options = options
  }

  /**
   * Advances the run until nothing is left to do. `carrier`: key of the job that repeats this if the process dies.
   * `removed`: a job that counts as ended even if none of its data is stored. Returns null if the run does not exist.
   */
  async goOn(
    origin: RunOrigin,
    carrier: string,
    { act, removed }: { act?: Act; removed?: string | null } = {},
  ): Promise<StoredRun | null> {
    const { store } = this.options
    let wanted = act
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const { memory, run } = await store.read(origin)
      if (!run) return null
      const now = Date.now()
      const acted = wanted?.(run.document, memory) ?? null
      const before = acted?.document ?? run.document
      const jobs = await this.jobsOf(before)
      const results = merged(memory.results, acted?.results ?? [])
      const next = advance(before, { results, ends: endsOf(before, jobs, removed), now })
      const after = next.document
      const isNews = acted !== null || next.results.length > 0 || isOther(run.document, after)
      if (isNews) {
        const changed = merged(acted?.results ?? [], next.results)
        const [reply] = await store.write(memory, [{ before: run.document, after }], changed, carrier, now)
        // Another process changed the workflow first, or a result has just expired: read again.
        if (reply === 'moved' || reply === 'gone') continue
        if (reply === 'uncarried')
          throw new Error('the job that advances the run has ended; another one continues')
      }
      wanted = undefined
      const hasActed = await this.carryOut(after, await this.jobsOf(after, jobs))
      if (!isNews && !hasActed) return run
    }
    throw new Error(`a run did not settle: ${origin.run_id}`)
  }

  /** Queues steps that should run and are not queued yet, and cancels the remaining jobs of a cancelled run. */
  private async carryOut(run: RunDocument, jobs: ReadonlyMap<string, JobSnapshot | null>): Promise<boolean> {
    const live = run.steps.flatMap((step) =>
      isLive(step) && step.job_id !== null ? [{ step, id: step.job_id }] : [],
    )
    const absent = live.filter(({ id }) => !jobs.get(id))
    if (absent.length > 0) {
      const data = absent.map(({ step, id }) => jobOf(run, step, id))
      await this.options.queue.add(run, data)
    }
    if (run.cancelled_at === null) return absent.length > 0
    const there = live.flatMap(({ id }) => jobs.get(id) ?? [])
    const untold = there.filter(({ status }) => !isTerminal(status) && status !== 'cancelling')
    for (const job of untold) {
      const outcome = await this.options.journal.cancel({ ...job.data, job_id: job.job_id })
      if (outcome === 'cancelled') await this.options.discard(job.job_id)
    }
    return absent.length > 0 || untold.length > 0
  }

  /** The jobs of the live steps. Those in `known` are not read again. */
  private async jobsOf(
    { steps }: RunDocument,
    known: ReadonlyMap<string, JobSnapshot | null> = new Map(),
  ): Promise<Map<string, JobSnapshot | null>> {
    const ids = steps.flatMap((step) => (isLive(step) && step.job_id !== null ? [step.job_id] : []))
    const asked = ids.filter((id) => !known.has(id))
    const found = await Promise.all(asked.map((id) => this.options.journal.snapshot(id)))
    return new Map([...known, ...asked.map((id, i) => [id, found[i] ?? null] as const)])
  }
}

/** How often a write may fail because of other processes before this one gives up. */
const MOST_ROUNDS = 100

function endsOf(
  run: RunDocument,
  jobs: ReadonlyMap<string, JobSnapshot | null>,
  removed: string | null | undefined,
): Map<string, JobEnd> {
  const ends = new Map<string, JobEnd>()
  for (const step of run.steps.filter(isLive)) {
    const job = jobs.get(step.job_id ?? '')
    if (job && isTerminal(job.status)) ends.set(job.job_id, job)
    else if (!job && removed && removed === step.job_id) ends.set(removed, 'removed')
  }
  return ends
}

function merged(...lists: (readonly KnownResult[])[]): KnownResult[] {
  return [...new Map(lists.flat().map((one) => [one.job_id, one])).values()]
}

function isOther(a: RunDocument, b: RunDocument): boolean {
  return JSON.stringify(a) !== JSON.stringify(b)
}

function jobOf(run: RunDocument, { stage, inputs }: Step, job_id: string): JobData {
  const { run_id, workflow_id, user_id, research_question } = run
  return { stage, job_id, workflow_id, research_question, user_id, timestamp: Date.now(), inputs, run_id }
}

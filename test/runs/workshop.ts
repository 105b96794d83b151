/** A workflow in memory: pure functions alone advance its runs, and its jobs end as the test sets. */
import { type Catalogue, openCatalogue } from '../../contract/catalogue.ts'
import type { CatalogueFile } from '../../contract/catalogue-file.ts'
import type { JobSnapshot } from '../../contract/job.ts'
import type { Verdict } from '../../contract/run.ts'
import { uuidOf } from '../../journal/ids.ts'
import { cancel, decide, supersede } from '../../runs/acts.ts'
import { advance, type JobEnd, type Next } from '../../runs/advance.ts'
import { isFinished, isLive, type RunDocument, type Step } from '../../runs/document.ts'
import { eventsBetween, type RunEvent } from '../../runs/events.ts'
import { planOf } from '../../runs/plan.ts'
import { newRun, type RunRequest } from '../../runs/request.ts'
import type { KnownResult } from '../../runs/result.ts'

type Entry = Partial<CatalogueFile['stages'][0]> & { stage: number }

export function catalogueOf(...entries: Entry[]): Catalogue {
  const stages = entries.map((one) => ({ slug: `s${one.stage}`, title: `Stage ${one.stage}`, ...one }))
  return openCatalogue({ file: { stages, services: { default: { url: 'http://127.0.0.1:9' } } } })
}

/** A cheap catalogue for hundreds of random workflows: it checks nothing and compiles no schema. */
export function uncheckedCatalogue(...entries: Entry[]): Catalogue {
  const stages = entries.map(({ stage, needs = [], uses = [], sign_off = false }) => ({
    ...{ stage, needs, uses, sign_off, slug: '', title: '', description: '', optional: false },
    ...{ needs_question: false, service: 'default', version: '', limits: {}, inputs: null },
  }))
  const get = (stage: number) => stages.find((one) => one.stage === stage)
  return { stages, services: new Map(), get, serviceOf: () => undefined, inputFaults: () => [] }
}

export class Workshop {
  readonly results = new Map<string, KnownResult>()
  readonly events: RunEvent[] = []
  /** Results by stage; by default a result is derived from the inputs. */
  readonly gives = new Map<number, unknown>()
  readonly fails = new Set<number>()
  readonly versions = new Map<number, string>()
  readonly catalogue: Catalogue
  /** The stages in the order in which their jobs ran. */
  readonly ran: number[] = []
  run: RunDocument | null = null
  now = 1000
  private count = 0

  constructor(catalogue: Catalogue) {
    this.catalogue = catalogue
  }

  private draft(request: RunRequest) {
    return newRun(request, this.catalogue, [...this.results.values()], {
      ...{ run_id: uuidOf('run', ++this.count), workflow_id: uuidOf('workflow'), user_id: 'alice' },
      ...{ fingerprint: '', now: this.now, previous: this.run },
      versionOf: (stage) => this.versions.get(stage) ?? '',
    })
  }

  plan(request: RunRequest) {
    const drafted = this.draft(request)
    if ('missing' in drafted) throw new Error(JSON.stringify(drafted.missing))
    const voided = new Map(drafted.voided.map((one) => [one.job_id, one]))
    const results = [...this.results.values()].map((one) => voided.get(one.job_id) ?? one)
    return planOf(drafted.run, results, () => null)
  }

  /** Starts a run. Returns the needs that are not met, or runs it until it waits or ends and returns null. */
  post(request: RunRequest): { stage: number; needs: number }[] | null {
    const drafted = this.draft(request)
    if ('missing' in drafted) return drafted.missing
    for (const one of drafted.voided) this.results.set(one.job_id, one)
    if (this.run && !isFinished(this.run))
      this.store({ document: supersede(this.run, this.now), results: [] })
    this.run = null
    this.store(advance(drafted.run, this.knowledge(new Map())))
    this.work()
    return null
  }

  /** Ends live jobs, the lowest stage first, until none is left. */
  work(): void {
    for (;;) {
      const step = this.run?.steps.find(isLive)
      if (!step) return
      this.end(step)
    }
  }

  end(step: Step): void {
    this.ran.push(step.stage)
    this.take(new Map([[step.job_id as string, this.endOf(step)]]))
  }

  take(ends: ReadonlyMap<string, JobEnd>): void {
    this.now += 1
    if (this.run) this.store(advance(this.run, this.knowledge(ends)))
  }

  /** The end of a step's job. */
  endOf({ stage, job_id, inputs, version }: Step): JobSnapshot {
    const failed = this.fails.has(stage)
    const given = this.gives.get(stage) ?? { stage, inputs }
    const error = { code: 'BROKEN', message: 'broken', retryable: false, attempt: 1 }
    return {
      ...{ job_id: job_id as string, stage, workflow_id: uuidOf('workflow'), attempt: 1, max_attempts: 1 },
      ...{ status: failed ? 'failed' : 'completed', progress: failed ? 20 : 100, cursor: '000100000010' },
      data: { stage, workflow_id: uuidOf('workflow'), research_question: null, user_id: 'alice', inputs },
      result: failed
        ? null
        : { success: true, artifacts: [], version, duration_ms: this.now, results: { given } },
      error: failed ? error : null,
      ...{ created_at: 0, processed_at: 0, finished_at: this.now },
    }
  }

  sign(stage: number, verdict: Verdict, digest?: string): string {
    if (!this.run) return 'no run'
    const shown = this.step(stage).sign_off?.digest ?? ''
    const reason = verdict === 'rejected' ? 'not good' : null
    const signOff = { verdict, reason, by: 'bob', at: this.now, digest: digest ?? shown }
    const outcome = decide(this.run, stage, signOff, [...this.results.values()])
    if (outcome.kind === 'decided') {
      this.go(outcome)
      this.work()
    }
    return outcome.kind
  }

  cancel(): boolean {
    const cancelled = this.run && cancel(this.run, this.now)
    if (cancelled) this.go({ document: cancelled, results: [] })
    return Boolean(cancelled)
  }

  step(stage: number): Step {
    const step = this.run?.steps.find((one) => one.stage === stage)
    if (!step) throw new Error(`no step ${stage}`)
    return step
  }

  statuses(): Record<number, string> {
    return Object.fromEntries((this.run?.steps ?? []).map(({ stage, status }) => [stage, status]))
  }

  /** Applies a person's action and advances the run. */
  private go({ document, results }: Next): void {
    for (const one of results) this.results.set(one.job_id, one)
    const next = advance(document, this.knowledge(new Map()))
    this.store({ document: next.document, results: next.results })
  }

  private store({ document, results }: Next): void {
    this.events.push(...eventsBetween(this.run, document, this.now))
    this.run = document
    for (const one of results) this.results.set(one.job_id, one)
  }

  private knowledge(ends: ReadonlyMap<string, JobEnd>) {
    return { results: [...this.results.values()], ends, now: this.now }
  }
}

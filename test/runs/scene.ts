/** Shared code of the fault tests of runs: requests to any API process, a service that honours the key, and a check. */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Run } from '../../contract/run.ts'
import { journalKeys } from '../../journal/journal.ts'
import { authorization, get } from '../helpers/app.ts'
import { type Answer, json, type StageCallSeen, success } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

/** Time limit, long enough for a busy machine. */
const WITHIN_MS = 120_000

export interface Told {
  id: string
  event: string
  data: Record<string, unknown>
}

/** The runs of one workflow, requested from the process that `origin` names. */
export class Runs {
  readonly workflow: string
  private readonly origin: () => string

  constructor(origin: () => string, workflow: string = randomUUID()) {
    this.origin = origin
    this.workflow = workflow
  }

  get url(): string {
    return `${this.origin()}/api/workflow/workflows/${this.workflow}`
  }

  async send(path: string, body?: object, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { ...authorization(), ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Run & { code?: string } }
  }

  async post(body: object): Promise<Run> {
    const { status, body: run } = await this.send('/runs', body)
    if (status !== 202) throw new Error(`${status} ${JSON.stringify(run)}`)
    return run
  }

  read(id: string): Promise<Run> {
    return get<Run>(`${this.url}/runs/${id}`)
  }

  until(id: string, ...statuses: string[]): Promise<Run> {
    const what = `run ${id} is ${statuses.join(' or ')}`
    const check = async () => {
      const run = await this.read(id).catch(() => null)
      return run && statuses.includes(run.status) ? run : null
    }
    return eventually(what, check, WITHIN_MS)
  }

  sign(run: Run, stage: number, verdict = 'approved', more: object = {}) {
    const digest = run.steps.find((step) => step.stage === stage)?.sign_off?.digest
    return this.send(`/runs/${run.run_id}/steps/${stage}/sign-off`, { verdict, digest, ...more })
  }

  /** All events of the workflow so far. */
  async told(): Promise<Told[]> {
    const all: Told[] = []
    for (;;) {
      const after = all.at(-1)?.id
      const page = await get<{ events: Told[]; more: boolean }>(
        `${this.url}/events/page${after ? `?after=${after}` : ''}`,
      )
      all.push(...page.events)
      if (!page.more) return all
    }
  }

  /**
   * The faults in the events of a finished run. Each event in its log and in the logs of its jobs must have arrived once
   * and in order, and every completed step must have one end.
   */
  async faults(run: Run, redis: Redis, prefix: string): Promise<string[]> {
    const faults: string[] = []
    const told = await this.told()
    for (const [i, { id }] of told.entries())
      if (i > 0 && id <= (told[i - 1]?.id ?? '')) faults.push(`position ${id} comes again or too late`)
    const log = await redis.lrange(journalKeys(prefix).own('run', run.run_id, 'log'), 0, -1)
    const ofRun = told.filter(({ event, data }) => data.run_id === run.run_id && !('job_id' in data) && event)
    const texts = ofRun.map(({ event, data }) => textOf({ event, data }))
    const wanted = log.map((line) => textOf(JSON.parse(line)))
    if (texts.join('\n') !== wanted.join('\n')) faults.push(`events of the run: ${texts}; logged: ${wanted}`)
    for (const { stage, job_id, status } of run.steps) {
      if (job_id === null || status === 'reused') continue
      const own = told.filter(({ data }) => data.job_id === job_id).map(lineOf)
      const url = `${this.origin()}/api/workflow/stages/${stage}/jobs/${job_id}/events/page`
      const { events } = await get<{ events: Told[] }>(url)
      if (own.join('\n') !== events.map(lineOf).join('\n'))
        faults.push(`stage ${stage} told ${own}, logged ${events.map(lineOf)}`)
      const ends = own.filter((line) => /^(completed|failed|cancelled) /.test(line)).length
      if (ends !== 1) faults.push(`stage ${stage} has ${ends} ends`)
    }
    return faults
  }
}

function textOf({ event, data }: Pick<Told, 'event' | 'data'>): string {
  return JSON.stringify([event, Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))])
}

function lineOf({ event, data: { attempt, message } }: Told): string {
  return `${event} ${attempt} ${message}`
}

/** `1 completed`, … */
export function statuses({ steps }: Pick<Run, 'steps'>): string[] {
  return steps.map(({ stage, status }) => `${stage} ${status}`)
}

/** The result of a stage is derived from its input. */
export function resultsOf(call: StageCallSeen): Record<string, unknown> {
  const { inputs, upstream } = call.body as {
    inputs: object
    upstream: Record<string, { results: unknown }>
  }
  const from = Object.fromEntries(Object.entries(upstream).map(([stage, { results }]) => [stage, results]))
  return { stage: call.stage, inputs, from }
}

/** A service that does the work of a job once, however often it is called. */
export class KeptWork {
  /** The work that was done, by run and stage. */
  readonly done = new Map<string, number>()
  private readonly kept = new Map<string, object>()

  readonly answer: Answer = (call) => {
    const { job_id, run_id } = call.body as { job_id: string; run_id: string }
    let body = this.kept.get(job_id)
    if (!body) {
      body = success(call, { results: resultsOf(call) })
      this.kept.set(job_id, body)
      const name = `${run_id} ${call.stage}`
      this.done.set(name, (this.done.get(name) ?? 0) + 1)
    }
    return json(200, body)(call)
  }

  of({ run_id, steps }: Pick<Run, 'run_id' | 'steps'>): number[] {
    return steps.map(({ stage }) => this.done.get(`${run_id} ${stage}`) ?? 0)
  }
}

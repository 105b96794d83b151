/** Idempotency by job ID: each job runs once, however often and by however many callers it is requested. */
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { StageAnswer } from '../../contract/service.ts'
import { mediaTypeOf } from './artifacts.ts'
import { asFailure, inside } from './errors.ts'
import type { Job } from './job.ts'
import { fitResults } from './results.ts'
import { Run } from './run.ts'
import { StageFailure, type StageTable } from './stage.ts'
import type { JobRecord, Store } from './store.ts'

export interface RunsOptions {
  store: Store
  stages: StageTable
  log: FastifyBaseLogger
  /** Minimum time between two steps, in ms. */
  paceMs: number
}

/** One caller's hold on a run. `leave` releases it and is harmless after the end. */
export interface Call {
  run: Run
  leave(): void
}

export type Runs = ReturnType<typeof createRuns>

export function createRuns({ store, stages, log, paceMs }: RunsOptions) {
  const current = new Map<string, Run>()
  const alive = new Set<Run>()
  let closing = false

  /** Joins the job's run or starts it. The caller is added synchronously, so a run cannot end between check and join. */
  function call(job: Job): Call {
    if (closing) throw shuttingDown()
    const earlier = current.get(job.id)
    if (earlier && !earlier.stopping) {
      requireSame(earlier.job.digest, job.digest)
      return hold(earlier)
    }
    return hold(start(job, earlier))
  }

  function hold(run: Run): Call {
    const leave = run.join(() =>
      run.stop(new StageFailure(499, 'CALLER_GONE', 'The last caller disconnected.')),
    )
    return { run, leave }
  }

  function start(job: Job, earlier: Run | undefined): Run {
    const run = new Run(job, open, async (self) => {
      // An abandoned run may still be stopping; the same job never runs twice side by side.
      await earlier?.answer.catch(() => undefined)
      return (earlier && (await stored(job))) ?? work(self)
    })
    current.set(job.id, run)
    alive.add(run)
    const forget = () => {
      alive.delete(run)
      if (current.get(job.id) === run) current.delete(job.id)
    }
    run.answer.then(forget, forget)
    return run
  }

  async function open({ job }: Run): Promise<StageAnswer | undefined> {
    const answer = await stored(job)
    if (answer) log.info({ job_id: job.id, stage: job.stage }, 'stored result returned')
    else stages.get(job.stage)?.validate(job.request)
    return answer
  }

  async function stored(job: Job): Promise<StageAnswer | undefined> {
    const record = await store.read(job.id)
    if (record) requireSame(record.digest, job.digest)
    return record?.answer
  }

  async function work(run: Run): Promise<StageAnswer> {
    const about = { job_id: run.job.id, stage: run.job.stage }
    log.info(about, 'stage work started')
    try {
      const answer = await produce(run)
      log.info({ ...about, duration_ms: answer.duration_ms }, 'stage work finished')
      return answer
    } catch (error) {
      const failure = run.signal.aborted ? asFailure(run.signal.reason) : asFailure(error)
      if (run.signal.aborted) log.info({ ...about, code: failure.code }, 'stage work stopped')
      else if (error instanceof StageFailure) log.warn({ ...about, code: failure.code }, 'stage work failed')
      else log.error({ ...about, ...inside(error) }, 'stage work failed')
      throw failure
    }
  }

  async function produce(run: Run): Promise<StageAnswer> {
    const { id, stage, request, digest } = run.job
    const begun = performance.now()
    const workspace = await store.workspace(id)
    try {
      const progress = (percent: number, message: string) => run.progress(percent, message, paceMs)
      await progress(0, `stage ${stage} started`)
      const chosen = stages.get(stage)
      if (!chosen) throw stageNotFound(String(stage), stages)
      const outcome = await chosen.run(request, { signal: run.signal, dir: workspace.artifacts, progress })
      const answer: StageAnswer = {
        success: true,
        stage,
        workflow_id: request.workflow_id,
        job_id: request.job_id,
        artifacts: outcome.artifacts,
        results: fitResults(stage, outcome.results),
        duration_ms: Math.round(performance.now() - begun),
      }
      const files = await store.inspect(workspace, outcome.artifacts)
      answer.files = files.map((file) => ({ ...file, media_type: mediaTypeOf(file.name) }))
      const record: JobRecord = { digest, answer, files }
      run.signal.throwIfAborted()
      const first = await store.publish(id, workspace, record)
      const final = first ? answer : ((await stored(run.job)) ?? answer)
      // The result is stored, so a disconnect no longer matters.
      await run.progress(100, 'result stored', 0).catch(() => undefined)
      return final
    } finally {
      await store.drop(workspace)
    }
  }

  /** Takes no new work, waits `graceMs` for running work, then stops it with a retryable error. */
  async function close(graceMs: number): Promise<void> {
    closing = true
    const ends = () => Promise.allSettled([...alive].map((run) => run.answer))
    const timer = new AbortController()
    await Promise.race([ends(), pause(graceMs, undefined, { signal: timer.signal }).catch(() => undefined)])
    timer.abort()
    for (const run of alive) run.stop(shuttingDown())
    await ends()
  }

  return { call, close, running: () => alive.size, isRunning: (jobId: string) => current.has(jobId) }
}

/** A 404 that lists the existing stages. */
export function stageNotFound(asked: string, stages: StageTable): StageFailure {
  const there = [...stages.keys()].join(', ')
  return new StageFailure(404, 'STAGE_NOT_FOUND', `This service has no stage ${asked}; it has: ${there}.`)
}

function requireSame(known: string, asked: string): void {
  if (known === asked) return
  const message = 'This job_id was already used with another request; use a new one for new work.'
  throw new StageFailure(422, 'IDEMPOTENCY_MISMATCH', message)
}

function shuttingDown(): StageFailure {
  return new StageFailure(503, 'SHUTTING_DOWN', 'The stage service is shutting down; try again in a moment.')
}

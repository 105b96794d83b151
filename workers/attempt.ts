/** One attempt at a job: starts it, then records its outcome, schedules a retry or hands it over. */
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import type { Job } from 'bullmq'
import { isTerminal, type LogEntry, MILESTONE } from '../contract/events.ts'
import { JobData, type JobResult } from '../contract/job.ts'
import type { StageAnswer, StageFile, Upstream } from '../contract/service.ts'
import { queueSpan, readTraceContext } from '../contract/trace.ts'
import type { Span, Tracing } from '../contract/tracing.ts'
import { QUEUE_NAME } from '../journal/journal.ts'
import { ttlOf } from '../journal/reader.ts'
import type { Journal } from '../journal/snapshot.ts'
import type { Verdict } from './circuit.ts'
import { StageFailure } from './failure.ts'
import {
  AlreadySettled,
  CancelRequested,
  JournalWriter,
  LockLost,
  type Step,
  type WriterOptions,
} from './journal-writer.ts'
import { isProgramFault } from './program-fault.ts'
import type { StageClient } from './stage-client.ts'

export interface AttemptOptions extends Omit<WriterOptions, 'token'> {
  client: StageClient
  /** The results of earlier stages, by stage. */
  upstream(job: JobData, signal: AbortSignal): Promise<Upstream>
  /** If files of earlier stages are gone, returns a failure that says so; else the same failure. */
  explain(failure: StageFailure, upstream: Upstream, signal: AbortSignal): Promise<StageFailure>
  /** The files of a result, each with its hash. Throws a `StageFailure` if one cannot be read. */
  hashedFiles(jobId: string, result: JobResult, signal: AbortSignal): Promise<StageFile[]>
  /** Whether the run of the job was cancelled. */
  isRunCancelled(runId: string): Promise<boolean>
  /** How long the results of the jobs of runs are kept, in seconds. */
  workflowTtlSeconds: number
  /** The version of the called stage; '' if it has none. Never rejects. */
  version(): Promise<string>
  tracing: Tracing
  /** Called when the stage service shows that it is alive. */
  onAlive(): void
  /** Whether the circuit is not closed. A failure is then like a failed probe: it uses up no attempt. */
  isCircuitOpen(): boolean
}

/** Why a running attempt is stopped from outside. Its signal is aborted with this reason. */
export type StopReason = 'cancel' | 'lock-lost' | 'shutdown'

/**
 * How an attempt ended, and what that says about the health of the stage service. After `failed` the job is over, whatever
 * the `code`. `retry` asks for another attempt after at least `delayMs`; it `counts` unless the service was never reached.
 */
export type AttemptOutcome = { verdict: Verdict; why?: Why } & (
  | { kind: 'completed'; artifacts: number }
  | { kind: 'failed' | 'cancelled'; code: string }
  | { kind: 'retry'; code: string; delayMs: number; counts: boolean }
  | { kind: 'handed-over' }
)

/** For the log: what happened in our own words, what the service said, and the error if a bug in this program caused it. */
export interface Why {
  words: string
  theirs?: string | undefined
  fault?: Error
}

/** How many gateway errors of a job do not count. There is a limit, because this very job may crash the service. */
const MOST_FORGIVEN = 20

/** The code of a job that already had an outcome, which has since expired. */
export const OUTCOME_EXPIRED = 'OUTCOME_EXPIRED'

const jobData: TypeCheck<typeof JobData> = TypeCompiler.Compile(JobData)

export class Attempt {
  private readonly job: Job<JobData>
  private readonly options: AttemptOptions
  private readonly writer: JournalWriter
  private readonly journal: Journal
  /** 0 until the attempt has begun. */
  number = 0

  /** `last`: the newest entry of the job's log, or null. */
  constructor(job: Job<JobData>, last: LogEntry | null, token: string, options: AttemptOptions) {
    this.job = job
    this.options = options
    this.journal = journalOf(job, last)
    const { resultTtlSeconds, workflowTtlSeconds } = options
    const ttlSeconds = ttlOf(this.journal.data, resultTtlSeconds, workflowTtlSeconds)
    this.writer = new JournalWriter(this.journal, { token, ...options, resultTtlSeconds: ttlSeconds })
  }

  /** Runs the attempt to its end. Throws `LockLost` if another worker may have the job, or Redis's own error. */
  async run(signal: AbortSignal): Promise<AttemptOutcome> {
    const { job_id, stage } = this.journal.data
    const describe = () => queueSpan('process', QUEUE_NAME, job_id, stage)
    const span = this.options.tracing.start(describe, readTraceContext(this.journal.data.trace))
    try {
      const outcome = await this.runIn(span, signal)
      span.set({ 'stagecast.attempt': this.number, 'stagecast.outcome': outcome.kind })
      span.end(outcome.kind === 'failed' || outcome.kind === 'retry' ? outcome.code : undefined)
      return outcome
    } catch (error) {
      span.set({ 'stagecast.attempt': this.number })
      span.end((error as Error).name)
      throw error
    }
  }

  private async runIn(span: Span, signal: AbortSignal): Promise<AttemptOutcome> {
    const startedAt = performance.now()
    try {
      const { job_id, run_id } = this.journal.data
      if (run_id && (await this.isCalledOff(run_id))) return await this.cancel()
      const refused = await this.begin()
      if (refused) return refused
      const version = this.options.version()
      const upstream = await this.upstream(signal)
      const answer = await this.call(upstream, span, signal).catch(async (error) => {
        const isFailure = error instanceof StageFailure && run_id
        throw isFailure ? await this.options.explain(error, upstream, signal) : error
      })
      const result = resultOf(answer, await version, Math.round(performance.now() - startedAt))
      // A run reuses results and signs them off by content, so every file needs its hash.
      if (run_id) result.files = await this.options.hashedFiles(job_id, result, signal)
      const used = Object.entries(upstream).map(([stage, { job_id }]) => [stage, job_id])
      if (used.length > 0) result.upstream = Object.fromEntries(used)
      return await this.complete(result)
    } catch (error) {
      return this.end(error, signal)
    }
  }

  /** Whether the run was cancelled before this attempt. A job that has its outcome keeps it. */
  private async isCalledOff(runId: string): Promise<boolean> {
    const { last } = this.journal
    return !(last && isTerminal(last.type)) && this.options.isRunCancelled(runId)
  }

  private upstream(signal: AbortSignal): Promise<Upstream> {
    signal.throwIfAborted()
    return this.options.upstream(this.journal.data, signal)
  }

  /** Takes the job. If it returns an outcome, there is nothing to run. */
  private async begin(): Promise<AttemptOutcome | null> {
    const { last, maxAttempts, data } = this.journal
    const max = last?.max ?? maxAttempts
    if (last && isTerminal(last.type)) return this.adopt()
    const crashed = last !== null && last.type !== 'retrying'
    const lost = crashed ? [this.lostStep(last)] : []
    if (crashed && last.attempt >= max) return this.fail(lostError(last), 'none')
    this.number = (last?.attempt ?? 0) + 1
    const fault = jobData.Check(data) ? undefined : jobData.Errors(data).First()
    const steps: Step[] = [
      { type: 'active', progress: 0, message: `attempt ${this.number} begins` },
      { type: 'progress', progress: MILESTONE.taken, message: 'a worker took the job' },
    ]
    // Taking the job and calling the service are recorded in one write: nothing happens in between.
    if (!fault)
      steps.push({ type: 'progress', progress: MILESTONE.called, message: 'calling the stage service' })
    await this.writer.begin(this.number, max, lost, steps)
    if (!fault) return null
    const message = `the job data is invalid: ${fault.path || 'it'}: ${fault.message}`
    return this.fail({ code: 'INVALID_JOB', message, retryable: false, attempt: this.number }, 'none')
  }

  private async call(upstream: Upstream, span: Span, signal: AbortSignal): Promise<StageAnswer> {
    const { client, onAlive } = this.options
    const share = MILESTONE.answered - MILESTONE.called
    let reached: number = MILESTONE.called
    return client.call({
      upstream,
      // The ID comes from the queue, whatever the job data says.
      job: this.journal.data,
      attempt: this.number,
      trace: span.context,
      signal,
      onAlive,
      onProgress: (percent, message = 'the stage service is working') => {
        reached = Math.max(reached, Math.round(MILESTONE.called + (percent / 100) * share))
        return this.writer.step({ type: 'progress', progress: reached, message })
      },
    })
  }

  private async complete(result: JobResult): Promise<AttemptOutcome> {
    await this.writer.settle(
      [
        { type: 'progress', progress: MILESTONE.answered, message: 'the stage service answered' },
        { type: 'progress', progress: MILESTONE.stored, message: 'the result is stored' },
        {
          type: 'completed',
          progress: MILESTONE.stored,
          message: `stage ${this.job.data.stage} is complete`,
        },
      ],
      result,
    )
    return { kind: 'completed', artifacts: result.artifacts.length, verdict: 'well' }
  }

  private async end(error: unknown, signal: AbortSignal): Promise<AttemptOutcome> {
    try {
      if (error instanceof AlreadySettled) return await this.adopt()
      if (error instanceof CancelRequested) return await this.cancel()
      const reason: StopReason | undefined = signal.aborted ? signal.reason : undefined
      if (reason === 'cancel') return await this.cancel()
      if (reason === 'shutdown') return await this.handOver()
      if (reason === 'lock-lost') throw new LockLost('its renewal was refused')
      if (error instanceof StageFailure) return await this.afterFailure(error)
      if (isProgramFault(error)) return await this.failInternally(error)
    } catch (refusal) {
      // Another end was stored first.
      if (refusal instanceof CancelRequested) return this.cancel()
      if (refusal instanceof AlreadySettled) return this.adopt()
      throw refusal
    }
    throw error
  }

  private async afterFailure(failure: StageFailure): Promise<AttemptOutcome> {
    const { code, message, retryable, words, theirs, gone, answered } = failure
    const verdict = failure.ill ? 'ill' : 'well'
    const why = { words, theirs }
    const { max, progress } = this.writer.newest
    const error = {
      code,
      message,
      retryable,
      attempt: this.number,
      ...(gone.length > 0 && { gone: [...gone] }),
      ...(answered !== undefined && { service_status: answered }),
    }
    if (!retryable) return this.fail(error, verdict, why)
    const isHeldBack = failure.ill && this.options.isCircuitOpen()
    // If the attempt does not count, the job gets one more.
    const counts = !isHeldBack && !this.isForgiven(failure)
    if (counts && this.number >= max) return this.fail(error, verdict, why)
    await this.writer.step({ type: 'retrying', progress, message, error, max: counts ? max : max + 1 })
    if (isHeldBack) return { kind: 'handed-over', verdict, why }
    return { kind: 'retry', code, delayMs: failure.retryAfterMs, counts, verdict, why }
  }

  /** If the service began nothing, the attempt does not count. */
  private isForgiven({ unmet }: StageFailure): boolean {
    const forgiven = this.writer.newest.max - this.journal.maxAttempts
    return unmet === 'unsent' || (unmet === 'gateway' && forgiven < MOST_FORGIVEN)
  }

  /** A bug in this program would fail every attempt, so the job is not retried. */
  private failInternally(fault: Error): Promise<AttemptOutcome> {
    const message = 'The worker could not handle the job because of an internal error, which was logged'
    const error = { code: 'INTERNAL_ERROR', message, retryable: false, attempt: this.number }
    return this.fail(error, 'none', { words: message, fault })
  }

  private async fail(
    error: NonNullable<LogEntry['error']>,
    verdict: Verdict,
    why: Why = { words: error.message },
  ): Promise<AttemptOutcome> {
    const { progress } = this.writer.newest
    await this.writer.settle([{ type: 'failed', progress, message: error.message, error }])
    return { kind: 'failed', code: error.code, verdict, why }
  }

  /** The outcome is already stored, by a worker that died right afterwards or by a cancel that came first. */
  private async adopt(): Promise<AttemptOutcome> {
    const stored = await this.writer.outcome()
    // The newest log entry outlives the outcome.
    const status = stored?.status ?? this.journal.last?.type
    if (status === 'completed')
      return { kind: 'completed', artifacts: stored?.result?.artifacts.length ?? 0, verdict: 'none' }
    const kind = status === 'cancelled' ? 'cancelled' : 'failed'
    return { kind, code: stored?.error?.code ?? OUTCOME_EXPIRED, verdict: 'none' }
  }

  private async cancel(): Promise<AttemptOutcome> {
    await this.writer.settleCancelled(({ attempt, progress }) => {
      const message = attempt === 0 ? 'cancelled before it was started' : 'cancelled while running'
      const error = { code: 'CANCELLED', message, retryable: false, attempt }
      return { type: 'cancelled', progress, message, error }
    })
    return { kind: 'cancelled', code: 'CANCELLED', verdict: 'none' }
  }

  /** This start does not count; as many attempts are left as before. */
  private async handOver(): Promise<AttemptOutcome> {
    const { max, progress } = this.writer.newest
    const message = 'handed over: the worker is shutting down'
    const error = { code: 'WORKER_SHUTDOWN', message, retryable: true, attempt: this.number }
    await this.writer.step({ type: 'retrying', progress, message, error, max: max + 1 })
    return { kind: 'handed-over', verdict: 'none' }
  }

  private lostStep(last: LogEntry) {
    const error = lostError(last)
    return { type: 'retrying' as const, progress: last.progress, message: error.message, error }
  }
}

function resultOf(answer: StageAnswer, version: string, measuredMs: number): JobResult {
  const durationMs = answer.duration_ms ?? measuredMs
  const names = (answer.files ?? []).map(({ name }) => name)
  const artifacts = [...new Set([...(answer.artifacts ?? []), ...names])]
  const result: JobResult = { success: true, artifacts, version, duration_ms: durationMs }
  const files = (answer.files ?? []).flatMap(vouchedFor)
  if (files.length > 0) result.files = files
  if (answer.results) result.results = answer.results
  return result
}

/** The file, if the service stated its hash and size. */
function vouchedFor({ name, sha256, bytes, media_type }: NonNullable<StageAnswer['files']>[0]): StageFile[] {
  if (typeof sha256 !== 'string' || typeof bytes !== 'number') return []
  return [{ name, sha256, bytes, media_type: media_type ?? 'application/octet-stream' }]
}

function lostError({ attempt }: LogEntry) {
  return {
    code: 'WORKER_LOST',
    message: 'the worker was lost while running the job',
    retryable: true,
    attempt,
  }
}

function journalOf(job: Job<JobData>, last: LogEntry | null): Journal {
  return {
    data: { ...job.data, job_id: job.id as string },
    maxAttempts: job.opts.attempts ?? 1,
    createdAt: job.timestamp,
    processedAt: job.processedOn ?? null,
    last,
    cancel: null,
    abandonedAt: null,
  }
}

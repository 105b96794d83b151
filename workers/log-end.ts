/**
 * Logs one line at the end of each attempt, in our own words. The service's message may quote a user, so it is logged only
 * if the operator asks for it.
 */
import type { Job } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { JobData } from '../contract/job.ts'
import { delayOf, type Ending } from './queue-end.ts'

export interface EndedAttempt {
  job: Job<JobData>
  attempt: number
  outcome: Ending
  /** How long the attempt took. */
  ms: number
}

export function logEnd(
  log: FastifyBaseLogger,
  { job, attempt, outcome, ms }: EndedAttempt,
  withTheirs: boolean,
) {
  const { words, theirs, fault } = ('why' in outcome && outcome.why) || {}
  const line = {
    jobId: job.id,
    job: job.name,
    stage: job.data.stage,
    attempt,
    kind: outcome.kind,
    code: 'code' in outcome ? outcome.code : undefined,
    reason: words,
    serviceSays: withTheirs ? theirs : undefined,
    durationMs: Math.round(ms),
    delayMs: delayOf(job, outcome),
    err: fault,
  }
  const level = fault ? 'error' : outcome.kind === 'failed' ? 'warn' : 'info'
  log[level](line, 'attempt ended')
}

/** Shared by the routes that queue a job: their responses, and waiting for the job's end if the client prefers that. */
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError, unavailable } from '../contract/errors.ts'
import { isTerminal } from '../contract/events.ts'
import { JobSnapshot, StageNumber, Uuid } from '../contract/job.ts'
import type { EnqueueOutcome, EnqueueRequest } from '../journal/enqueue.ts'
import { preferredWait } from './prefer.ts'
import { answer } from './responses.ts'

const Accepted = Type.Object(
  {
    success: Type.Literal(true),
    job_id: Uuid,
    stage: StageNumber,
    workflow_id: Uuid,
    status: Type.Literal('queued'),
    message: Type.String(),
    urls: Type.Object({
      status: Type.String(),
      events: Type.String({ description: 'includes a ticket, so EventSource can open it directly' }),
      cancel: Type.String(),
    }),
  },
  { title: 'Accepted' },
)

export const SubmitHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\u0021-\\u007e]{1,255}$',
      description:
        "1 to 255 visible ASCII characters; remembered per caller until 24 h after the job's end: a repeated request returns the same job and runs nothing twice",
    }),
  ),
  prefer: Type.Optional(
    Type.String({
      description: '`wait=<seconds>`: if the job ends within that time, the response is its state',
    }),
  ),
})

export const SUBMITTED = {
  200: answer(
    'The job ended within the time given in `Prefer`',
    JobSnapshot,
    'location',
    'preference-applied',
    'idempotent-replayed',
  ),
  202: answer('The job is queued', Accepted, 'location', 'retry-after', 'idempotent-replayed'),
}

/** Retry-After for a user with too many queued jobs. */
const FULL_RETRY_SECONDS = 5

/** Queues the job. Answers 202, or 200 with its state if it ends in time. */
export async function submit(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: EnqueueRequest,
): Promise<Static<typeof Accepted> | JobSnapshot> {
  const { queue, tickets, base } = app.stagecast
  const { span } = request.stagecast
  const outcome = await queue.enqueue({ trace: span?.context ?? null, ...asked })
  if (outcome.kind !== 'queued' && outcome.kind !== 'replayed') throw refusal(outcome)
  const { jobId } = outcome
  request.stagecast.madeJob = jobId
  const { stage, body } = asked
  span?.set({ 'stagecast.job.id': jobId, 'stagecast.stage': stage })
  const url = `${base(request)}/api/workflow/stages/${stage}/jobs/${jobId}`
  reply.header('location', `${url}/status`)
  if (outcome.kind === 'replayed') reply.header('idempotent-replayed', 'true')

  const wait = preferredWait(request.headers.prefer as string | undefined)
  const waitMs = wait === null ? null : app.stagecast.longPollMs(wait)
  const ended = waitMs === null ? null : await endWithin(app, jobId, waitMs, request.signal)
  if (waitMs !== null && ended) {
    reply.header('preference-applied', `wait=${waitMs / 1000}`)
    reply.code(200)
    return ended
  }

  const { ticket } = await tickets.issue(jobId).catch(() => {
    throw unavailable({ job_id: jobId })
  })
  reply.header('retry-after', 1)
  reply.code(202)
  return {
    success: true,
    job_id: jobId,
    stage,
    workflow_id: body.workflow_id,
    status: 'queued',
    message: `Stage ${stage} execution job has been queued`,
    urls: { status: `${url}/status`, events: `${url}/events?ticket=${ticket}`, cancel: `${url}/cancel` },
  }
}

/** The state of the job once it has ended. Null after `ms`, at a shutdown, or if Redis does not answer. */
async function endWithin(
  app: FastifyInstance,
  jobId: string,
  ms: number,
  signal: AbortSignal,
): Promise<JobSnapshot | null> {
  if (ms > 0) await app.stagecast.progress.until(jobId, (feed) => feed.isOver, ms, signal)
  const state = await app.stagecast.journal.snapshot(jobId).catch(() => null)
  return state && isTerminal(state.status) ? state : null
}

function refusal(outcome: Exclude<EnqueueOutcome, { kind: 'queued' | 'replayed' }>): ProblemError {
  switch (outcome.kind) {
    case 'mismatch':
      return new ProblemError(
        'IDEMPOTENCY_KEY_REUSED',
        'The key was used with another stage or body; use a new key for a new request',
      )
    case 'deleted':
      return new ProblemError('JOB_DELETED', 'The job of this key was deleted; use a new key to run it again')
    case 'full':
      return tooManyJobs()
    case 'unavailable':
      return unavailable(outcome.jobId ? { job_id: outcome.jobId } : {})
  }
}

/** The error for a caller at the limit of queued jobs. */
export function tooManyJobs(): ProblemError {
  return new ProblemError('TOO_MANY_JOBS', 'Wait until one of your queued jobs starts, or cancel one', {
    retryAfter: FULL_RETRY_SECONDS,
  })
}

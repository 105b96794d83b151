/** POST /api/workflow/stages/{stage}/execute: one route a stage, each with its own body schema. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify'
import fp from 'fastify-plugin'
import {
  type Catalogue,
  type CatalogueStage,
  type ExecuteBody,
  executeBody,
  executeEnvelope,
} from '../contract/catalogue.ts'
import { NO_SUCH_STAGE, ProblemError, unavailable } from '../contract/errors.ts'
import { StageNumber, Uuid } from '../contract/job.ts'
import type { EnqueueOutcome } from '../journal/enqueue.ts'
import { answer, BEARER, BODY_PROBLEMS, problems } from './responses.ts'

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
      events: Type.String({ description: 'carries a ticket: EventSource can open it as it is' }),
      cancel: Type.String(),
    }),
  },
  { title: 'Accepted' },
)

const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\u0021-\\u007e]{1,255}$',
      description:
        '1 to 255 visible ASCII characters; remembered 24 h per caller: a repeat answers with the same job and runs nothing twice',
    }),
  ),
})

/** When a user whose queue is full may try again. */
const FULL_RETRY_SECONDS = 5

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.stagecast.traced.onRequest)
  app.addHook('onResponse', app.stagecast.traced.onResponse)
  for (const stage of app.stagecast.catalogue.stages) {
    app.route({
      method: 'POST',
      url: `/api/workflow/stages/${stage.stage}/execute`,
      schema: schemaOf(stage),
      validatorCompiler: withInputs(app.validatorCompiler as Compiler, app.stagecast.catalogue, stage),
      onRequest: [app.stagecast.authenticate, app.stagecast.throttle],
      handler: (request, reply) =>
        execute(stage.stage, request as FastifyRequest, reply as unknown as FastifyReply),
    })
  }
  // Any other number: the same checks of the caller, then 404.
  app.post(
    '/api/workflow/stages/:stage/execute',
    { schema: { hide: true }, onRequest: [app.stagecast.authenticate, app.stagecast.throttle] },
    async () => {
      throw new ProblemError('STAGE_NOT_FOUND', NO_SUCH_STAGE)
    },
  )

  async function execute(
    stage: number,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Static<typeof Accepted>> {
    const asked = request.body as ExecuteBody
    const body = { ...asked, workflow_id: asked.workflow_id.toLowerCase() }
    const idempotencyKey = request.headers['idempotency-key'] as string | undefined
    const { user, span } = request.stagecast
    const trace = span?.context ?? null
    const outcome = await app.stagecast.queue.enqueue({ stage, userId: user.id, body, idempotencyKey, trace })
    if (outcome.kind !== 'queued' && outcome.kind !== 'replayed') throw refusal(outcome)
    const { jobId } = outcome
    span?.set({ 'stagecast.job.id': jobId, 'stagecast.stage': stage })
    const base = `${app.stagecast.base(request)}/api/workflow/stages/${stage}/jobs/${jobId}`
    const { ticket } = await app.stagecast.tickets.issue(jobId).catch(() => {
      throw unavailable({ job_id: jobId })
    })
    reply.headers({ location: `${base}/status`, 'retry-after': 1 })
    if (outcome.kind === 'replayed') reply.header('idempotent-replayed', 'true')
    reply.code(202)
    return {
      success: true,
      job_id: jobId,
      stage,
      workflow_id: body.workflow_id,
      status: 'queued',
      message: `Stage ${stage} execution job has been queued`,
      urls: { status: `${base}/status`, events: `${base}/events?ticket=${ticket}`, cancel: `${base}/cancel` },
    }
  }
}

type Compiler = FastifySchemaCompiler<object>
/** What a compiler makes; Ajv leaves its errors at the function. */
type Validate = ((value: unknown) => boolean) & { errors?: unknown[] | null }

/** Checks a body by the envelope, and its inputs by the catalogue: all faults are told at once. */
function withInputs(compile: Compiler, catalogue: Catalogue, stage: CatalogueStage): Compiler {
  return (part) => {
    if (part.httpPart !== 'body') return compile(part)
    const envelope = compile({ ...part, schema: executeEnvelope(stage) }) as Validate
    const check: Validate = (body) => {
      const faults = envelope(body) ? [] : [...(envelope.errors ?? [])]
      const { inputs } = Object(body)
      if (typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs))
        for (const fault of catalogue.inputFaults(stage.stage, inputs))
          faults.push({ ...fault, instancePath: `/inputs${fault.instancePath}` })
      check.errors = faults
      return faults.length === 0
    }
    return check as ReturnType<Compiler>
  }
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
      return new ProblemError('TOO_MANY_JOBS', 'Wait until one of your queued jobs starts, or cancel one', {
        retryAfter: FULL_RETRY_SECONDS,
      })
    case 'unavailable':
      return unavailable(outcome.jobId ? { job_id: outcome.jobId } : {})
  }
}

function schemaOf(stage: CatalogueStage) {
  return {
    operationId: `executeStage${stage.stage}`,
    summary: `Queue stage ${stage.stage}: ${stage.title.toLowerCase()}`,
    description: '202 is a promise: the job is in Redis. 503 with a job_id: it may be.',
    tags: ['stages'],
    security: BEARER,
    headers: IdempotencyHeaders,
    body: executeBody(stage),
    response: {
      202: answer('The job is queued', Accepted, 'location', 'retry-after', 'idempotent-replayed'),
      ...problems(401, 410, 422, 429, 503, ...BODY_PROBLEMS),
    },
  }
}

export default fp(routes, {
  name: 'execute',
  encapsulate: true,
  dependencies: ['catalogue', 'tracing', 'queue', 'tickets', 'limits'],
})

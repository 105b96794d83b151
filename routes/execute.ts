/** POST /api/workflow/stages/{stage}/execute: one route per stage, each with its own body schema. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify'
import fp from 'fastify-plugin'
import {
  type Catalogue,
  type CatalogueStage,
  type ExecuteBody,
  executeBody,
  executeEnvelope,
} from '../contract/catalogue.ts'
import { NO_SUCH_STAGE, ProblemError } from '../contract/errors.ts'
import { BEARER, BODY_PROBLEMS, problems } from './responses.ts'
import { SUBMITTED, SubmitHeaders, submit } from './submit.ts'

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
  // Any other stage number: check the caller as usual, then answer 404.
  app.post(
    '/api/workflow/stages/:stage/execute',
    { schema: { hide: true }, onRequest: [app.stagecast.authenticate, app.stagecast.throttle] },
    async () => {
      throw new ProblemError('STAGE_NOT_FOUND', NO_SUCH_STAGE)
    },
  )

  function execute(stage: number, request: FastifyRequest, reply: FastifyReply) {
    const asked = request.body as ExecuteBody
    const body = { ...asked, workflow_id: asked.workflow_id.toLowerCase() }
    const idempotencyKey = request.headers['idempotency-key'] as string | undefined
    return submit(app, request, reply, {
      stage,
      body,
      idempotencyKey,
      userId: request.stagecast.user.id,
    })
  }
}

type Compiler = FastifySchemaCompiler<object>
/** A compiled validator; Ajv stores its errors on the function. */
type Validate = ((value: unknown) => boolean) & { errors?: unknown[] | null }

/** Validates a body with the envelope schema and its inputs with the catalogue; reports all faults together. */
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

function schemaOf(stage: CatalogueStage) {
  return {
    operationId: `executeStage${stage.stage}`,
    summary: `Queue stage ${stage.stage}: ${stage.title.toLowerCase()}`,
    description:
      '202 means that the job is in Redis. A 503 with a job_id means that it may be. With `Prefer: wait=<seconds>`, the response is the state of the job if it ends in time.',
    tags: ['stages'],
    security: BEARER,
    headers: SubmitHeaders,
    body: executeBody(stage),
    response: {
      ...SUBMITTED,
      ...problems(401, 410, 422, 429, 503, ...BODY_PROBLEMS),
    },
  }
}

export default fp(routes, {
  name: 'execute',
  encapsulate: true,
  dependencies: ['catalogue', 'tracing', 'queue', 'tickets', 'limits', 'progress', 'long-poll'],
})

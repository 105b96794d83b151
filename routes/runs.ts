/** Plans, starts, shows and cancels workflow runs. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify'
import fp from 'fastify-plugin'
import { NO_SUCH_RUN, ProblemError, unavailable } from '../contract/errors.ts'
import { POSITION_PATTERN } from '../contract/events.ts'
import { Uuid } from '../contract/job.ts'
import { PlanStep, Run, RunBody, RunStatus, RunStep } from '../contract/run.ts'
import { isFinished } from '../runs/document.ts'
import { requestFaults } from '../runs/request.ts'
import {
  answer,
  BEARER,
  BODY_PROBLEMS,
  headers,
  problems,
  Wait,
  WORKFLOW_PROBLEMS,
  WorkflowParams,
} from './responses.ts'
import { matches } from './status.ts'
import { SubmitHeaders, tooManyJobs } from './submit.ts'

const Accepted = Type.Object(
  {
    success: Type.Literal(true),
    run_id: Uuid,
    workflow_id: Uuid,
    name: Type.Union([Type.String(), Type.Null()]),
    status: RunStatus,
    steps: Type.Array(RunStep),
    urls: Type.Object({
      status: Type.String(),
      events: Type.String({ description: 'includes a ticket and starts at the beginning of the run' }),
      cancel: Type.String(),
    }),
  },
  { title: 'RunAccepted' },
)

const Plan = Type.Object(
  {
    success: Type.Literal(true),
    workflow_id: Uuid,
    name: Type.Union([Type.String(), Type.Null()]),
    steps: Type.Array(PlanStep),
  },
  { title: 'RunPlan' },
)

const RunParams = Type.Object({ workflow_id: Uuid, run_id: Uuid })

const common = { tags: ['runs'], security: BEARER }

const startSchema = {
  ...common,
  operationId: 'startRun',
  summary: 'Take a workflow through several stages',
  description: 'With `plan=true` nothing is queued, and the response says what each step would do, and why.',
  params: WorkflowParams,
  headers: Type.Pick(SubmitHeaders, ['idempotency-key']),
  querystring: Type.Object({ plan: Type.Optional(Type.Boolean()) }),
  body: RunBody,
  response: {
    200: answer('The plan', Plan),
    202: answer('The run is stored', Accepted, 'location', 'retry-after', 'idempotent-replayed'),
    ...problems(409, 422, ...BODY_PROBLEMS, ...WORKFLOW_PROBLEMS),
  },
}

const getSchema = {
  ...common,
  operationId: 'getRun',
  summary: 'Get the state of a run',
  description: 'With `after` and `wait` it answers as soon as something is newer than `after`.',
  params: RunParams,
  querystring: Type.Object({
    after: Type.Optional(Type.String({ pattern: POSITION_PATTERN, description: 'a cursor' })),
    wait: Wait,
  }),
  headers: Type.Object({ 'if-none-match': Type.Optional(Type.String()) }),
  response: {
    200: answer('The state', Run, 'etag', 'retry-after'),
    304: Type.Null({ description: 'Nothing is newer', headers: headers('etag', 'retry-after') }),
    ...problems(400, ...WORKFLOW_PROBLEMS),
  },
}

const cancelSchema = {
  ...common,
  operationId: 'cancelRun',
  summary: 'Cancel a run',
  params: RunParams,
  response: {
    200: answer('The run is cancelled', Run),
    202: answer('Running steps are being cancelled', Run),
    ...problems(409, ...BODY_PROBLEMS, ...WORKFLOW_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { stagecast } = app
  const guards = [stagecast.authenticate, stagecast.throttle]

  app.route({
    method: 'POST',
    url: '/api/workflow/workflows/:workflow_id/runs',
    schema: startSchema,
    validatorCompiler: withMeaning(app.validatorCompiler as Compiler, (body) =>
      requestFaults(body, stagecast.catalogue),
    ),
    onRequest: guards,
    handler: (request, reply) =>
      start(request as unknown as StartRequest, reply as unknown as FastifyReply) as never,
  })

  app.route({
    method: 'GET',
    url: '/api/workflow/workflows/:workflow_id/runs/:run_id',
    schema: getSchema,
    onRequest: guards,
    async handler(request, reply) {
      const { after, wait } = request.query
      const waitMs = stagecast.longPollMs(wait)
      let run = await shown(request)
      if (waitMs > 0 && after !== undefined && run.cursor <= after && !isFinished(run)) {
        const { document } = await stagecast.runAccess.find(request, request.params, 'read')
        await stagecast.workflows.news(stagecast.runAccess.feedOf(document), after, waitMs, request.signal)
        run = await shown(request)
      }
      const etag = `"${run.cursor}"`
      reply.headers({ etag, 'cache-control': 'private, no-cache' })
      if (!isFinished(run)) reply.header('retry-after', 1)
      if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send(null)
      return reply.send(run)
    },
  })

  app.route({
    method: 'POST',
    url: '/api/workflow/workflows/:workflow_id/runs/:run_id/cancel',
    schema: cancelSchema,
    onRequest: guards,
    async handler(request, reply) {
      const { document } = await stagecast.runAccess.find(request, request.params, 'cancel')
      const outcome = await stagecast.runs.cancel(document)
      const run = await shown(request)
      if (!outcome && run.status !== 'cancelled')
        throw new ProblemError(
          'RUN_FINISHED',
          `The run has already ${wordFor(run.status)}; nothing was changed`,
        )
      return reply.code(isFinished(run) ? 200 : 202).send(run)
    },
  })

  async function shown(
    request: FastifyRequest<{ Params: { workflow_id: string; run_id: string } }> | ShownRequest,
  ): Promise<Run> {
    const stored = await stagecast.runAccess.find(request, request.params, 'read')
    const run = await stagecast.runs.show(stored)
    if (!run) throw new ProblemError('RUN_NOT_FOUND', NO_SUCH_RUN)
    return run
  }

  async function start(request: StartRequest, reply: FastifyReply): Promise<unknown> {
    const { user } = request.stagecast
    const { body } = request
    const workflowId = request.params.workflow_id
    const asked = { userId: user.id, workflowId, body }
    if (request.query.plan) {
      const plan = await stagecast.runs.plan(asked)
      if ('missing' in plan) throw needs(plan.missing)
      reply.header('cache-control', 'private, no-cache')
      return reply.send({
        success: true,
        workflow_id: workflowId,
        name: body.name ?? null,
        steps: plan.steps,
      })
    }
    const idempotencyKey = request.headers['idempotency-key']
    const outcome = await stagecast.runs.start({ ...asked, idempotencyKey })
    if (outcome.kind === 'missing') throw needs(outcome.missing)
    if (outcome.kind === 'full') throw tooManyJobs()
    if (outcome.kind === 'active')
      throw new ProblemError('RUN_ACTIVE', 'Wait for the current run to end, or cancel it')
    if (outcome.kind === 'mismatch')
      throw new ProblemError('IDEMPOTENCY_KEY_REUSED', 'The key was used with another body; use a new key')
    const [run] = await stagecast.runs.showAll([outcome.run])
    const { ticket } = await stagecast.tickets.issueWorkflow(user.id, workflowId)
    if (!run) throw unavailable()
    const { run_id, name, status, steps } = run
    const base = `${stagecast.base(request)}/api/workflow/workflows/${workflowId}`
    const url = `${base}/runs/${run_id}`
    const after = outcome.run.origin && `&after=${outcome.run.origin}`
    reply.headers({ location: url, 'retry-after': 1 })
    if (outcome.kind === 'replayed') reply.header('idempotent-replayed', 'true')
    return reply.code(202).send({
      success: true,
      run_id,
      workflow_id: workflowId,
      name,
      status,
      steps,
      urls: { status: url, events: `${base}/events?ticket=${ticket}${after}`, cancel: `${url}/cancel` },
    })
  }
}

interface ShownRequest extends Pick<FastifyRequest, 'stagecast' | 'log'> {
  params: { workflow_id: string; run_id: string }
}

type StartRequest = FastifyRequest & {
  params: { workflow_id: string }
  query: { plan?: boolean }
  headers: { 'idempotency-key'?: string }
  body: RunBody
}

function wordFor(status: string): string {
  return ['completed', 'failed'].includes(status) ? status : `been ${status}`
}

function needs(missing: readonly { stage: number; needs: number }[]): ProblemError {
  const lines = missing.map(({ stage, needs }) => `stage ${stage} needs stage ${needs}`)
  const errors = missing.map(({ stage, needs }) => ({
    path: 'body/stages',
    message: `stage ${stage} needs stage ${needs}, which is neither requested nor completed in this workflow`,
  }))
  return new ProblemError('STAGE_NEEDS', `Request the needed stages too: ${lines.join(', ')}`, { errors })
}

type Compiler = FastifySchemaCompiler<object>
type Validate = ((value: unknown) => boolean) & { errors?: unknown[] | null }

/** Checks a body against its schema, then against rules that a schema cannot express. */
function withMeaning(
  compile: Compiler,
  faultsOf: (body: RunBody) => { path: string; message: string }[],
): Compiler {
  return (part) => {
    const check = compile(part) as Validate
    if (part.httpPart !== 'body') return check as ReturnType<Compiler>
    const whole: Validate = (body) => {
      if (!check(body)) {
        whole.errors = check.errors ?? null
        return false
      }
      const faults = faultsOf(body as RunBody)
      whole.errors = faults.map(({ path, message }) => ({
        instancePath: path,
        message,
        keyword: 'rule',
        schemaPath: '',
        params: {},
      }))
      return faults.length === 0
    }
    return whole as ReturnType<Compiler>
  }
}

export default fp(routes, {
  name: 'run-routes',
  encapsulate: true,
  dependencies: ['runs', 'run-access', 'tickets', 'limits', 'long-poll'],
})

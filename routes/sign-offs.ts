/** Sign-offs: lists the steps that wait for the caller, and takes a decision. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { NO_SUCH_RUN, ProblemError } from '../contract/errors.ts'
import { StageNumber, Uuid } from '../contract/job.ts'
import { Run, SignOffBody, WaitingSignOff } from '../contract/run.ts'
import type { DecideOutcome } from '../runs/acts.ts'
import { answer, BEARER, BODY_PROBLEMS, problems, WORKFLOW_PROBLEMS } from './responses.ts'

const common = { tags: ['runs'], security: BEARER }

/** A position in the list: when the step began to wait, its run and its stage. */
const AFTER_PATTERN = '^\\d{1,16}\\.[0-9a-f-]{36}\\.\\d{1,3}$'

const Page = Type.Object(
  {
    sign_offs: Type.Array(WaitingSignOff),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'opaque: `after` of the next page, null on the last one',
    }),
  },
  { title: 'SignOffPage' },
)

const listSchema = {
  ...common,
  operationId: 'listSignOffs',
  summary: 'List the steps that wait for your sign-off',
  description: 'Longest wait first. Empty for a caller who may not sign off.',
  querystring: Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 25 })),
    after: Type.Optional(Type.String({ pattern: AFTER_PATTERN, description: '`next` of the previous page' })),
  }),
  response: { 200: Page, ...problems(400, 401, 429, 503) },
}

const signSchema = {
  ...common,
  operationId: 'signOff',
  summary: 'Decide at a gate',
  description:
    "`digest` is the step's: it ties the decision to the result that was shown. Repeating a decision returns 200. A rejection needs a reason.",
  params: Type.Object({ workflow_id: Uuid, run_id: Uuid, stage: StageNumber }),
  body: SignOffBody,
  response: { 200: answer('The run', Run), ...problems(403, 409, ...BODY_PROBLEMS, ...WORKFLOW_PROBLEMS) },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { stagecast } = app

  app.route({
    method: 'GET',
    url: '/api/workflow/sign-offs',
    schema: listSchema,
    onRequest: [stagecast.authenticate, stagecast.throttle],
    async handler(request, reply) {
      const { limit = 25, after } = request.query
      reply.header('cache-control', 'private, no-cache')
      const key = stagecast.runAccess.waitingFor(request.stagecast.user)
      if (!key) return { sign_offs: [], next: null }
      const { redis, fromRedis, runs } = stagecast
      const [since = '-inf', run, stage] = after?.split('.') ?? []
      const read = (from: string, offset: number) =>
        fromRedis(redis.zrangebyscore(key, from, '+inf', 'WITHSCORES', 'LIMIT', offset, limit))
      // Several steps may have begun to wait at the same time: skip those up to the last one of the previous page.
      const told = after ? await fromRedis(redis.zrangebyscore(key, since, since)) : []
      const offset = told.filter((member) => member <= `${run} ${stage}`).length
      const listed = await read(since, offset)
      const waits = listed.flatMap((member, i) =>
        i % 2 === 0 ? [{ member, score: String(listed[i + 1]) }] : [],
      )
      const stored = await fromRedis(runs.store.runs(waits.map(({ member }) => member.split(' ')[0] ?? '')))
      const sign_offs = waits.flatMap(({ member }, i) => {
        const document = stored[i]?.document
        const step = document?.steps.find((one) => String(one.stage) === member.split(' ')[1])
        if (!document || !step?.sign_off || !step.job_id || step.status !== 'awaiting_sign_off') return []
        const { run_id, workflow_id, name } = document
        const { digest, since } = step.sign_off
        return [{ run_id, workflow_id, name, stage: step.stage, job_id: step.job_id, digest, since }]
      })
      const last = waits.length === limit ? waits.at(-1) : undefined
      return { sign_offs, next: last ? `${last.score}.${last.member.replace(' ', '.')}` : null }
    },
  })

  app.route({
    method: 'POST',
    url: '/api/workflow/workflows/:workflow_id/runs/:run_id/steps/:stage/sign-off',
    schema: signSchema,
    onRequest: [stagecast.authenticate, stagecast.throttle],
    async handler(request, reply) {
      const { user } = request.stagecast
      const { stage } = request.params
      const { verdict, digest, reason = null } = request.body
      const { document } = await stagecast.runAccess.find(request, request.params, 'read')
      if (!stagecast.runAccess.maySign(user, document))
        throw new ProblemError('FORBIDDEN', 'This token may not sign off')
      if (verdict === 'rejected' && reason === null)
        throw new ProblemError('VALIDATION_FAILED', 'A rejection needs a reason', {
          errors: [{ path: 'body/reason', message: 'is required for a rejection' }],
        })
      const signOff = { verdict, digest, reason, by: user.id, at: Date.now() }
      const outcome = await stagecast.runs.decide(document, stage, signOff)
      if (outcome !== 'decided' && outcome !== 'same') throw refusal(outcome)
      const run = await stagecast.runs.show({ document, origin: '', cursor: '' })
      if (!run) throw new ProblemError('RUN_NOT_FOUND', NO_SUCH_RUN)
      return reply.send(run)
    },
  })
}

function refusal(outcome: Exclude<DecideOutcome['kind'], 'decided' | 'same'> | null): ProblemError {
  switch (outcome) {
    case 'content-changed':
      return new ProblemError('CONTENT_CHANGED', 'Read the run again and decide on its new result')
    case 'decided-otherwise':
      return new ProblemError(
        'DECIDED',
        'Someone has already decided the opposite; run the stage again to decide again',
      )
    case 'not-waiting':
      return new ProblemError(
        'NOT_WAITING',
        'This step does not wait for a decision; GET the run to see its state',
      )
    default:
      return new ProblemError('RUN_NOT_FOUND', NO_SUCH_RUN)
  }
}

export default fp(routes, {
  name: 'sign-offs',
  encapsulate: true,
  dependencies: ['runs', 'run-access', 'limits'],
})

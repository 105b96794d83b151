/** GET .../workflows/{workflow_id}/events: the events of all jobs of a workflow, over one connection. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { NO_SUCH_WORKFLOW, ProblemError } from '../contract/errors.ts'
import { POSITION_PATTERN } from '../contract/events.ts'
import { Hint, JobSnapshot } from '../contract/job.ts'
import { JobEventData, WorkflowEvent, WorkflowGone } from '../contract/job-event.ts'
import { RunEventData, SignOffEventData } from '../contract/run.ts'
import { workflowName } from '../journal/order.ts'
import type { WorkflowPage } from '../plugins/workflows.ts'
import { problems, Wait, WORKFLOW_PROBLEMS, WorkflowParams } from './responses.ts'
import {
  asItIs,
  cursorOf,
  formOf,
  handleStreamError,
  openStream,
  pageWithNews,
  ticketOrToken,
} from './streaming.ts'

const Position = Type.String({ pattern: POSITION_PATTERN })

const Gap = Type.Object({ jobs: Type.Array(JobSnapshot) }, { title: 'WorkflowGap' })

const Page = Type.Object(
  {
    events: Type.Array(WorkflowEvent),
    cursor: Type.Union([Position, Type.Literal('')]),
    more: Type.Boolean({
      description: 'true: more events follow; request the next page after `cursor` at once',
    }),
    gap: Type.Optional(Gap),
  },
  {
    title: 'WorkflowEventPage',
    description:
      '`gap`: events after `after` are no longer stored; these are the current states of the jobs instead',
  },
)

/** `data` of the events in the stream. */
const StreamData = Type.Union([JobEventData, RunEventData, SignOffEventData, Gap, WorkflowGone, Hint], {
  title: 'WorkflowStreamData',
  description:
    'depends on the `event` field of the frame; `run`, `sign_off`, `gap`, `gone` and `hint` have their own data',
})

const After = Type.Optional(
  Type.String({ pattern: POSITION_PATTERN, description: 'the id of an event of this workflow' }),
)
const TicketText = Type.Optional(Type.String())

const common = { tags: ['workflows'], security: [{ bearer: [] }, { ticket: [] }], params: WorkflowParams }

const streamSchema = {
  ...common,
  operationId: 'getWorkflowEvents',
  summary: 'Watch all jobs of a workflow',
  description:
    'The events of all your jobs of a workflow as Server-Sent Events, in one order that is the same for every client. Send `Last-Event-ID`, `lastEventId` or `after` to resume after that event. The stream does not end with a job, because more stages may follow; the server closes it with `event: reconnect`. A client that prefers `application/json` gets the response of `…/events/page`.',
  querystring: Type.Object({
    after: After,
    lastEventId: Type.Optional(
      Type.String({
        pattern: POSITION_PATTERN,
        description: 'the same as `after`; sent by EventSource polyfills',
      }),
    ),
    ticket: TicketText,
    wait: Wait,
  }),
  headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
  response: {
    200: { description: 'The events', content: { 'text/event-stream': { schema: StreamData } } },
    ...problems(400, 406, ...WORKFLOW_PROBLEMS),
  },
}

const pageSchema = {
  ...common,
  operationId: 'getWorkflowEventsPage',
  summary: 'Read the events of a workflow',
  description:
    'The events after `after` as JSON. If there are none, the server waits up to `wait` seconds for one.',
  querystring: Type.Object({ after: After, ticket: TicketText, wait: Wait }),
  response: {
    200: { description: 'The events', content: { 'application/json': { schema: Page } } },
    ...problems(400, ...WORKFLOW_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const url = '/api/workflow/workflows/:workflow_id/events'
  const authenticate = ticketOrToken(app, async (ticket, params) => {
    const { workflow_id } = params as { workflow_id: string }
    const { userId, until } = await app.stagecast.tickets.checkWorkflow(ticket, workflow_id)
    return { id: `ticket:${workflowName(userId, workflow_id)}`, until, owner: userId }
  })

  app.route({
    method: 'GET',
    url,
    // A HEAD request to an endless stream would never finish.
    exposeHeadRoute: false,
    schema: streamSchema,
    serializerCompiler: asItIs,
    onRequest: [authenticate, app.stagecast.throttle],
    errorHandler: handleStreamError,
    async handler(request, reply) {
      const cursor = cursorOf(request)
      if (formOf(request, reply) === 'page')
        return reply.send((await pageFor(request, reply, cursor)) as never)
      const userId = request.stagecast.user.owner ?? request.stagecast.user.id
      const key = workflowName(userId, request.params.workflow_id)
      if (!(await app.stagecast.workflows.exists(key)))
        throw new ProblemError('WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
      return openStream(app, reply, { kind: 'workflow', key, userId, cursor })
    },
  })

  app.route({
    method: 'GET',
    url: `${url}/page`,
    exposeHeadRoute: false,
    schema: pageSchema,
    serializerCompiler: asItIs,
    onRequest: [authenticate, app.stagecast.throttle],
    handler: (request, reply) => pageFor(request, reply, request.query.after ?? ''),
  })

  async function pageFor(
    request: Pick<
      FastifyRequest<{ Params: Static<typeof WorkflowParams>; Querystring: { wait?: number } }>,
      'params' | 'query' | 'stagecast' | 'signal'
    >,
    reply: { header(name: string, value: string): unknown },
    cursor: string,
  ): Promise<WorkflowPage> {
    const key = workflowName(
      request.stagecast.user.owner ?? request.stagecast.user.id,
      request.params.workflow_id,
    )
    reply.header('cache-control', 'private, no-cache')
    const news = (ms: number) => app.stagecast.workflows.news(key, cursor, ms, request.signal)
    return pageWithNews(() => readPage(key, cursor), app.stagecast.longPollMs(request.query.wait), news)
  }

  async function readPage(key: string, cursor: string): Promise<WorkflowPage> {
    const page = await app.stagecast.workflows.page(key, cursor)
    if (!page) throw new ProblemError('WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
    return page
  }
}

export default fp(routes, {
  name: 'workflow-events',
  encapsulate: true,
  dependencies: ['streams', 'tickets', 'limits', 'long-poll'],
})

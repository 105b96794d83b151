/** GET .../workflows/{workflow_id}/events: the events of all jobs of a workflow, over one connection. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { NO_SUCH_WORKFLOW, ProblemError } from '../contract/errors.ts'
import { POSITION_PATTERN } from '../contract/events.ts'
import { Hint, JobSnapshot } from '../contract/job.ts'
import { JobEventData, WorkflowEvent, WorkflowGone } from '../contract/job-event.ts'
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
    more: Type.Boolean({ description: 'there are more events: go on behind `cursor` at once' }),
    gap: Type.Optional(Gap),
  },
  {
    title: 'WorkflowEventPage',
    description: '`gap`: events after `after` are missing; these are the states of the jobs instead',
  },
)

/** `data` of whatever comes in the stream. */
const StreamData = Type.Union([JobEventData, Gap, WorkflowGone, Hint], {
  title: 'WorkflowStreamData',
  description:
    'the type of the event (its `event` field, no part of the data) tells which: `gap`, `gone` and `hint` have data of their own',
})

const schema = {
  operationId: 'getWorkflowEvents',
  summary: 'Watch all jobs of a workflow',
  description:
    'The events of all your jobs of a workflow in one order, the same for everybody who watches. Server-Sent Events unless only JSON is accepted. `Last-Event-ID` or `after` resumes behind that event; a JSON page without news is held back for `wait` seconds. The stream does not end with a job: more stages may follow.',
  tags: ['workflows'],
  security: [{ bearer: [] }, { ticket: [] }],
  params: WorkflowParams,
  querystring: Type.Object({
    after: Type.Optional(
      Type.String({ pattern: POSITION_PATTERN, description: 'the id of an event of this workflow' }),
    ),
    lastEventId: Type.Optional(
      Type.String({
        pattern: POSITION_PATTERN,
        description: 'the same, as polyfills of EventSource send it',
      }),
    ),
    ticket: Type.Optional(Type.String()),
    wait: Wait,
  }),
  headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
  response: {
    200: {
      description: 'The events',
      content: {
        'text/event-stream': { schema: StreamData },
        'application/json': { schema: Page },
      },
    },
    ...problems(400, 406, ...WORKFLOW_PROBLEMS),
  },
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const authenticate = ticketOrToken(app, async (ticket, params) => {
    const { workflow_id } = params as { workflow_id: string }
    const { userId, until } = await app.stagecast.tickets.checkWorkflow(ticket, workflow_id)
    return { id: `ticket:${workflowName(userId, workflow_id)}`, until, owner: userId }
  })

  app.route({
    method: 'GET',
    url: '/api/workflow/workflows/:workflow_id/events',
    // A HEAD of an endless answer would never end.
    exposeHeadRoute: false,
    schema,
    serializerCompiler: asItIs,
    onRequest: [authenticate, app.stagecast.throttle],
    errorHandler: handleStreamError,
    async handler(request, reply) {
      const userId = request.stagecast.user.owner ?? request.stagecast.user.id
      const key = workflowName(userId, request.params.workflow_id)
      const cursor = cursorOf(request)
      if (formOf(request, reply) === 'page') {
        reply.header('cache-control', 'private, no-cache')
        const news = (ms: number) => app.stagecast.workflows.news(key, cursor, ms, request.signal)
        return reply.send(await pageWithNews(() => readPage(key, cursor), request.query.wait ?? 0, news))
      }
      if (!(await app.stagecast.workflows.exists(key)))
        throw new ProblemError('WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
      return openStream(app, reply, { kind: 'workflow', key, userId, cursor })
    },
  })

  async function readPage(key: string, cursor: string): Promise<WorkflowPage> {
    const page = await app.stagecast.workflows.page(key, cursor)
    if (!page) throw new ProblemError('WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
    return page
  }
}

export default fp(routes, {
  name: 'workflow-events',
  encapsulate: true,
  dependencies: ['streams', 'tickets', 'limits'],
})

/** GET .../workflows/{workflow_id}/events: the events of all jobs of a workflow, over one connection. */
import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { NO_SUCH_WORKFLOW, ProblemError } from '../contract/errors.ts'
import { POSITION_PATTERN } from '../contract/events.ts'
import { Hint, JobSnapshot } from '../contract/job.ts'
import { JobEventData, WorkflowEvent, WorkflowGone } from '../contract/job-event.ts'
import { RunEventData, SignOffEventData } from '../contract/run.ts'
import { workflowName } from '../journal/order.ts'
import type { WorkflowPage } from '../plugins/workflows.ts'
import { type EventRequest, registerEventLog } from './event-log.ts'
import { Owner, WORKFLOW_PROBLEMS, WorkflowParams } from './responses.ts'
import { openStream } from './streaming.ts'

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

const routes: FastifyPluginAsync = async (app) => {
  const { access } = app.stagecast
  registerEventLog(app, {
    url: '/api/workflow/workflows/:workflow_id/events',
    tag: 'workflows',
    params: WorkflowParams,
    query: { owner: Owner },
    problems: [403, ...WORKFLOW_PROBLEMS],
    id: { pattern: POSITION_PATTERN, of: 'workflow' },
    stream: {
      operationId: 'getWorkflowEvents',
      summary: 'Watch all jobs of a workflow',
      description:
        'The events of all your jobs of a workflow as Server-Sent Events, in one order that is the same for every client. Send `Last-Event-ID`, `lastEventId` or `after` to resume after that event. The stream does not end with a job, because more stages may follow; the server closes it with `event: reconnect`. A client that prefers `application/json` gets the response of `…/events/page`.',
      answer: StreamData,
      async open(request, reply, cursor) {
        const { userId, key } = workflowOf(request)
        if (!(await app.stagecast.workflows.exists(key)))
          throw new ProblemError('WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
        return openStream(app, reply, { kind: 'workflow', key, userId, cursor })
      },
    },
    page: {
      operationId: 'getWorkflowEventsPage',
      summary: 'Read the events of a workflow',
      description:
        'The events after `after` as JSON. If there are none, the server waits up to `wait` seconds for one.',
      answer: Page,
      async open(request, cursor) {
        const { key } = workflowOf(request)
        return {
          read: () => readPage(key, cursor),
          news: (ms) => app.stagecast.workflows.news(key, cursor, ms, request.signal),
        }
      },
    },
    async callerOf(ticket, { workflow_id }) {
      const { userId, until } = await app.stagecast.tickets.checkWorkflow(ticket, workflow_id)
      return { id: `ticket:${workflowName(userId, workflow_id)}`, until, owner: userId }
    },
  })

  /** The workflow of the request, and its owner. */
  function workflowOf(request: EventRequest<typeof WorkflowParams>) {
    const { workflow_id: workflowId } = request.params
    const { owner } = request.query as { owner?: string }
    const userId = access.owner(request, owner)
    access.log(request, 'read', userId, { workflowId })
    return { userId, key: workflowName(userId, workflowId) }
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
  dependencies: ['access', 'streams', 'tickets', 'limits', 'long-poll'],
})

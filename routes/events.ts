/** GET .../events: the events of a job, live as Server-Sent Events or as one JSON page. */
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../contract/errors.ts'
import { EVENT_ID_PATTERN, isTerminal } from '../contract/events.ts'
import { Hint, JobSnapshot } from '../contract/job.ts'
import { JobEvent, JobEventData, JobGone } from '../contract/job-event.ts'
import { cursorBehindGap, isReplayable } from '../journal/snapshot.ts'
import { registerEventLog } from './event-log.ts'
import { JOB_PROBLEMS, JobParams } from './responses.ts'
import { openStream } from './streaming.ts'

const Page = Type.Object(
  {
    events: Type.Array(JobEvent),
    cursor: Type.String({ pattern: EVENT_ID_PATTERN }),
    finished: Type.Boolean({ description: 'true: the job has ended and no events follow' }),
    gap: Type.Optional(JobSnapshot),
  },
  {
    title: 'EventPage',
    description: '`gap`: events after `after` are no longer stored; this is the current state instead',
  },
)

/** `data` of the events in the stream. */
const StreamData = Type.Union([JobEventData, JobSnapshot, JobGone, Hint], {
  title: 'JobStreamData',
  description: 'depends on the `event` field of the frame; `gap`, `gone` and `hint` have their own data',
})

const routes: FastifyPluginAsync = async (app) => {
  registerEventLog(app, {
    url: '/api/workflow/stages/:stage/jobs/:job_id/events',
    tag: 'jobs',
    params: JobParams,
    problems: JOB_PROBLEMS,
    id: { pattern: EVENT_ID_PATTERN, of: 'job' },
    stream: {
      operationId: 'getJobEvents',
      summary: 'Watch a job',
      description:
        'Server-Sent Events. Send `Last-Event-ID`, `lastEventId` or `after` to resume after that event. The stream ends after the terminal event; reconnecting after it returns 204. A stream that the server closes earlier ends with `event: reconnect`. A client that prefers `application/json` gets the response of `…/events/page`.',
      answer: StreamData,
      finished: Type.Null({ description: 'The client has the terminal event: stop reconnecting' }),
      async open(request, reply, cursor) {
        const { job_id } = request.params
        // One read serves all clients that watch the job in this process. The stream opens in the same turn of the event
        // loop, so it starts with what was read.
        const feed = await app.stagecast.progress.load(job_id)
        const { data } = app.stagecast.access.judge(request, 'read', feed.gone ? null : feed.snapshot)
        if (feed.isOver && cursor === feed.head) return reply.code(204).send(null)
        return openStream(app, reply, { kind: 'job', key: job_id, userId: data.user_id, cursor })
      },
    },
    page: {
      operationId: 'getJobEventsPage',
      summary: 'Read the events of a job',
      description:
        'The events after `after` as JSON. If there are none, the server waits up to `wait` seconds for one.',
      answer: Page,
      async open(request, cursor) {
        const { job_id } = request.params
        await app.stagecast.access.job(request, 'read')
        return {
          read: () => readPage(job_id, cursor),
          news: (ms) => app.stagecast.progress.news(job_id, cursor, ms, request.signal),
        }
      },
    },
    async callerOf(ticket, { job_id }) {
      const until = await app.stagecast.tickets.check(ticket, job_id)
      return { id: `ticket:${job_id.toLowerCase()}`, until, byTicket: true }
    },
  })

  async function readPage(jobId: string, cursor: string): Promise<Static<typeof Page>> {
    const [record] = await app.stagecast.journal.records([jobId])
    if (!record) throw new ProblemError('JOB_NOT_FOUND', 'The job was removed while it was being read')
    const { events, snapshot } = record
    if (!isReplayable(cursor, events)) {
      const behind = cursorBehindGap(snapshot, events)
      return { events: [], cursor: behind, finished: false, gap: snapshot }
    }
    return {
      events: events.filter(({ id }) => id > cursor),
      cursor: snapshot.cursor,
      finished: isTerminal(snapshot.status),
    }
  }
}

export default fp(routes, {
  name: 'events',
  encapsulate: true,
  dependencies: ['progress', 'access', 'streams', 'tickets', 'limits', 'long-poll'],
})

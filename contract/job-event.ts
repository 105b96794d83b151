/**
 * The events of a job as clients see them: one schema per type, with `event` as discriminator, so that generated code
 * knows which events carry a result and which an error.
 */
import { type Static, type TProperties, type TSchema, type TUnion, Type } from '@sinclair/typebox'
import { EVENT_ID_PATTERN, type EventType, JobError, type JobStatus, POSITION_PATTERN } from './events.ts'
import { JobResult, StageNumber, Uuid } from './job.ts'
import { RunEventData, SignOffEventData } from './run.ts'

const QueuedData = data('QueuedData', 'queued', {})
const ActiveData = data('ActiveData', 'active', {})
const RetryingData = data('RetryingData', 'retrying', { error: JobError })
const CancellingData = data('CancellingData', 'cancelling', {})
const CompletedData = data('CompletedData', 'completed', { result: JobResult })
const FailedData = data('FailedData', 'failed', { error: JobError })
const CancelledData = data('CancelledData', 'cancelled', { error: JobError })

/** `data` of one event. Two event types have the status `active`: `active` and `progress`. */
export const JobEventData = Type.Union(
  [QueuedData, ActiveData, RetryingData, CancellingData, CompletedData, FailedData, CancelledData],
  {
    title: 'JobEventData',
    description: '`completed` has `result`; `failed`, `retrying` and `cancelled` have `error`',
    discriminator: {
      propertyName: 'status',
      mapping: {
        queued: '#/components/schemas/QueuedData',
        active: '#/components/schemas/ActiveData',
        retrying: '#/components/schemas/RetryingData',
        cancelling: '#/components/schemas/CancellingData',
        completed: '#/components/schemas/CompletedData',
        failed: '#/components/schemas/FailedData',
        cancelled: '#/components/schemas/CancelledData',
      },
    },
    examples: [
      {
        job_id: '5bf99efd-27e7-4bfb-9c9c-8f9f2a3d3c0a',
        stage: 2,
        workflow_id: '123e4567-e89b-12d3-a456-426614174000',
        status: 'active',
        progress: 20,
        attempt: 1,
        message: 'calling the stage service',
        at: 1795475722052,
      },
    ],
  },
)
export type JobEventData = Static<typeof JobEventData>

/** One event with its id: an element of the JSON page, and the content of an SSE frame. */
export const JobEvent = eventsOf('JobEvent', 'Job', Type.String({ pattern: EVENT_ID_PATTERN }))
export type JobEvent = Static<typeof JobEvent>

/** An event with its position in its workflow. */
export const WorkflowEvent = withRuns(
  eventsOf('WorkflowEvent', 'Workflow', Type.String({ pattern: POSITION_PATTERN })),
)
export type WorkflowEvent = Static<typeof WorkflowEvent>

/** `data` of `gone`, the last event of a stream whose job disappeared. */
export const JobGone = Type.Object({ job_id: Uuid }, { title: 'JobGone' })
/** `data` of `gone` in the stream of a workflow. */
export const WorkflowGone = Type.Object({ workflow_id: Uuid }, { title: 'WorkflowGone' })

function data<S extends JobStatus, M extends TProperties>(title: string, status: S, more: M) {
  return Type.Object(
    {
      job_id: Uuid,
      stage: StageNumber,
      workflow_id: Uuid,
      run_id: Type.Optional(Type.String({ ...Uuid, description: 'the run that the job is a step of' })),
      status: Type.Literal(status),
      progress: Type.Number({ minimum: 0, maximum: 100 }),
      attempt: Type.Integer({ minimum: 0 }),
      message: Type.String(),
      at: Type.Integer({ description: 'epoch milliseconds' }),
      ...more,
    },
    { title },
  )
}

/** All event types, with ids of one kind. Schema names start with `owner`. */
function eventsOf<I extends TSchema>(title: string, owner: string, id: I) {
  const nameOf = (type: string) => `${owner}${type.charAt(0).toUpperCase()}${type.slice(1)}Event`
  const event = <E extends EventType, D extends TSchema>(type: E, payload: D) =>
    Type.Object({ id, event: Type.Literal(type), data: payload }, { title: nameOf(type) })
  const types = [
    event('queued', QueuedData),
    event('active', ActiveData),
    event('progress', ActiveData),
    event('retrying', RetryingData),
    event('cancelling', CancellingData),
    event('completed', CompletedData),
    event('failed', FailedData),
    event('cancelled', CancelledData),
  ] as const
  const names = types.map(({ properties }) => properties.event.const)
  const mapping = Object.fromEntries(names.map((type) => [type, `#/components/schemas/${nameOf(type)}`]))
  return Type.Union([...types], { title, discriminator: { propertyName: 'event', mapping } })
}

/** Adds the events of runs to the events of jobs. */
function withRuns<E extends TSchema[]>({ anyOf, title, discriminator }: TUnion<E>) {
  const id = Type.String({ pattern: POSITION_PATTERN })
  const run = Type.Object(
    { id, event: Type.Literal('run'), data: RunEventData },
    { title: 'WorkflowRunEvent' },
  )
  const signOff = Type.Object(
    { id, event: Type.Literal('sign_off'), data: SignOffEventData },
    { title: 'WorkflowSignOffEvent' },
  )
  const mapping = {
    ...discriminator.mapping,
    run: '#/components/schemas/WorkflowRunEvent',
    sign_off: '#/components/schemas/WorkflowSignOffEvent',
  }
  return Type.Union([...anyOf, run, signOff], {
    title: title ?? '',
    discriminator: { ...discriminator, mapping },
  })
}

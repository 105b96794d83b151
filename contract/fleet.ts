/** The worker processes of a queue as operators see them, and the reason why jobs wait. */
import { type Static, Type } from '@sinclair/typebox'

export const WorkerState = Type.Object({
  id: Type.String({ description: 'host, process id and a random suffix' }),
  concurrency: Type.Integer({ description: 'jobs it can run at the same time' }),
  running: Type.Integer({ description: 'jobs it is running' }),
  circuit: Type.Union([Type.Literal('closed'), Type.Literal('open'), Type.Literal('half-open')], {
    description: 'the worst state of its circuits: open, then half-open, then closed',
  }),
  circuits: Type.Array(
    Type.Object({
      stage: Type.Integer(),
      state: Type.Union([Type.Literal('open'), Type.Literal('half-open')]),
    }),
    { description: 'stages whose circuit is not closed; the worker does not call their service' },
  ),
  catalogue: Type.Union([Type.String(), Type.Null()], {
    description: 'digest of its stages; null if the worker does not report one',
  }),
  stages: Type.Optional(
    Type.Array(Type.Integer(), {
      description: 'stages it serves; absent from a worker of an earlier release',
    }),
  ),
  seen_at: Type.Integer({ description: "epoch milliseconds, by Redis's clock" }),
})
export type WorkerState = Static<typeof WorkerState>

/** As BullMQ names them. */
export const PausedQueues = Type.Array(Type.String(), {
  description: 'paused queues: `workflow-stages` holds jobs, `workflow-runs` carries workflow runs',
})

export const WaitingBecause = Type.Union([
  Type.Literal('paused'),
  Type.Literal('no-worker'),
  Type.Literal('circuit-open'),
  Type.Literal('busy'),
  Type.Null(),
])
export type WaitingBecause = Static<typeof WaitingBecause>

/** Workers whose catalogue has another digest than `catalogue`. */
export function strangersTo(catalogue: string, workers: readonly WorkerState[]): WorkerState[] {
  return workers.filter((one) => one.catalogue !== null && one.catalogue !== catalogue)
}

/** The workers that serve a stage. */
export function serving(stage: number, workers: readonly WorkerState[]): WorkerState[] {
  return workers.filter(({ stages }) => !stages || stages.includes(stage))
}

/** Whether the circuit of a stage is open in every worker. */
export function isCutOff(stage: number, workers: readonly WorkerState[]): boolean {
  const isOpen = ({ circuits }: WorkerState) =>
    circuits.some((one) => one.stage === stage && one.state === 'open')
  return workers.length > 0 && workers.every(isOpen)
}

/**
 * Why jobs wait; null if none waits, or if one is about to start. An open circuit delays jobs a few seconds at a time.
 */
export function waitingBecause(
  queue: { waiting: number; delayed: number; active: number; paused: boolean },
  workers: readonly WorkerState[],
): WaitingBecause {
  if (queue.waiting + queue.delayed === 0) return null
  if (queue.paused) return 'paused'
  if (workers.length === 0) return queue.waiting > 0 ? 'no-worker' : null
  const places = workers.reduce((sum, { concurrency }) => sum + concurrency, 0)
  if (queue.waiting > 0 && queue.active >= places) return 'busy'
  const stages = workers.flatMap(({ circuits }) => circuits.map(({ stage }) => stage))
  return queue.delayed > 0 && stages.some((stage) => isCutOff(stage, workers)) ? 'circuit-open' : null
}

/** The worker processes of a queue, as operators see them, and why jobs wait. */
import { type Static, Type } from '@sinclair/typebox'

export const WorkerState = Type.Object({
  id: Type.String({ description: 'host, process and a word of chance' }),
  concurrency: Type.Integer({ description: 'jobs it runs side by side' }),
  running: Type.Integer({ description: 'jobs it runs' }),
  circuit: Type.Union([Type.Literal('closed'), Type.Literal('open'), Type.Literal('half-open')]),
  seen_at: Type.Integer({ description: "epoch milliseconds, by Redis's clock" }),
})
export type WorkerState = Static<typeof WorkerState>

export const WaitingBecause = Type.Union([
  Type.Literal('no-worker'),
  Type.Literal('circuit-open'),
  Type.Literal('busy'),
  Type.Null(),
])
export type WaitingBecause = Static<typeof WaitingBecause>

/** Why jobs wait; null when none does, or when one is just about to be taken. */
export function waitingBecause(
  queue: { waiting: number; active: number },
  workers: readonly WorkerState[],
): WaitingBecause {
  if (queue.waiting === 0) return null
  if (workers.length === 0) return 'no-worker'
  const able = workers.filter(({ circuit }) => circuit !== 'open')
  if (able.length === 0) return 'circuit-open'
  const places = able.reduce((sum, { concurrency }) => sum + concurrency, 0)
  return queue.active >= places ? 'busy' : null
}

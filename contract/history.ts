/** The queue's recent history as the API returns it. */
import { type Static, Type } from '@sinclair/typebox'

const Known = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()])

const HistoryPoint = Type.Object({
  at: Type.Integer({ description: 'when its time began, epoch milliseconds' }),
  waiting: Known,
  active: Known,
  ended: Known,
  failed: Known,
})
/** One or more minutes, summed up; null if no API process observed them. */
export type HistoryPoint = Static<typeof HistoryPoint>

export const History = Type.Object(
  {
    at: Type.Integer({ description: 'epoch milliseconds' }),
    step_ms: Type.Integer({ description: 'time that a point covers' }),
    points: Type.Array(HistoryPoint, { description: 'oldest first; null where nothing is known' }),
  },
  { title: 'History' },
)
export type History = Static<typeof History>

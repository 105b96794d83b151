/** Where a job stands in a trace: the context of W3C Trace Context, as headers and queue carry it. */
import { type Static, Type } from '@sinclair/typebox'

export const TraceContext = Type.Object({
  traceparent: Type.String(),
  tracestate: Type.Optional(Type.String()),
})
export type TraceContext = Static<typeof TraceContext>

/** Version, trace id, span id, flags; versions behind 00 may add to it. Ids of nothing but zeros are none. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:(?<!^00.*)-[\x21-\x7e]{0,200})?$/
/** What a header may hold, and no more than others are bound to pass on. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/

/** The context that headers, or the data of a job, carry; null when there is none that can be passed on. */
export function readTraceContext(from: unknown): TraceContext | null {
  const { traceparent, tracestate } = Object(from) as Record<string, unknown>
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return null
  const state = typeof tracestate === 'string' && TRACESTATE.test(tracestate) ? { tracestate } : {}
  return { traceparent, ...state }
}

/** A span about a job in the queue, by OpenTelemetry's conventions for messaging. */
export function queueSpan(operation: 'send' | 'process', queue: string, jobId: string, stage: number) {
  return {
    name: `${operation} ${queue}`,
    kind: operation === 'send' ? ('producer' as const) : ('consumer' as const),
    attributes: {
      'messaging.system': 'bullmq',
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': queue,
      'messaging.message.id': jobId,
      'stagecast.job.id': jobId,
      'stagecast.stage': stage,
    },
  }
}

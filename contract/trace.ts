/** W3C Trace Context, as headers and job data carry it. */
import { type Static, Type } from '@sinclair/typebox'

export const TraceContext = Type.Object({
  traceparent: Type.String(),
  tracestate: Type.Optional(Type.String()),
})
export type TraceContext = Static<typeof TraceContext>

/** Version, trace id, span id, flags; versions after 00 may append fields. All-zero ids are invalid. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:(?<!^00.*)-[\x21-\x7e]{0,200})?$/
/** Printable ASCII, up to the length that every system must pass on. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/

/** Reads the context from headers or job data; null if it is missing or invalid. */
export function readTraceContext(from: unknown): TraceContext | null {
  const { traceparent, tracestate } = Object(from) as Record<string, unknown>
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return null
  const state = typeof tracestate === 'string' && TRACESTATE.test(tracestate) ? { tracestate } : {}
  return { traceparent, ...state }
}

/** A span for a queue operation, following OpenTelemetry's messaging conventions. */
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

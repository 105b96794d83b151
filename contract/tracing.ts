/**
 * Tracing of jobs, one span per step. When tracing is off, spans only pass their context on, and OpenTelemetry is not
 * loaded. Attributes contain ids and codes; never a question, a result, a token or a ticket.
 */
import type { TraceContext } from './trace.ts'

export type SpanKind = 'server' | 'producer' | 'consumer' | 'client'
export type Attributes = Record<string, string | number | undefined>

export interface SpanDescription {
  name: string
  kind: SpanKind
  attributes: Attributes
}

export interface Span {
  /** Parent context for child spans; null without a trace. */
  readonly context: TraceContext | null
  set(attributes: Attributes): void
  /** `error`: the code of the failure. Only the first call counts. */
  end(error?: string): void
}

export interface Tracing {
  /** Starts a child span of `parent`, or a new trace. Does not call `describe` when tracing is off. */
  start(describe: () => SpanDescription, parent: TraceContext | null): Span
  /** Exports the remaining spans within `withinMs` and at most one second. Never rejects. */
  close(withinMs: number): Promise<void>
}

export const NO_TRACING: Tracing = {
  start: (_describe, context) => ({ context, set() {}, end() {} }),
  close: async () => {},
}

/**
 * Traces of jobs: one span for each part of the way. Off, a span only hands on the context it was given, and nothing of
 * OpenTelemetry is loaded. Attributes carry ids and codes; never a question, an answer, a token or a ticket.
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
  /** What the next part of the way hangs on; null when there is no trace. */
  readonly context: TraceContext | null
  set(attributes: Attributes): void
  /** `error`: why it failed, a code. Only the first call counts. */
  end(error?: string): void
}

export interface Tracing {
  /** Begins a span below `parent`, or a trace of its own. Off, nobody asks what it is. */
  start(describe: () => SpanDescription, parent: TraceContext | null): Span
  /** Sends what is left. Never rejects, and takes `withinMs` at most, and never more than a second. */
  close(withinMs: number): Promise<void>
}

export const NO_TRACING: Tracing = {
  start: (_describe, context) => ({ context, set() {}, end() {} }),
  close: async () => {},
}

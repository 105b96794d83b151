/** Tracing with OpenTelemetry's SDK; loaded only if configured. The SDK reads the other OTEL_ variables itself. */
import {
  type Context,
  DiagLogLevel,
  defaultTextMapGetter,
  defaultTextMapSetter,
  diag,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, ConsoleSpanExporter } from '@opentelemetry/sdk-trace-base'
import { readTraceContext, type TraceContext } from '../contract/trace.ts'
import type { Attributes, Tracing } from '../contract/tracing.ts'
import type { TracingSettings } from './tracing-env.ts'

const KINDS = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
}
/** Maximum wait for the export of spans at exit. */
const CLOSE_WITHIN_MS = 1000

/** Calls `warn` at most once a minute if traces cannot be sent. */
export async function startTracing(
  settings: TracingSettings,
  service: { name: string; version: string },
  warn: (message: string) => void,
): Promise<Tracing> {
  diag.setLogger(complainer(warn), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  const named = resourceFromAttributes({ 'service.name': service.name, 'service.version': service.version })
  const provider = new BasicTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence.
    resource: named.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(await exporterOf(settings))],
  })
  const tracer = provider.getTracer('stagecast', service.version)
  return {
    start(describe, parent) {
      const { name, kind, attributes } = describe()
      const span = tracer.startSpan(
        name,
        { kind: KINDS[kind], attributes: known(attributes) },
        contextOf(parent),
      )
      return {
        context: carried(trace.setSpan(ROOT_CONTEXT, span)),
        set: (more) => void span.setAttributes(known(more)),
        end(error) {
          if (!span.isRecording()) return
          if (error !== undefined)
            span.setAttribute('error.type', error).setStatus({ code: SpanStatusCode.ERROR, message: error })
          span.end()
        },
      }
    },
    async close(withinMs) {
      const late = new Promise((resolve) => setTimeout(resolve, Math.min(withinMs, CLOSE_WITHIN_MS)).unref())
      await Promise.race([provider.shutdown().catch(() => {}), late])
    },
  }
}

async function exporterOf({ exporter, protocol }: TracingSettings) {
  if (exporter === 'console') return new ConsoleSpanExporter()
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto')
  return new OTLPTraceExporter()
}

const propagator = new W3CTraceContextPropagator()

function contextOf(parent: TraceContext | null): Context {
  return parent ? propagator.extract(ROOT_CONTEXT, parent, defaultTextMapGetter) : ROOT_CONTEXT
}

function carried(context: Context): TraceContext | null {
  const carrier: Record<string, string> = {}
  propagator.inject(context, carrier, defaultTextMapSetter)
  return readTraceContext(carrier)
}

function known(attributes: Attributes): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** Limits warnings: an unavailable collector fails every few seconds. */
function complainer(warn: (message: string) => void) {
  let next = 0
  const tell = (message: string) => {
    if (performance.now() < next) return
    next = performance.now() + 60_000
    warn(message)
  }
  return { error: tell, warn: tell, info() {}, debug() {}, verbose() {} }
}

/** The standard variables of OpenTelemetry that we read ourselves; its SDK reads the rest. */
export interface TracingSettings {
  exporter: 'otlp' | 'console'
  protocol: 'http/protobuf' | 'http/json'
}

/** The variables we read, then the most common others: those in .env.example and Docker Compose. */
export const TRACING_VARIABLES = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_TRACES_EXPORTER',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
  'OTEL_SDK_DISABLED',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
] as const

const EXPORTERS = ['otlp', 'console', 'none']
const PROTOCOLS = ['http/protobuf', 'http/json']

/** Null (off) unless an exporter or an endpoint is set. */
export function tracingOf(env: NodeJS.ProcessEnv): TracingSettings | null {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT
  const exporter = env.OTEL_TRACES_EXPORTER || (endpoint ? 'otlp' : 'none')
  if (exporter === 'none' || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return null
  return { exporter, protocol: protocolOf(env) } as TracingSettings
}

/** Faults; each starts with the name of its variable. */
export function* tracingFaults(env: NodeJS.ProcessEnv): Generator<string> {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return
  const exporter = env.OTEL_TRACES_EXPORTER
  if (exporter && !EXPORTERS.includes(exporter))
    yield `OTEL_TRACES_EXPORTER must be one of ${EXPORTERS.join(', ')}, got ${JSON.stringify(exporter)}`
  const wanted = tracingOf(env)
  if (wanted?.exporter === 'otlp' && !PROTOCOLS.includes(wanted.protocol))
    yield `OTEL_EXPORTER_OTLP_PROTOCOL must be one of ${PROTOCOLS.join(', ')}, got ${JSON.stringify(wanted.protocol)}`
  for (const name of ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'])
    if (env[name] && !/^https?:\/\//.test(env[name]))
      yield `${name} must be an http or https URL, e.g. http://127.0.0.1:4318`
}

function protocolOf(env: NodeJS.ProcessEnv): string {
  return env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/protobuf'
}

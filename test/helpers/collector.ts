/** A trace collector: receives JSON that OpenTelemetry's exporters send over HTTP. */
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface SeenSpan {
  service: string
  name: string
  traceId: string
  spanId: string
  parentSpanId: string
  /** The protocol's number: 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number
  attributes: Record<string, string | number>
  /** 2 = error. */
  status: number
}

export interface Collector {
  url: string
  spans: SeenSpan[]
  /** Everything received, unparsed. */
  text: string
  /** The spans of a job's trace, once there are `count` of them. */
  ofJob(jobId: string, count: number): Promise<SeenSpan[]>
}

const CONSUMER = 5

export async function startCollector(t: Test): Promise<Collector> {
  const events = new EventEmitter()
  const collector: Collector = {
    url: '',
    spans: [],
    text: '',
    async ofJob(jobId, count) {
      for (;;) {
        // Find the trace by an attempt: a request that was refused and repeated may have left another trace.
        const attempt = collector.spans.find(
          ({ kind, attributes }) => kind === CONSUMER && attributes['stagecast.job.id'] === jobId,
        )
        const spans = collector.spans.filter(({ traceId }) => traceId === attempt?.traceId)
        if (spans.length >= count) return spans
        await once(events, 'spans')
      }
    },
  }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    if (request.url !== '/v1/traces') return
    collector.text += text
    collector.spans.push(...readSpans(JSON.parse(text)))
    events.emit('spans')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return collector
}

type Attributes = { key: string; value: { stringValue?: string; intValue?: number | string } }[]
interface Export {
  resourceSpans: {
    resource: { attributes: Attributes }
    scopeSpans: {
      spans: (Omit<SeenSpan, 'attributes' | 'status'> & {
        attributes: Attributes
        status: { code?: number }
      })[]
    }[]
  }[]
}

function readSpans({ resourceSpans }: Export): SeenSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, traceId, spanId, parentSpanId = '', kind, ...span }) => ({
        ...{ name, traceId, spanId, parentSpanId, kind },
        service: String(toObject(resource.attributes)['service.name']),
        attributes: toObject(span.attributes),
        status: span.status.code ?? 0,
      })),
    ),
  )
}

function toObject(attributes: Attributes): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  )
}

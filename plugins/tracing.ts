/** Request spans for the routes that create jobs. */
import type { FastifyRequest, onRequestHookHandler, onResponseHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { readTraceContext } from '../contract/trace.ts'
import type { Span, SpanDescription, Tracing } from '../contract/tracing.ts'

declare module './core.ts' {
  interface Stagecast {
    tracing: Tracing
    /** Hooks of a traced route; they set `request.span`. */
    traced: { onRequest: onRequestHookHandler; onResponse: onResponseHookHandler }
  }
  interface StagecastRequest {
    span?: Span
  }
}

export default fp<{ tracing: Tracing }>(
  async (app, { tracing }) => {
    app.stagecast.tracing = tracing
    app.stagecast.traced = {
      onRequest(request, _reply, done) {
        request.stagecast.span = tracing.start(() => spanOf(request), readTraceContext(request.headers))
        done()
      },
      onResponse({ stagecast: { span } }, { statusCode }, done) {
        span?.set({ 'http.response.status_code': statusCode })
        span?.end(statusCode >= 500 ? String(statusCode) : undefined)
        done()
      },
    }
  },
  { name: 'tracing' },
)

/** Follows OpenTelemetry's conventions for HTTP servers. Omits the query, which may contain a ticket. */
function spanOf({ method, protocol, routeOptions: { url: route } }: FastifyRequest): SpanDescription {
  const attributes = { 'http.request.method': method, 'http.route': route, 'url.scheme': protocol }
  return { name: `${method} ${route}`, kind: 'server', attributes: { ...attributes, 'url.path': route } }
}

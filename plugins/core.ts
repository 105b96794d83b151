/**
 * The one name that Stagecast takes in an application. What a plugin offers is a member of `app.stagecast`, and what is
 * known of a request is in `request.stagecast`. A host may have its own `redis`, `queue` or `user`, and its hooks, which
 * also run for our routes, still find their own.
 */
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** Plugins add their members by `declare module './core.ts'`. */
// biome-ignore lint/suspicious/noEmptyInterface: the plugins fill it
export interface Stagecast {}

/** The same for a request. */
// biome-ignore lint/suspicious/noEmptyInterface: the plugins fill it
export interface StagecastRequest {}

declare module 'fastify' {
  interface FastifyInstance {
    stagecast: Stagecast
  }
  interface FastifyRequest {
    stagecast: StagecastRequest
  }
}

export default fp(
  async (app) => {
    app.decorate('stagecast', {} as Stagecast)
    app.decorateRequest('stagecast', null as unknown as StagecastRequest)
    // The first of our hooks: those after it write into the object.
    app.addHook('onRequest', (request, _reply, done) => {
      request.stagecast = {} as StagecastRequest
      done()
    })
    // A query may hold a ticket, and a host's logger would write it down.
    app.addHook('onRoute', (route) => {
      route.logSerializers = { ...route.logSerializers, req: withoutQuery }
    })
  },
  { name: 'core' },
)

function withoutQuery({ method, url, ip }: FastifyRequest) {
  return { method, path: url?.split('?', 1)[0], remoteAddress: ip }
}

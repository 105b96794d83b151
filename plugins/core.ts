/**
 * The only name that Stagecast adds to an application. Plugins add members to `app.stagecast`, and request state is in
 * `request.stagecast`. So a host can have its own `redis`, `queue` or `user`, and its hooks, which also run for our
 * routes, still see its own.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { userDigest } from '../journal/ids.ts'

/** Plugins add their members with `declare module './core.ts'`. */
// biome-ignore lint/suspicious/noEmptyInterface: the plugins fill it
export interface Stagecast {}

/** Plugins add the members of `request.stagecast` in the same way. */
export interface StagecastRequest {
  /** The job that the request created, for the log. */
  madeJob?: string
}

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
    // This must be our first hook, because later hooks write to `request.stagecast`.
    app.addHook('onRequest', (request, _reply, done) => {
      request.stagecast = {} as StagecastRequest
      done()
    })
    // A query may contain a ticket, which the host's logger would log.
    app.addHook('onRoute', (route) => {
      route.logSerializers = { ...route.logSerializers, req: withoutQuery, res: answered }
    })
  },
  { name: 'core' },
)

function withoutQuery({ method, url, ip }: FastifyRequest) {
  return { method, path: url?.split('?', 1)[0], remoteAddress: ip }
}

/** The log fields of an answered request. They contain the user's digest, as in the names of Redis keys. */
export function answered({ request, statusCode }: FastifyReply) {
  const { job_id: asked } = (request.params ?? {}) as { job_id?: string }
  const { user, madeJob } = request.stagecast ?? {}
  return {
    statusCode,
    method: request.method,
    route: request.routeOptions.url,
    jobId: madeJob ?? asked,
    user: user?.id ? userDigest(user.id) : undefined,
  }
}

/**
 * GET /admin/queues: Bull Board, a page that shows single jobs as the queue stores them. It is read-only, and the routes
 * that write are not registered: the state of a job is in its journal, which the queue only follows, so retrying, promoting
 * or removing a job in the queue would not change it.
 */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { unavailable } from '../../contract/errors.ts'
import type { Guarded } from '../responses.ts'

const PREFIX = '/admin/queues'
/** The page's content security policy; the API's own policy allows nothing. */
const POLICY = [
  "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'",
  "style-src 'self' 'unsafe-inline'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
].join('; ')
/** Headers of a response that are passed on. */
const PASSED = ['content-type', 'cache-control', 'etag', 'last-modified', 'location']

const routes: FastifyPluginAsync<Guarded> = async (app, { guards }) => {
  let opened: ReturnType<typeof open> | undefined
  for (const url of [PREFIX, `${PREFIX}/*`])
    app.get(url, { logLevel: 'warn', schema: { hide: true }, onRequest: guards }, show)
  app.addHook('onClose', async () => (await opened)?.close())

  async function show(request: FastifyRequest, reply: FastifyReply) {
    const { redis, queue, fromRedis, base } = app.stagecast
    reply.header('content-security-policy', POLICY)
    if (redis.status !== 'ready') throw unavailable()
    const shown = await fromRedis(queue.opened())
    opened ??= open()
    const board = await opened
    const url = request.url.slice(request.url.indexOf(PREFIX))
    const answer = await board.get(url, shown, `${base(request)}${PREFIX}`, request.headers)
    const { statusCode, headers, rawPayload } = answer
    // Bull Board's error messages would reveal internals.
    if (statusCode >= 500) throw new Error(`Bull Board answered ${statusCode}`)
    if (statusCode === 404 && !request.url.includes('/api/')) return reply.callNotFound()
    for (const name of PASSED) if (headers[name] !== undefined) reply.header(name, headers[name])
    return reply.code(statusCode).send(rawPayload)
  }
}

/** Loaded on the first request, because loading it takes a tenth of the start-up time. */
async function open() {
  const { openBullBoard } = await import('./bull-board.ts')
  return openBullBoard(PREFIX)
}

export default fp(routes, { name: 'board', encapsulate: true, dependencies: ['base', 'redis', 'queue'] })

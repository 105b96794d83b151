/**
 * GET /admin/queues: Bull Board, a page that shows single jobs as the queue stores them. It is read-only: the journal is
 * the truth about a job and the queue only follows it, so retrying, promoting or removing a job in the queue would change
 * nothing in the journal. The routes that write are not registered.
 */
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import type { Queue } from 'bullmq'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { unavailable } from '../../contract/errors.ts'
import type { Guarded } from '../responses.ts'

const PREFIX = '/admin/queues'
/** The page's content security policy; the API's own policy allows nothing. */
const POLICY = [
  "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'",
  "style-src 'self' 'unsafe-inline'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
].join('; ')

const routes: FastifyPluginAsync<Guarded> = async (app, { guards }) => {
  const serverAdapter = new ReadingAdapter()
  const uiConfig = { boardTitle: 'Stagecast', hideRedisDetails: true }
  const { replaceQueues } = createBullBoard({ queues: [], serverAdapter, options: { uiConfig } })
  let shown: Queue | undefined

  app.addHook('onRoute', (route) => {
    route.logLevel = 'warn'
  })
  for (const guard of guards) app.addHook('onRequest', guard)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('content-security-policy', POLICY)
    if (app.stagecast.redis.status !== 'ready') throw unavailable()
    const queue = await app.stagecast.fromRedis(app.stagecast.queue.opened())
    if (queue !== shown) replaceQueues([new BullMQAdapter(queue, { readOnlyMode: true })])
    shown = queue
  })
  // The page's handler reads this right after the hook, in the same event-loop turn.
  app.addHook('preHandler', (request, _reply, done) => {
    serverAdapter.setBasePath(`${app.stagecast.base(request)}${PREFIX}`)
    done()
  })
  const board = serverAdapter.registerPlugin()
  await app.register(
    (scope, _options, done) => {
      // Bull Board's error handler would reveal internals, so keep ours.
      const kept = Object.create(scope, { setErrorHandler: { value: () => scope } })
      board(kept, { prefix: PREFIX, basePath: PREFIX }, done)
    },
    { prefix: PREFIX },
  )
}

class ReadingAdapter extends FastifyAdapter {
  override setApiRoutes(routes: Parameters<FastifyAdapter['setApiRoutes']>[0]): this {
    return super.setApiRoutes(routes.filter(({ method }) => method === 'get')) as this
  }
}

export default fp(routes, { name: 'board', encapsulate: true, dependencies: ['base', 'redis', 'queue'] })

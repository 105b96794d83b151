/**
 * GET /admin/queues: Bull Board, a page that shows single jobs as the queue has them. It only shows. The journal is the
 * truth about a job, and the queue merely follows: whoever retried, promoted or removed a job there would change what
 * follows and not what is true. So the routes that write are not there at all.
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
/** What the page needs, and no more; the API's own policy allows nothing. */
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
  // Read by the page's handler, which runs right after this hook, in the same turn.
  app.addHook('preHandler', (request, _reply, done) => {
    serverAdapter.setBasePath(`${app.stagecast.base(request)}${PREFIX}`)
    done()
  })
  const board = serverAdapter.registerPlugin()
  await app.register(
    (scope, _options, done) => {
      // Its own error handler would tell what went wrong inside: that of the application stays.
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

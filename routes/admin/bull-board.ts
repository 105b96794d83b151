/** Bull Board in a separate application. No client reaches it directly; `board.ts` forwards requests to it. */
import type { IncomingHttpHeaders } from 'node:http'
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import type { Queue } from 'bullmq'
import Fastify from 'fastify'

const BASE_PATH = 'x-base-path'
/** Request headers that are passed on. */
const PASSED = ['if-none-match', 'if-modified-since'] as const

export async function openBullBoard(prefix: string) {
  const serverAdapter = new ReadingAdapter()
  const uiConfig = { boardTitle: 'Stagecast', hideRedisDetails: true }
  const { replaceQueues } = createBullBoard({ queues: [], serverAdapter, options: { uiConfig } })
  const app = Fastify()
  // The page's handler reads this right after the hook, in the same event-loop turn.
  app.addHook('preHandler', (request, _reply, done) => {
    serverAdapter.setBasePath(String(request.headers[BASE_PATH]))
    done()
  })
  await app.register(serverAdapter.registerPlugin(), { prefix })
  let shown: Queue | undefined
  return {
    close: () => app.close(),
    /** `basePath`: the prefix under which the client sees the page. */
    get(url: string, queue: Queue, basePath: string, from: IncomingHttpHeaders) {
      if (queue !== shown) replaceQueues([new BullMQAdapter(queue, { readOnlyMode: true })])
      shown = queue
      const passed = PASSED.flatMap((name) => (from[name] ? [[name, from[name]]] : []))
      return app.inject({ url, headers: { ...Object.fromEntries(passed), [BASE_PATH]: basePath } })
    },
  }
}

class ReadingAdapter extends FastifyAdapter {
  override setApiRoutes(routes: Parameters<FastifyAdapter['setApiRoutes']>[0]): this {
    return super.setApiRoutes(routes.filter(({ method }) => method === 'get')) as this
  }
}

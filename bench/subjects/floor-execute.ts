/** The floor of execute: an unauthenticated route that only adds its body to a BullMQ queue. */
import { Queue } from 'bullmq'
import Fastify from 'fastify'
import { connectRedis } from '../../journal/redis.ts'
import { createLogger } from '../../server/logger.ts'
import { answering } from './answering.ts'

const { REDIS_URL = '', REDIS_PREFIX = '', LOG_LEVEL = 'info' } = process.env
const queue = new Queue('floor', {
  connection: connectRedis(REDIS_URL, 'blocking', REDIS_PREFIX),
  prefix: REDIS_PREFIX,
})
await queue.waitUntilReady()

const app = Fastify({ loggerInstance: createLogger(LOG_LEVEL, 'floor') })
app.post('/execute', async (request, reply) => {
  const job = await queue.add('execute', request.body)
  reply.code(202)
  return { job_id: job.id }
})
answering({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })

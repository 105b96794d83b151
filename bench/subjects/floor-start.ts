/** The floor of a cold start: loads the libraries and waits for Redis. */
import { Queue } from 'bullmq'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { answering } from './answering.ts'

const { REDIS_URL = '', REDIS_PREFIX = '' } = process.env
const redis = new Redis(REDIS_URL.replace('unix://', ''), { maxRetriesPerRequest: null })
const queue = new Queue('floor', { connection: redis, prefix: REDIS_PREFIX })
await queue.waitUntilReady()

const app = Fastify({ logger: true })
app.get('/health/ready', async () => {
  await redis.ping()
  return { status: 'ready' }
})
answering({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })

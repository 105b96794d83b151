/** The floor of polling: an unauthenticated route that reads the fields of a job's hash. */
import Fastify from 'fastify'
import { journalKeys } from '../../journal/journal.ts'
import { connectRedis } from '../../journal/redis.ts'
import { JOB_FIELDS } from '../../journal/snapshot.ts'
import { createLogger } from '../../server/logger.ts'
import { answering } from './answering.ts'

const { REDIS_URL = '', REDIS_PREFIX = '', LOG_LEVEL = 'info' } = process.env
const redis = connectRedis(REDIS_URL, 'blocking', REDIS_PREFIX)
const keys = journalKeys(REDIS_PREFIX)

const app = Fastify({ loggerInstance: createLogger(LOG_LEVEL, 'floor') })
app.get('/jobs/:id', async (request) => {
  const { id } = request.params as { id: string }
  const [data, opts, timestamp, processedOn, finishedOn, last, cancel] = await redis.hmget(
    keys.job(id),
    ...JOB_FIELDS,
  )
  return { data, opts, timestamp, processedOn, finishedOn, last, cancel }
})
answering({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })

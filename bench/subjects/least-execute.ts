/**
 * The least that any execute route has to do: verify each token once, validate the body, add the job with its id, options and
 * a priority by BullMQ's public interface, and answer with URLs and a ticket. It knows no keys, no turns, no workflow and no
 * rate limit, so a route that keeps these promises is slower.
 */
import { createHmac, createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { Queue } from 'bullmq'
import Fastify from 'fastify'
import { jwtVerify } from 'jose/jwt/verify'
import { jobOptionsOf } from '../../journal/add-jobs.ts'
import { connectRedis } from '../../journal/redis.ts'
import { createLogger } from '../../server/logger.ts'
import { answering } from './answering.ts'

const { REDIS_URL = '', REDIS_PREFIX = '', LOG_LEVEL = 'info', JWT_SECRET = '' } = process.env
const queue = new Queue('least', {
  connection: connectRedis(REDIS_URL, 'blocking', REDIS_PREFIX),
  prefix: REDIS_PREFIX,
})
await queue.waitUntilReady()

const secret = createSecretKey(Buffer.from(JWT_SECRET))
const ticketKey = randomBytes(32)
const users = new Map<string, string>()
const jobOptions = jobOptionsOf({ attempts: 3, backoffMs: 5000 })

async function userOf(authorization = ''): Promise<string> {
  const known = users.get(authorization)
  if (known !== undefined) return known
  const { payload } = await jwtVerify(authorization.replace('Bearer ', ''), secret, { algorithms: ['HS256'] })
  users.set(authorization, payload.sub as string)
  return payload.sub as string
}

const Body = Type.Object(
  {
    workflow_id: Type.String({ format: 'uuid' }),
    research_question: Type.String({ minLength: 10, maxLength: 4000 }),
    inputs: Type.Optional(Type.Object({})),
  },
  { additionalProperties: false },
)

const app = Fastify({
  loggerInstance: createLogger(LOG_LEVEL, 'least'),
  ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
})
app.post('/api/workflow/stages/2/execute', { schema: { body: Body } }, async (request, reply) => {
  const user_id = await userOf(request.headers.authorization)
  const body = request.body as Static<typeof Body>
  const jobId = randomUUID()
  const timestamp = Date.now()
  const data = { stage: 2, job_id: jobId, user_id, timestamp, ...body }
  await queue.add('stage-2-execute', data, { priority: 1, jobId, timestamp, ...jobOptions })
  const url = `/api/workflow/stages/2/jobs/${jobId}`
  const ticket = createHmac('sha256', ticketKey).update(jobId).digest('base64url')
  reply.header('location', `${url}/status`)
  reply.header('retry-after', 1)
  reply.code(202)
  return {
    success: true,
    job_id: jobId,
    stage: 2,
    workflow_id: body.workflow_id,
    status: 'queued',
    message: 'Stage 2 execution job has been queued',
    urls: { status: `${url}/status`, events: `${url}/events?ticket=${ticket}`, cancel: `${url}/cancel` },
  }
})
answering({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })

/** The floor of a streaming stage: BullMQ's Worker, the same HTTP call, and an updateProgress for each line of progress. */
import { createInterface } from 'node:readline'
import { Worker } from 'bullmq'
import { Agent } from 'undici'
import { connectRedis } from '../../journal/redis.ts'
import { eventData } from '../frame.ts'
import { answering } from './answering.ts'

const { REDIS_URL = '', REDIS_PREFIX = '', WORKER_URL = '', STAGE_WORKER_CONCURRENCY = '' } = process.env
const agent = new Agent()
const worker = new Worker(
  'floor',
  async (job) => {
    const answer = await agent.request({
      origin: WORKER_URL,
      path: '/api/workflow/stages/2/execute',
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' },
      body: JSON.stringify({ ...job.data, job_id: job.id }),
    })
    for await (const line of createInterface({ input: answer.body, crlfDelay: Number.POSITIVE_INFINITY })) {
      const { type, message } = JSON.parse(line)
      if (type === 'progress') await job.updateProgress(eventData(job.id, message))
    }
  },
  {
    connection: connectRedis(REDIS_URL, 'blocking', REDIS_PREFIX),
    prefix: REDIS_PREFIX,
    concurrency: Number(STAGE_WORKER_CONCURRENCY),
  },
)
// Calls end when the benchmark stops the service.
worker.on('error', () => {})
await worker.waitUntilReady()
answering({})

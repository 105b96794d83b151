/** The floor of running jobs: BullMQ's Worker, the same HTTP call, and four updateProgress. */
import { Worker } from 'bullmq'
import { Agent } from 'undici'
import { QUEUE_NAME } from '../../journal/journal.ts'
import { connectRedis } from '../../journal/redis.ts'
import { answering } from './answering.ts'

const { REDIS_URL = '', REDIS_PREFIX = '', WORKER_URL = '', STAGE_WORKER_CONCURRENCY = '' } = process.env
const agent = new Agent()
const worker = new Worker(
  QUEUE_NAME,
  async (job) => {
    const step = (progress: number, message: string) =>
      job.updateProgress({ type: 'progress', progress, message, at: Date.now() })
    await step(10, 'a worker took the job')
    await step(20, 'calling the stage service')
    const { workflow_id, research_question, user_id, job_id, inputs } = job.data
    const answer = await agent.request({
      origin: WORKER_URL,
      path: `/api/workflow/stages/${job.data.stage}/execute`,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ workflow_id, research_question, user_id, job_id, inputs }),
    })
    const { artifacts } = (await answer.body.json()) as { artifacts: string[] }
    await step(80, 'the stage service answered')
    await step(100, 'the result is stored')
    return { artifacts: artifacts.length }
  },
  {
    connection: connectRedis(REDIS_URL, 'blocking', REDIS_PREFIX),
    prefix: REDIS_PREFIX,
    concurrency: Number(STAGE_WORKER_CONCURRENCY),
  },
)
await worker.waitUntilReady()
let completed = 0
let ended = () => {}
worker.on('completed', () => {
  completed += 1
  ended()
})
answering(
  {},
  {
    /** Resolves once that many jobs are completed. */
    async completed(count: number) {
      while (completed < count)
        await new Promise<void>((resolve) => {
          ended = resolve
        })
    },
  },
)

/** Running jobs: attempts with their journal and circuit, against a BullMQ worker that only makes the same call. */
import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { JobData } from '../contract/job.ts'
import { jobAdder } from '../journal/add-jobs.ts'
import { QUEUE_NAME } from '../journal/journal.ts'
import { openJournal } from '../journal/reader.ts'
import { connectRedis } from '../journal/redis.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import type { Child } from './child.ts'
import { redisCpu } from './http-pair.ts'
import { type Figures, interleave } from './interleave.ts'
import { against, OURS } from './rows.ts'
import { production, QUESTION } from './stagecast.ts'

const CONCURRENCY = 50
const FLOOR = 'BullMQ Worker, 4 updateProgress'

export const jobs: Benchmark = {
  name: 'jobs',
  title: `Jobs through a worker and an instant stage service, ${CONCURRENCY} at a time, 4 milestones each`,
  async run(bench) {
    const service = await bench.spawn('instant-service')
    const sides = { [OURS]: 'stagecast-worker', [FLOOR]: 'floor-worker' }
    const subjects: Record<string, () => Promise<Figures>> = {}
    for (const [name, program] of Object.entries(sides)) {
      const prefix = bench.prefix()
      const STAGE_WORKER_CONCURRENCY = String(CONCURRENCY)
      const env = production(bench, prefix, {
        WORKER_URL: service.url,
        STAGE_WORKER_CONCURRENCY,
        LOG_LEVEL: 'silent',
      })
      const fill = name === OURS ? asTheApiDoes : inBulk
      // Start a new process for each measurement, because each run optimises its code differently.
      subjects[name] = async () => {
        const worker = await bench.spawn(program, { env })
        await measure(bench, worker, prefix, fill)
        const figures = await measure(bench, worker, prefix, fill)
        await worker.stop()
        return figures
      }
    }
    const series = await interleave(bench.runs, subjects, false)
    return [
      against(series, FLOOR, 'jobs', '/s', 'perSecond', { at: 'least', value: 0.95 }),
      against(series, FLOOR, 'worker CPU per job', 'µs', 'cpu'),
      against(series, FLOOR, 'Redis CPU per job', 'µs', 'redis'),
    ]
  },
}

/** Puts jobs into a queue. */
type Fill = (queue: Queue<JobData>, jobs: JobData[], connection: Redis, prefix: string) => Promise<unknown>

const KEPT = { removeOnComplete: { count: 100 }, removeOnFail: { count: 50 } }

/** Measures from when jobs can be taken until all have ended. */
async function measure(bench: Bench, worker: Child, prefix: string, fill: Fill): Promise<Figures> {
  const connection = connectRedis(bench.redisUrl, 'blocking', prefix)
  const queue = new Queue<JobData>(QUEUE_NAME, { connection, prefix })
  await queue.waitUntilReady()
  const count = bench.size(6000, 20)
  await queue.pause()
  await fill(queue, Array.from({ length: count }, makeJob), connection, prefix)
  const [before, redisBefore] = [await worker.usage(), await redisCpu(bench)]
  const startedAt = performance.now()
  await queue.resume()
  for (;;) {
    const left = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed')
    if (Object.values(left).every((number) => number === 0)) break
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const seconds = (performance.now() - startedAt) / 1000
  const [after, redisAfter] = [await worker.usage(), await redisCpu(bench)]
  const failed = await queue.getFailedCount()
  if (failed > 0) throw new Error(`${failed} jobs failed`)
  await queue.close()
  connection.disconnect()
  return {
    perSecond: count / seconds,
    cpu: (after.cpu - before.cpu) / count,
    redis: (redisAfter - redisBefore) / count,
  }
}

/** Also places them in list and workflow, so that the worker does not have to. */
async function asTheApiDoes(queue: Queue<JobData>, jobs: JobData[], connection: Redis, prefix: string) {
  const jobOptions = { attempts: 3, ...KEPT }
  const fromRedis = <T>(command: Promise<T>) => command
  const journal = openJournal({
    redis: connection,
    prefix,
    workflowTtlSeconds: 3600,
    resultTtlSeconds: 86_400,
    fromRedis,
  })
  const add = jobAdder({ open: async () => queue, optionsOf: () => jobOptions, place: journal.placeQueued })
  const adding = jobs.map((data, i) => ({ data, priority: i + 1 }))
  while (adding.length > 0) for (const fault of await add(adding.splice(0, 50))) if (fault) throw fault
}

function inBulk(queue: Queue<JobData>, jobs: JobData[]) {
  return queue.addBulk(
    jobs.map((data) => ({
      name: 'stage-2-execute',
      data,
      opts: { jobId: data.job_id, attempts: 3, ...KEPT },
    })),
  )
}

function makeJob(): JobData {
  return {
    stage: 2,
    job_id: randomUUID(),
    workflow_id: randomUUID(),
    research_question: QUESTION,
    user_id: 'user-1',
    timestamp: Date.now(),
    inputs: { max_results: 10 },
  }
}

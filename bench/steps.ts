/**
 * The full path of a step: from the line that the stage service writes, through the worker, Redis and the API, to the
 * client's socket. The floor is BullMQ's Worker with `updateProgress`, one QueueEvents, and a `write`.
 */
import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import { connectRedis } from '../journal/redis.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import type { Child } from './child.ts'
import { redisCpu } from './http-pair.ts'
import { type Figures, interleave } from './interleave.ts'
import { drive, type Source } from './latency.ts'
import { LineService } from './line-service.ts'
import { against, alone, OURS } from './rows.ts'
import { inParallel } from './running-jobs.ts'
import { type Accepted, executeJob, production, QUESTION, spawnApi, token } from './stagecast.ts'
import { Watchers } from './watchers.ts'

const FLOOR = 'updateProgress, QueueEvents, write'
const STEPS_PER_SECOND = 1000
/** The calls and streams of both sides fit into 20,000 open files, a common limit of a process. */
const JOBS = 4900

/** The processes that a step passes through. */
interface Line extends Source {
  api: Child
  worker: Child
}

export const steps: Benchmark = {
  name: 'steps',
  title: `Through the real worker: ${JOBS} jobs and streams, ${STEPS_PER_SECOND} steps/s`,
  async run(bench) {
    const count = bench.size(JOBS, 20)
    const lines: Record<string, Line> = {
      [OURS]: await ours(bench, count),
      [FLOOR]: await floor(bench, count),
    }
    const ms = bench.size(5000, 200)
    const subjects = Object.entries(lines).map(([name, line]) => [name, () => measure(bench, line, ms)])
    const series = await interleave(bench.runs, Object.fromEntries(subjects))
    for (const { close } of Object.values(lines)) await close()
    const atMost = (value: number) => ({ at: 'most', value }) as const
    return [
      against(series, FLOOR, 'latency p50', 'ms', 'p50', atMost(1.32)),
      against(series, FLOOR, 'latency p95', 'ms', 'p95', atMost(1.99)),
      against(series, FLOOR, 'latency p99', 'ms', 'p99', atMost(1.32)),
      against(series, FLOOR, 'API CPU per step', 'µs', 'api', atMost(1.39)),
      against(series, FLOOR, 'worker CPU per step', 'µs', 'worker'),
      against(series, FLOOR, 'Redis CPU per step', 'µs', 'redis'),
      alone(series, OURS, 'steps received', '%', 'received', { at: 'least', value: 100 }),
    ]
  },
}

async function measure(bench: Bench, line: Line, ms: number): Promise<Figures> {
  const usage = async () => [
    (await line.api.usage()).cpu,
    (await line.worker.usage()).cpu,
    await redisCpu(bench),
  ]
  const before = await usage()
  const figures = await drive(line, STEPS_PER_SECOND, ms)
  const [api, worker, redis] = (await usage()).map((cpu, i) => (cpu - (before[i] ?? 0)) / figures.sent)
  return { ...figures, api, worker, redis } as Figures
}

async function ours(bench: Bench, count: number): Promise<Line> {
  const prefix = bench.prefix()
  const service = await LineService.start()
  const api = await spawnApi(bench, prefix)
  // One more than there are jobs, because one stage may not use all slots of a worker.
  const STAGE_WORKER_CONCURRENCY = String(count + 1)
  const env = production(bench, prefix, { WORKER_URL: service.url, STAGE_WORKER_CONCURRENCY })
  const worker = await bench.spawn('stagecast-worker', { env })
  const bearer = token('user-1')
  const jobs: Accepted[] = await inParallel(count, () => executeJob(api.url, bearer))
  await service.called(count)
  const watchers = new Watchers(api.port)
  await watchers.open(count, (i) => jobs[i]?.urls.events as string)
  return lineOf(service, api, worker, watchers, (i) => jobs[i]?.job_id as string)
}

async function floor(bench: Bench, count: number): Promise<Line> {
  const prefix = bench.prefix()
  const service = await LineService.start()
  const connection = connectRedis(bench.redisUrl, 'blocking', prefix)
  const queue = new Queue('floor', { connection, prefix })
  const data = { workflow_id: randomUUID(), research_question: QUESTION, user_id: 'user-1', inputs: {} }
  const jobs = await queue.addBulk(Array.from({ length: count }, () => ({ name: 'job', data })))
  await queue.close()
  connection.disconnect()
  const redis = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: prefix }
  const api = await bench.spawn('floor-events', { env: { ...redis, SOURCE: 'queue-events' } })
  const env = { ...redis, WORKER_URL: service.url, STAGE_WORKER_CONCURRENCY: String(count) }
  const worker = await bench.spawn('floor-lines', { env })
  await service.called(count)
  const watchers = new Watchers(api.port)
  await watchers.open(count, (i) => `/${jobs[i]?.id}`)
  return lineOf(service, api, worker, watchers, (i) => jobs[i]?.id as string)
}

function lineOf(
  service: LineService,
  api: Child,
  worker: Child,
  watchers: Watchers,
  jobId: (i: number) => string,
): Line {
  return {
    api,
    worker,
    watchers,
    step: async (i, message) => service.progress(jobId(i), message),
    async close() {
      watchers.close()
      // Stop the worker before the service, so that it does not retry the calls.
      await worker.stop()
      service.close()
    },
  }
}

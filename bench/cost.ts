/** The cost of one job: Redis commands, bytes in Redis during and after it, bytes sent to a watching client. */
import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { type JournalKeys, QUEUE_NAME } from '../journal/journal.ts'
import { connectRedis } from '../journal/redis.ts'
import type { Bench, Benchmark, Row } from './benchmark.ts'
import type { Child } from './child.ts'
import { type Figures, interleave } from './interleave.ts'
import { against, alone, OURS } from './rows.ts'
import { startJobs } from './running-jobs.ts'
import { executeJob, production, QUESTION, spawnApi, token } from './stagecast.ts'
import { summarise } from './statistics.ts'
import { Watchers } from './watchers.ts'

const FLOOR = 'queue.add, BullMQ Worker, 4 updateProgress'
/** More than the benchmark runs, so that none is dropped. */
const KEPT = 1_000_000

export const cost: Benchmark = {
  name: 'cost',
  title: 'One job of four milestones, watched by one client',
  async run(bench) {
    return [...(await commands(bench)), ...(await bytes(bench))]
  },
}

/** Counts commands through API, worker and stage service, and through a bare queue and BullMQ's Worker. */
async function commands(bench: Bench): Promise<Row[]> {
  // Before any other command: ioredis fails if a line arrives together with the reply to MONITOR.
  const monitor = await bench.redis.monitor()
  const count = { sent: 0, inScripts: 0 }
  monitor.on('monitor', (_time: string, [command]: string[], source: string) => {
    if (/^(scan|memory)$/i.test(command ?? '')) return
    if (source === 'lua') count.inScripts += 1
    else count.sent += 1
  })
  const service = await bench.spawn('instant-service')
  const jobs = bench.size(50, 3)
  const bare = await bareWay(bench, service)
  const ways = { [OURS]: await ourWay(bench, service), [FLOOR]: bare.runJob }
  const subjects = Object.entries(ways).map(([name, runJob]) => [
    name,
    async (): Promise<Figures> => {
      const kept = await bytesOfAll(bench.redis)
      Object.assign(count, { sent: 0, inScripts: 0 })
      let wire = 0
      for (let i = 0; i < jobs; i += 1) wire += await runJob()
      const { sent, inScripts } = count
      const bytes = (await bytesOfAll(bench.redis)) - kept
      const figures = { sent, inScripts, all: sent + inScripts, wire, bytes }
      return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value / jobs]))
    },
  ])
  const series = await interleave(bench.runs, Object.fromEntries(subjects))
  monitor.disconnect()
  await bare.close()
  return [
    against(series, FLOOR, 'commands that Redis executes', '', 'all'),
    against(series, FLOOR, 'of these, sent by API and worker', '', 'sent'),
    against(series, FLOOR, 'of these, inside scripts', '', 'inScripts'),
    against(series, FLOOR, 'bytes in Redis for each finished job, all keys', 'B', 'bytes'),
    alone(series, OURS, 'bytes to the client, head and all events', 'B', 'wire'),
  ]
}

/** Executes a job, watches it to its end, and returns the bytes that the client received. */
async function ourWay(bench: Bench, service: Child): Promise<() => Promise<number>> {
  const prefix = bench.prefix()
  const api = await spawnApi(bench, prefix, { STAGE_KEEP_COMPLETED: String(KEPT) })
  const env = production(bench, prefix, { WORKER_URL: service.url, STAGE_KEEP_COMPLETED: String(KEPT) })
  await bench.spawn('stagecast-worker', { env })
  const bearer = token('user-1')
  return async () => {
    const watchers = new Watchers(api.port)
    const { urls } = await executeJob(api.url, bearer)
    await watchers.open(
      1,
      () => urls.events,
      '',
      (text) => text.includes('event: completed'),
    )
    const received = watchers.all[0]?.bytes ?? 0
    watchers.close()
    return received
  }
}

/** Adds a job and waits for its end. */
async function bareWay(bench: Bench, service: Child) {
  const prefix = bench.prefix()
  const env = production(bench, prefix, { WORKER_URL: service.url, STAGE_WORKER_CONCURRENCY: '2' })
  const worker = await bench.spawn('floor-worker', { env })
  const connection = connectRedis(bench.redisUrl, 'blocking', prefix)
  const queue = new Queue(QUEUE_NAME, { connection, prefix })
  let added = 0
  const runJob = async () => {
    const ids = { job_id: randomUUID(), workflow_id: randomUUID(), user_id: 'user-1' }
    const data = { stage: 2, research_question: QUESTION, ...ids, timestamp: Date.now(), inputs: {} }
    added += 1
    const opts = { jobId: data.job_id, attempts: 3, removeOnComplete: { count: KEPT } }
    await queue.add('stage-2-execute', data, opts)
    await worker.ask('completed', added)
    return 0
  }
  const close = async () => {
    await queue.close()
    connection.disconnect()
  }
  return { runJob, close }
}

/** Bytes of all keys in Redis. */
async function bytesOfAll(redis: Redis): Promise<number> {
  let sum = 0
  for await (const keys of redis.scanStream({ count: 1000 }))
    for (const key of keys as string[]) sum += (await redis.memory('USAGE', key, 'SAMPLES', 0)) ?? 0
  return sum
}

async function bytes(bench: Bench): Promise<Row[]> {
  const running: number[] = []
  const after: number[] = []
  for (let run = 0; run < bench.runs; run += 1) {
    const prefix = bench.prefix()
    const api = await spawnApi(bench, prefix)
    const jobs = await startJobs(bench, api.url, prefix, 1)
    const job = jobs.all[0]
    if (!job) throw new Error('there is no job')
    await job.writer.step({ type: 'progress', progress: 20, message: 'calling the stage service' })
    running.push(await bytesOf(bench.redis, jobs.keys, job.job_id))
    await job.writer.settle(
      [
        { type: 'progress', progress: 80, message: 'the stage service answered' },
        { type: 'progress', progress: 100, message: 'the result is stored' },
        { type: 'completed', progress: 100, message: 'stage 2 is complete' },
      ],
      { success: true, artifacts: [], duration_ms: 1 },
    )
    after.push(await bytesOf(bench.redis, jobs.keys, job.job_id))
    jobs.close()
    await api.stop()
  }
  return [
    row('bytes in Redis while it runs', 'B', running),
    row('bytes in Redis once it is done, the queue keeping it', 'B', after),
  ]
}

async function bytesOf(redis: Redis, keys: JournalKeys, id: string): Promise<number> {
  const names = [keys.job(id), keys.lock(id), keys.log(id), keys.end(id), keys.summary(id)]
  const sizes = await Promise.all(names.map((name) => redis.memory('USAGE', name)))
  return sizes.reduce<number>((sum, one) => sum + (one ?? 0), 0)
}

function row(what: string, unit: string, values: number[]): Row {
  return { what, unit, subject: OURS, figure: summarise(values) }
}

/** From a worker's step to a client's socket: many clients, each watching a different job, many steps a second. */
import { Queue } from 'bullmq'
import { connectRedis } from '../journal/redis.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { eventData } from './frame.ts'
import { interleave } from './interleave.ts'
import { against, alone, OURS } from './rows.ts'
import { startJobs } from './running-jobs.ts'
import { spawnApi } from './stagecast.ts'
import { quantile } from './statistics.ts'
import { mark, Watchers } from './watchers.ts'

const NEAR = 'QueueEvents'
const FAR = 'XREAD'
const EVENTS_PER_SECOND = 1000

export interface Source {
  watchers: Pick<Watchers, 'onMark'> & { all: readonly unknown[] }
  /** Writes a step of one watcher's job. */
  step(watcher: number, message: string): Promise<unknown>
  close(): unknown
}

export const latency: Benchmark = {
  name: 'latency',
  title: `From the worker's step to the client's socket: 5,000 clients, ${EVENTS_PER_SECOND} events/s`,
  async run(bench) {
    const count = bench.size(5000, 20)
    const sources: Record<string, Source> = {
      [OURS]: await stagecastSource(bench, count),
      [NEAR]: await queueEventsSource(bench, count),
      [FAR]: await streamSource(bench, count),
    }
    const ms = bench.size(5000, 200)
    const series = await interleave(
      bench.runs,
      Object.fromEntries(
        Object.entries(sources).map(([name, source]) => [name, () => drive(source, EVENTS_PER_SECOND, ms)]),
      ),
    )
    for (const { close } of Object.values(sources)) close()
    return [
      against(series, NEAR, 'latency p50', 'ms', 'p50', { at: 'most', value: 1.15 }),
      against(series, NEAR, 'latency p99', 'ms', 'p99', { at: 'most', value: 1.15 }),
      against(series, FAR, 'latency p50', 'ms', 'p50', { at: 'most', value: 1.5 }),
      against(series, FAR, 'latency p99', 'ms', 'p99', { at: 'most', value: 2 }),
      alone(series, OURS, 'events received', '%', 'received', { at: 'least', value: 100 }),
    ]
  },
}

export type DriveFigures = Record<'sent' | 'p50' | 'p95' | 'p99' | 'received', number>

let marks = 0

/** Writes steps at a fixed rate to one watcher after another, and measures when each reaches its client. */
export async function drive(source: Source, perSecond: number, ms: number): Promise<DriveFigures> {
  const sentAt = new Map<number, number>()
  const latencies: number[] = []
  const first = marks + 1
  source.watchers.onMark = (_, n) => {
    const at = sentAt.get(n)
    if (at === undefined) return
    latencies.push(performance.now() - at)
    sentAt.delete(n)
  }
  const startedAt = performance.now()
  const writes: Promise<unknown>[] = []
  while (performance.now() - startedAt < ms) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond)
    while (marks + 1 - first < due) {
      marks += 1
      sentAt.set(marks, performance.now())
      writes.push(source.step(marks % source.watchers.all.length, mark(marks)))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(writes)
  // Wait for late events.
  for (let waited = 0; sentAt.size > 0 && waited < 5000; waited += 10)
    await new Promise((resolve) => setTimeout(resolve, 10))
  return {
    sent: writes.length,
    p50: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    p99: quantile(latencies, 0.99),
    received: (100 * latencies.length) / (latencies.length + sentAt.size),
  }
}

async function stagecastSource(bench: Bench, count: number): Promise<Source> {
  const prefix = bench.prefix()
  const api = await spawnApi(bench, prefix)
  const jobs = await startJobs(bench, api.url, prefix, count)
  const watchers = new Watchers(api.port)
  await watchers.open(count, (i) => jobs.all[i]?.urls.events as string)
  return {
    watchers,
    step: async (i, message) => jobs.all[i]?.writer.step({ type: 'progress', progress: 50, message }),
    close() {
      watchers.close()
      jobs.close()
    },
  }
}

async function queueEventsSource(bench: Bench, count: number): Promise<Source> {
  const prefix = bench.prefix()
  const connection = connectRedis(bench.redisUrl, 'blocking', prefix)
  const queue = new Queue('floor', { connection, prefix })
  const jobs = await queue.addBulk(Array.from({ length: count }, (_, i) => ({ name: 'job', data: { i } })))
  const env = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: prefix, SOURCE: 'queue-events' }
  const server = await bench.spawn('floor-events', { env })
  const watchers = new Watchers(server.port)
  await watchers.open(count, (i) => `/${jobs[i]?.id}`)
  return {
    watchers,
    step: async (i, message) => jobs[i]?.updateProgress(eventData(jobs[i]?.id, message)),
    close() {
      watchers.close()
      connection.disconnect()
    },
  }
}

async function streamSource(bench: Bench, count: number): Promise<Source> {
  const prefix = bench.prefix()
  const redis = connectRedis(bench.redisUrl, 'blocking', prefix)
  const env = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: prefix, SOURCE: 'stream' }
  const server = await bench.spawn('floor-events', { env })
  const watchers = new Watchers(server.port)
  await watchers.open(count, (i) => `/${i}`)
  return {
    watchers,
    step: (i, message) => {
      const data = JSON.stringify(eventData(String(i), message))
      return redis.xadd(`${prefix}:far`, 'MAXLEN', '~', 10_000, '*', 'job', i, 'data', data)
    },
    close() {
      watchers.close()
      redis.disconnect()
    },
  }
}

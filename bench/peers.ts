/** Event streams of other libraries: latency, lost events and cost. */
import { Queue } from 'bullmq'
import { connectRedis } from '../journal/redis.ts'
import type { Bench, Benchmark, Row } from './benchmark.ts'
import { type Breakable, receivedOverBreak } from './break.ts'
import type { Child } from './child.ts'
import { eventData } from './frame.ts'
import { type Figures, interleave } from './interleave.ts'
import { drive, type Source } from './latency.ts'
import { hasNchan, nchanSource } from './nchan.ts'
import { pollingSource } from './pollers.ts'
import { OURS } from './rows.ts'
import { startJobs } from './running-jobs.ts'
import { spawnApi } from './stagecast.ts'
import { Watchers } from './watchers.ts'

const EVENTS_PER_SECOND = 200
const FLAGS = ['--expose-gc']
const PEERS = {
  'a QueueEvents for each client': 'per-client',
  'QueueEvents by better-sse': 'better-sse',
  'QueueEvents by @fastify/sse': 'fastify-sse',
}

/** A source and its memory per watcher in bytes; NaN if it holds no connections. */
type Measured = (Source | Breakable) & { bytes: number }

export const peers: Benchmark = {
  name: 'peers',
  title: `Other libraries: 200 clients, each watching a different job, ${EVENTS_PER_SECOND} events/s`,
  async run(bench) {
    const count = bench.size(200, 10)
    const sources: Record<string, Measured> = { [OURS]: await ours(bench, count) }
    for (const [name, peer] of Object.entries(PEERS)) sources[name] = await queueEvents(bench, count, peer)
    sources['polling every second'] = { ...(await pollingSource(bench, count)), bytes: Number.NaN }
    if (hasNchan) {
      const source = await nchanSource(count)
      sources['nchan, a POST for each event'] = { ...source, bytes: source.rss() / count }
    }
    const subjects = Object.fromEntries(
      Object.entries(sources).map(([name, source]): [string, () => Promise<Figures>] => [
        name,
        () => drive(source, EVENTS_PER_SECOND, bench.size(5000, 300)),
      ]),
    )
    const series = await interleave(bench.runs, subjects)
    const overBreak: Record<string, number> = {}
    for (const [name, source] of Object.entries(sources)) {
      // A poll has no connection to lose.
      overBreak[name] = 'path' in source ? await receivedOverBreak(source) : Number.NaN
      await source.close()
    }
    const row = (subject: string, what: string, unit: string, figure: string): Row => ({
      what,
      unit,
      subject,
      figure: series.summary(subject, figure),
      ...(subject !== OURS && {
        floor: { name: OURS, figure: series.summary(OURS, figure) },
        ratio: series.ratio(subject, OURS, figure),
      }),
    })
    return Object.entries(sources).flatMap(([name, { bytes }]) => [
      row(name, 'latency p50', 'ms', 'p50'),
      row(name, 'latency p99', 'ms', 'p99'),
      row(name, 'events received', '%', 'received'),
      {
        what: 'events received if each connection breaks once',
        unit: '%',
        subject: name,
        figure: single(overBreak[name] as number),
      },
      { what: 'memory per client', unit: 'KB', subject: name, figure: single(bytes / 1024) },
    ])
  },
}

const single = (value: number) => ({ median: value, min: value, max: value })

async function ours(bench: Bench, count: number): Promise<Measured> {
  const prefix = bench.prefix()
  const api = await spawnApi(bench, prefix, {}, { flags: FLAGS })
  const jobs = await startJobs(bench, api.url, prefix, count)
  const watchers = new Watchers(api.port)
  const path = (i: number) => jobs.all[i]?.urls.events as string
  const bytes = await growth(api, count, () => watchers.open(count, path))
  return {
    watchers,
    path,
    bytes,
    step: async (i, message) => jobs.all[i]?.writer.step({ type: 'progress', progress: 50, message }),
    close() {
      watchers.close()
      jobs.close()
    },
  }
}

async function queueEvents(bench: Bench, count: number, PEER: string): Promise<Measured> {
  const prefix = bench.prefix()
  const connection = connectRedis(bench.redisUrl, 'blocking', prefix)
  const queue = new Queue('floor', { connection, prefix })
  const jobs = await queue.addBulk(Array.from({ length: count }, (_, i) => ({ name: 'job', data: { i } })))
  const env = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: prefix, PEER }
  const server = await bench.spawn('peer-events', { env, flags: FLAGS })
  const watchers = new Watchers(server.port)
  const path = (i: number) => `/${jobs[i]?.id}`
  const bytes = await growth(server, count, () => watchers.open(count, path))
  return {
    watchers,
    path,
    bytes,
    step: async (i, message) => jobs[i]?.updateProgress(eventData(jobs[i]?.id, message)),
    close() {
      watchers.close()
      connection.disconnect()
    },
  }
}

/** Heap bytes per client: with two hundred clients, the resident set is too coarse. */
async function growth(server: Child, count: number, open: () => Promise<void>): Promise<number> {
  const before = await server.usage()
  await open()
  return ((await server.usage()).heap - before.heap) / count
}

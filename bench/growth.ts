/** How cost grows with the number of clients, stored results and waiting jobs. */
import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import { journalKeys, QUEUE_NAME } from '../journal/journal.ts'
import { connectRedis } from '../journal/redis.ts'
import type { Bench, Benchmark, Row } from './benchmark.ts'
import { httpRequest, load } from './http-load.ts'
import type { Figures } from './interleave.ts'
import { drive } from './latency.ts'
import { OURS } from './rows.ts'
import { startJobs } from './running-jobs.ts'
import { executeJob, QUESTION, spawnApi, token } from './stagecast.ts'
import { summarise } from './statistics.ts'
import { Watchers } from './watchers.ts'

const EVENTS_PER_SECOND = 500

export const growth: Benchmark = {
  name: 'growth',
  title: 'How cost grows',
  async run(bench) {
    return [...(await withClients(bench)), ...(await withResults(bench)), ...(await withQueue(bench))]
  },
}

/** Each client watches a different job. */
async function withClients(bench: Bench): Promise<Row[]> {
  const points = await measureAt(bench.size(0, 1) === 1 ? [5, 10] : [100, 1000, 10_000], async (count) => {
    const prefix = bench.prefix()
    const api = await spawnApi(bench, prefix, {}, { flags: ['--expose-gc'] })
    const jobs = await startJobs(bench, api.url, prefix, count)
    const watchers = new Watchers(api.port)
    const before = await api.usage()
    await watchers.open(count, (i) => jobs.all[i]?.urls.events as string)
    const after = await api.usage()
    const source = {
      watchers,
      step: async (i: number, message: string) =>
        jobs.all[i]?.writer.step({ type: 'progress', progress: 50, message }),
      close: () => {},
    }
    await drive(source, EVENTS_PER_SECOND, bench.size(1000, 100))
    const rounds: Figures[] = []
    for (let run = 0; run < bench.runs; run += 1) {
      const commands = await commandsSoFar(bench)
      const figures = await drive(source, EVENTS_PER_SECOND, bench.size(3000, 200))
      const calls = (await commandsSoFar(bench)) - commands
      rounds.push({ ...figures, commands: calls / (EVENTS_PER_SECOND * (bench.size(3000, 200) / 1000)) })
    }
    watchers.close()
    jobs.close()
    await api.stop()
    return rounds.map((one) => ({ ...one, heap: (after.heap - before.heap) / count / 1024 }))
  })
  return rowsOf(points, 'clients', [
    ['latency p50', 'ms', 'p50'],
    ['latency p99', 'ms', 'p99'],
    ['heap for each client', 'KB', 'heap'],
    ['Redis commands for each event, those in scripts too', '', 'commands'],
  ])
}

async function withResults(bench: Bench): Promise<Row[]> {
  const points = await measureAt(sizes(bench), async (count) => {
    const prefix = bench.prefix()
    const keys = journalKeys(prefix)
    const api = await spawnApi(bench, prefix)
    const pipeline = bench.redis.pipeline()
    const end = JSON.stringify({ status: 'completed', result: 'x'.repeat(800) })
    for (let i = 0; i < count; i += 1) {
      const id = randomUUID()
      pipeline.set(keys.end(id), end, 'EX', 86_400)
      pipeline.zadd(keys.jobs('user-1'), i, `${id}:2:${id}`)
    }
    await pipeline.exec()
    return accepting(bench, prefix, api)
  })
  return rowsOf(points, 'results kept', ACCEPTING)
}

async function withQueue(bench: Bench): Promise<Row[]> {
  const points = await measureAt([0, ...sizes(bench)], async (count) => {
    const prefix = bench.prefix()
    const api = await spawnApi(bench, prefix)
    const connection = connectRedis(bench.redisUrl, 'blocking', prefix)
    const queue = new Queue(QUEUE_NAME, { connection, prefix })
    for (let left = count; left > 0; left -= 5000)
      await queue.addBulk(
        Array.from({ length: Math.min(left, 5000) }, () => ({
          name: 'stage-2-execute',
          data: { question: QUESTION },
          opts: { jobId: randomUUID() },
        })),
      )
    const rounds = await accepting(bench, prefix, api)
    await queue.close()
    connection.disconnect()
    return rounds
  })
  return rowsOf(points, 'jobs waiting', ACCEPTING)
}

const ACCEPTING: [string, string, string][] = [
  ['execute p50', 'ms', 'execute'],
  ['status p50', 'ms', 'status'],
]

/** One client at a time, to measure latency without load. */
async function accepting(
  bench: Bench,
  _prefix: string,
  api: { port: number; url: string; stop(): Promise<void> },
) {
  const bearer = token('user-1')
  const headers = { authorization: `Bearer ${bearer}` }
  const { urls } = await executeJob(api.url, bearer)
  const body = JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION })
  const post = httpRequest('POST', '/api/workflow/stages/2/execute', headers, body)
  const get = httpRequest('GET', urls.status, headers)
  const one = (request: string, status: number) =>
    load({ port: api.port, connections: 1, ms: bench.size(800, 50), request: () => request, status })
  await one(post, 202)
  const rounds: Figures[] = []
  for (let run = 0; run < bench.runs; run += 1) {
    const execute = await one(post, 202)
    const status = await one(get, 200)
    rounds.push({ execute: execute.p50, status: status.p50 })
  }
  await api.stop()
  await bench.redis.flushall()
  return rounds
}

const sizes = (bench: Bench) => (bench.size(0, 1) === 1 ? [10, 100] : [100, 1000, 10_000, 100_000])

async function measureAt(points: number[], at: (point: number) => Promise<Figures[]>) {
  const measured: [number, Figures[]][] = []
  for (const point of points) measured.push([point, await at(point)])
  return measured
}

/** Compares each point with the first. */
function rowsOf(points: [number, Figures[]][], of: string, figures: [string, string, string][]): Row[] {
  return figures.flatMap(([what, unit, name]) =>
    points.map(([point, rounds], i): Row => {
      const figure = summarise(rounds.map((one) => one[name] as number))
      const first = summarise((points[0]?.[1] ?? []).map((one) => one[name] as number))
      const ratio = figure.median / first.median
      return {
        what,
        unit,
        subject: `${OURS}, ${point.toLocaleString('en-GB')} ${of}`,
        figure,
        ...(i > 0 && {
          floor: { name: `${points[0]?.[0].toLocaleString('en-GB')}`, figure: first },
          ratio: { median: ratio, min: ratio, max: ratio },
        }),
      }
    }),
  )
}

/** Commands, counted by Redis. */
async function commandsSoFar({ redis }: Bench): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1])
}

/** Accepting jobs: everything the route does, against a route that does nothing but `queue.add`. */
import { randomUUID } from 'node:crypto'
import type { Bench, Benchmark, Row } from './benchmark.ts'
import type { Child } from './child.ts'
import { httpRequest, load } from './http-load.ts'
import { type Figures, interleave } from './interleave.ts'
import { QUESTION, spawnApi, token } from './stagecast.ts'

const CONNECTIONS = 50
const FLOOR = 'queue.add only'

export const execute: Benchmark = {
  name: 'execute',
  title: `Execute: ${CONNECTIONS} connections, each a user of its own`,
  async run(bench) {
    return [...(await compare(bench, 'info')), ...(await compare(bench, 'silent'))]
  },
}

/** Both sides log their requests, as in production, or neither does. */
async function compare(bench: Bench, LOG_LEVEL: string): Promise<Row[]> {
  const env = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: bench.prefix(), LOG_LEVEL }
  const ours = await spawnApi(bench, bench.prefix(), { LOG_LEVEL })
  const floor = await bench.spawn('floor-execute', { env })
  const tokens = Array.from({ length: CONNECTIONS }, (_, i) => token(`user-${i}`))
  const accepted = tokens.map((one) =>
    httpRequest('POST', '/api/workflow/stages/2/execute', { authorization: `Bearer ${one}` }, body()),
  )
  const added = httpRequest('POST', '/execute', {}, body())
  const series = await interleave(bench.runs, {
    Stagecast: (warm) => measure(bench, ours, (i) => accepted[i] as string, warm),
    [FLOOR]: (warm) => measure(bench, floor, () => added, warm),
  })
  for (const child of [ours, floor]) await child.stop()
  const logging = LOG_LEVEL === 'silent' ? ', no log' : ''
  const row = (what: string, unit: string, figure: string, target?: Row['target']): Row => ({
    what: `${what}${logging}`,
    unit,
    subject: 'Stagecast',
    figure: series.summary('Stagecast', figure),
    floor: { name: FLOOR, figure: series.summary(FLOOR, figure) },
    ratio: series.ratio('Stagecast', FLOOR, figure),
    ...(target && { target }),
  })
  return [
    row('requests', '/s', 'perSecond', { at: 'least', value: 1 }),
    row('latency p50', 'ms', 'p50'),
    row('latency p99', 'ms', 'p99', { at: 'most', value: 1 }),
    row('CPU of the server per request', 'µs', 'cpu'),
    row('CPU of Redis per request', 'µs', 'redis'),
  ]
}

function body(): string {
  return JSON.stringify({
    workflow_id: randomUUID(),
    research_question: QUESTION,
    inputs: { max_results: 10 },
  })
}

async function measure(
  bench: Bench,
  server: Child,
  request: (i: number) => string,
  warmUp: boolean,
): Promise<Figures> {
  await bench.redis.flushall()
  const before = await server.usage()
  const redisBefore = await redisCpu(bench)
  const ms = bench.size(warmUp ? 2000 : 4000, 150)
  const figures = await load({ port: server.port, connections: CONNECTIONS, ms, request, status: 202 })
  const { cpu } = await server.usage()
  const redis = (await redisCpu(bench)) - redisBefore
  return { ...figures, cpu: (cpu - before.cpu) / figures.requests, redis: redis / figures.requests }
}

/** µs so far. */
async function redisCpu({ redis }: Bench): Promise<number> {
  const info = await redis.info('cpu')
  const seconds = (name: string) => Number(new RegExp(`${name}:(\\S+)`).exec(info)?.[1])
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6
}

/** A cold start: from starting a compiled API process until it is ready. Redis is already running. */
import type { Benchmark } from './benchmark.ts'
import type { Child } from './child.ts'
import { type Figures, interleave } from './interleave.ts'
import { against, alone, OURS } from './rows.ts'
import { spawnApi } from './stagecast.ts'

const FLOOR = 'Fastify, BullMQ, ioredis'
const ASK_EVERY_MS = 5

export const start: Benchmark = {
  name: 'start',
  title: 'Cold start of an API process, until it is ready',
  async run(bench) {
    const env = { REDIS_URL: bench.redisUrl, REDIS_PREFIX: bench.prefix() }
    // The first round reads the files from disk and is discarded.
    const series = await interleave(bench.runs, {
      [OURS]: () => untilReady(() => spawnApi(bench, bench.prefix())),
      [FLOOR]: () => untilReady(() => bench.spawn('floor-start', { env })),
    })
    return [
      alone(series, OURS, 'time until ready', 'ms', 'ms', { at: 'most', value: 1000 }),
      against(series, FLOOR, 'the same', 'ms', 'ms'),
      against(series, FLOOR, 'CPU until ready', 'ms', 'cpu'),
      against(series, FLOOR, 'resident when ready', 'MB', 'rss'),
    ]
  },
}

async function untilReady(spawn: () => Promise<Child>): Promise<Figures> {
  const startedAt = performance.now()
  const child = await spawn()
  while (!(await fetch(`${child.url}/health/ready`)).ok)
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  const ms = performance.now() - startedAt
  const { cpu, rss } = await child.usage()
  await child.stop()
  return { ms, cpu: cpu / 1000, rss: rss / 2 ** 20 }
}

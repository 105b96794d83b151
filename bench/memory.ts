/** Memory of an open stream, compared with a node:http response that is only kept open. */
import type { Bench, Benchmark } from './benchmark.ts'
import type { Child } from './child.ts'
import { type Figures, interleave } from './interleave.ts'
import { against, OURS } from './rows.ts'
import { startJobs } from './running-jobs.ts'
import { spawnApi } from './stagecast.ts'
import { Watchers } from './watchers.ts'

const FLOOR = 'node:http'
const FLAGS = ['--expose-gc']

export const memory: Benchmark = {
  name: 'memory',
  title: 'Memory of an open stream, 10,000 on one process',
  async run(bench) {
    const count = bench.size(10_000, 20)
    const floor = async (): Promise<Figures> => {
      const raw = await bench.spawn('floor-events', { flags: FLAGS })
      return hold(raw, count, (i) => `/${i}`)
    }
    const one = await interleave(bench.runs, { [OURS]: () => ours(bench, count, 1), [FLOOR]: floor }, false)
    const many = await interleave(
      bench.runs,
      { [OURS]: () => ours(bench, count, count / 10), [FLOOR]: floor },
      false,
    )
    const most = { at: 'most', value: 1.15 } as const
    return [
      against(one, FLOOR, 'resident, all watch one job', 'KB', 'rss', most),
      against(one, FLOOR, 'resident, of 5,000 more, on the same job', 'KB', 'later'),
      against(one, FLOOR, 'JavaScript heap, all watch one job', 'KB', 'heap'),
      against(many, FLOOR, 'resident, ten watch each job', 'KB', 'rss', most),
      against(many, FLOOR, 'resident, of 5,000 more, on the same jobs', 'KB', 'later'),
      against(many, FLOOR, 'JavaScript heap, ten watch each job', 'KB', 'heap'),
    ]
  },
}

async function ours(bench: Bench, count: number, jobCount: number): Promise<Figures> {
  const prefix = bench.prefix()
  const api = await spawnApi(bench, prefix, { LOG_LEVEL: 'silent' }, { flags: FLAGS })
  const jobs = await startJobs(bench, api.url, prefix, jobCount)
  const figures = await hold(api, count, (i) => jobs.all[i % jobCount]?.urls.events as string)
  jobs.close()
  return figures
}

/**
 * Starts a new process for each measurement, because a process does not return memory. Later streams reuse what the first
 * rush allocated: compiled code and heap space.
 */
async function hold(server: Child, count: number, path: (i: number) => string): Promise<Figures> {
  const watchers = new Watchers(server.port)
  // Load code and allocate buffers before the first reading.
  await watchers.open(Math.min(count, 100), path)
  const before = await server.usage()
  await watchers.open(count, path)
  const after = await server.usage()
  await watchers.open(count / 2, path)
  const later = await server.usage()
  watchers.close()
  await server.stop()
  return {
    rss: (after.rss - before.rss) / count / 1024,
    heap: (after.heap - before.heap) / count / 1024,
    later: (later.rss - after.rss) / (count / 2) / 1024,
  }
}

/** One event to all watchers of a job: server CPU per delivery. */
import type { Bench, Benchmark } from './benchmark.ts'
import type { Child } from './child.ts'
import { frame } from './frame.ts'
import { type Figures, interleave } from './interleave.ts'
import { against, alone, OURS } from './rows.ts'
import { startJobs } from './running-jobs.ts'
import { spawnApi } from './stagecast.ts'
import { mark, Watchers } from './watchers.ts'

const FLOOR = 'node:http write loop'

export const broadcast: Benchmark = {
  name: 'broadcast',
  title: 'One event to 5,000 watchers of one job',
  async run(bench) {
    const count = bench.size(5000, 20)
    const prefix = bench.prefix()
    const api = await spawnApi(bench, prefix)
    const jobs = await startJobs(bench, api.url, prefix, 1)
    const job = jobs.all[0]
    const ours = new Watchers(api.port)
    await ours.open(count, () => job?.urls.events as string)
    const raw = await bench.spawn('floor-events')
    const theirs = new Watchers(raw.port)
    await theirs.open(count, () => '/job')

    const series = await interleave(bench.runs, {
      [OURS]: () =>
        deliver(bench, api, ours, (message) => job?.writer.step({ type: 'progress', progress: 50, message })),
      [FLOOR]: () =>
        deliver(bench, raw, theirs, (message) =>
          raw.ask('broadcast', { job: '/job', frame: frame(job?.job_id, message) }),
        ),
    })
    for (const watchers of [ours, theirs]) watchers.close()
    jobs.close()
    return [
      against(series, FLOOR, 'CPU per delivery', 'µs', 'cpu', { at: 'most', value: 1.15 }),
      against(series, FLOOR, 'until all have it', 'ms', 'ms'),
      alone(series, OURS, 'deliveries received', '%', 'received', { at: 'least', value: 100 }),
    ]
  },
}

let marks = 0

/** Sends an event once all watchers have the previous one. */
async function deliver(
  bench: Bench,
  server: Child,
  watchers: Watchers,
  send: (message: string) => Promise<unknown> | undefined,
): Promise<Figures> {
  const events = bench.size(20, 2)
  const count = watchers.all.length
  let received = 0
  let allHaveIt = () => {}
  watchers.onMark = () => {
    received += 1
    if (received % count === 0) allHaveIt()
  }
  const before = await server.usage()
  const startedAt = performance.now()
  for (let i = 0; i < events; i += 1) {
    marks += 1
    const done = new Promise<void>((resolve) => {
      allHaveIt = resolve
    })
    await send(mark(marks))
    await done
  }
  const ms = (performance.now() - startedAt) / events
  const { cpu } = await server.usage()
  return { cpu: (cpu - before.cpu) / (events * count), ms, received: (100 * received) / (events * count) }
}

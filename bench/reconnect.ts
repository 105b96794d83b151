/** Drops all clients and measures how long until each has exactly the events it missed. */
import { setTimeout as delay } from 'node:timers/promises'
import { eventId } from '../contract/events.ts'
import type { Benchmark } from './benchmark.ts'
import { frame } from './frame.ts'
import { type Figures, interleave } from './interleave.ts'
import { against, alone, OURS } from './rows.ts'
import { type RunningJobs, startJobs } from './running-jobs.ts'
import { spawnApi } from './stagecast.ts'
import { mark, Watchers } from './watchers.ts'

const ELSEWHERE = 'Stagecast, at another process'
const FLOOR = 'node:http connects'
const JOB = '123e4567-e89b-12d3-a456-426614174000'
/** Steps of each job while its client is away. */
const MISSED = 3
/** After this time a process has released unwatched feeds. */
const FORGOTTEN_MS = 7000

export const reconnect: Benchmark = {
  name: 'reconnect',
  title: `5,000 clients dropped, each reconnecting to a different job with ${MISSED} missed events`,
  async run(bench) {
    const count = bench.size(5000, 20)
    const prefix = bench.prefix()
    // The floor logs nothing either.
    const api = await spawnApi(bench, prefix, { LOG_LEVEL: 'silent' })
    const other = await spawnApi(bench, prefix, { LOG_LEVEL: 'silent' })
    const raw = await bench.spawn('floor-events')
    const jobs = await startJobs(bench, api.url, prefix, count)
    const series = await interleave(bench.runs, {
      [OURS]: () => comeBack(jobs, api.port, api.port),
      async [ELSEWHERE]() {
        await delay(bench.size(FORGOTTEN_MS, 0))
        return comeBack(jobs, api.port, other.port)
      },
      [FLOOR]: () => connect(raw.port, count),
    })
    jobs.close()
    const what = 'clients with exactly what they missed'
    return [
      against(series, FLOOR, 'all are back', 'ms', 'ms', { at: 'most', value: 2 }),
      alone(series, OURS, what, '%', 'exact', { at: 'least', value: 100 }),
      // After five seconds the feeds are released.
      alone(series, OURS, 'from the drop until the last is back', 'ms', 'away'),
      against(series, FLOOR, 'all are back', 'ms', 'ms', undefined, ELSEWHERE),
      alone(series, ELSEWHERE, what, '%', 'exact', { at: 'least', value: 100 }),
    ]
  },
}

/** All clients watch at port `from` and reconnect to port `to`, which may be the same. */
async function comeBack(jobs: RunningJobs, from: number, to: number): Promise<Figures> {
  const events = (i: number) => jobs.all[i]?.urls.events
  const first = new Watchers(from)
  await first.open(jobs.all.length, (i) => events(i) as string)
  const lastIds = jobs.all.map(({ writer }) => eventId(writer.newest))
  first.close()
  const droppedAt = performance.now()
  const watchers = new Watchers(to)
  const seen: number[][] = jobs.all.map(() => [])
  watchers.onMark = (i, n) => seen[i]?.push(n)
  const missed = Array.from({ length: MISSED }, (_, i) => i + 1)
  await Promise.all(
    jobs.all.flatMap(({ writer }) =>
      missed.map((n) => writer.step({ type: 'progress', progress: 50, message: mark(n) })),
    ),
  )
  const startedAt = performance.now()
  await watchers.open(
    jobs.all.length,
    (i) => `${events(i)}&after=${lastIds[i]}`,
    '',
    (text) => text.includes(mark(MISSED)),
  )
  const ms = performance.now() - startedAt
  const away = performance.now() - droppedAt
  watchers.close()
  const exact = seen.filter((marks) => marks.join() === missed.join()).length
  return { ms, away, exact: (100 * exact) / seen.length }
}

/** The floor: as many connections, each answered at once with the same number of bytes. */
async function connect(port: number, count: number): Promise<Figures> {
  const frames = Array.from({ length: MISSED }, (_, i) => frame(JOB, mark(i + 1))).join('')
  const watchers = new Watchers(port)
  const startedAt = performance.now()
  await watchers.open(
    count,
    (i) => `/${i}`,
    `x-missed: ${Buffer.from(frames).toString('base64')}\r\n`,
    (text) => text.includes(mark(MISSED)),
  )
  const ms = performance.now() - startedAt
  watchers.close()
  return { ms, exact: 100 }
}

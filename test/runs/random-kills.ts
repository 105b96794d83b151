/** Many runs, each watched from its first event to its last, while processes and Redis are killed at random moments. */
import type { Test } from 'tap'
import { startDoor } from '../helpers/app.ts'
import { repeat } from '../helpers/chaos.ts'
import { compare, RestlessClient } from '../helpers/restless-client.ts'
import { begin, type Opened, persistently, signOff } from './killing.ts'
import { Runs } from './scene.ts'

/** RUNS_UNDER_KILLS changes the number of runs. */
export const RUNS = Number(process.env.RUNS_UNDER_KILLS ?? 200)
const AT_ONCE = 20

/** Settings for `open` with which workers take the steps of many runs at once. */
export const MANY = { STAGE_WORKER_CONCURRENCY: '10' }

const FILES = ['server/api.ts', 'server/api.ts', 'server/worker.ts', 'server/worker.ts'] as const

/**
 * Executes RUNS runs of five steps (two side by side, one gate) with two API and two worker processes. `strike` causes a
 * fault of Redis that loses nothing that Redis has confirmed, and returns its name.
 */
export async function underRandomKills(
  t: Test,
  { env, audit }: Opened,
  strike: () => Promise<string>,
): Promise<void> {
  const doors = await Promise.all(FILES.map((file) => startDoor(t, file, env)))
  const origins = () => doors.slice(0, 2).map(({ url }) => url)
  const anyApi = () => origins()[Math.random() < 0.5 ? 0 : 1] as string
  const trouble = new AbortController()
  t.teardown(() => trouble.abort())
  const kills = { processes: 0, redis: 0 }
  const strikes = new Map<string, number>()
  const killing = repeat(trouble.signal, 500, async () => {
    // Require a minimum of kills, because on a busy machine there may be few.
    if (kills.redis <= kills.processes / 4) {
      const what = await strike()
      strikes.set(what, (strikes.get(what) ?? 0) + 1)
      kills.redis += 1
      return
    }
    const victim = Math.floor(Math.random() * doors.length)
    doors[victim]?.child.kill('SIGKILL')
    doors[victim] = await startDoor(t, FILES[victim] as string, env)
    kills.processes += 1
  })

  const faults: string[] = []
  let events = 0
  let left = RUNS
  const startedAt = performance.now()
  const one = async () => {
    while (left > 0) {
      const runs = new Runs(anyApi)
      const { run_id, urls } = await begin(runs, `run-${left--}`, [1, 2, 3, 4, 5])
      let end = '~'
      const isOver = (lastId: string) => lastId >= end
      const patience = () => Number.POSITIVE_INFINITY
      const watching = new RestlessClient({ origins, path: urls.events, patience, isOver, silenceMs: 20_000 })
      const watched = watching.run(AbortSignal.timeout(1_000_000))
      const waiting = await runs.until(run_id, 'waiting')
      await signOff(runs, waiting)
      const done = await runs.until(run_id, 'completed', 'failed', 'rejected', 'cancelled')
      if (done.status !== 'completed') faults.push(`${run_id} ${JSON.stringify(done.steps)}`)
      else faults.push(...(await persistently(() => audit(runs, done))))
      const told = (await persistently(() => runs.told())).map(({ id }) => id)
      end = told.at(-1) ?? ''
      const { events: seen, oddities } = await watched
      events += seen.length
      const wrong = compare(
        seen.map(({ id }) => id),
        told,
      )
      if (Object.values(wrong).some((count) => count > 0) || oddities.length > 0)
        faults.push(`${run_id}: its watcher saw ${JSON.stringify(wrong)} ${oddities}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, RUNS) }, one))
  trouble.abort()
  await killing
  t.same(faults, [])
  t.ok(kills.redis > 0 && kills.processes > 0)
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  const struck = [...strikes].map(([what, times]) => `${what} ${times} times`)
  t.comment(
    `${RUNS} runs in ${seconds} s, ${kills.processes} processes killed, ${struck.join(', ')}, ` +
      `${events} events watched: ${faults.length} faults`,
  )
}

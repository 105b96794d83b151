/** Runs while processes and Redis are killed: after every single command of going on, and at random moments. */
import t from 'tap'
import { CaseRedis } from '../faults/suite/redis.ts'
import { startDoor, startWorker } from '../helpers/app.ts'
import { repeat } from '../helpers/chaos.ts'
import { compare, RestlessClient } from '../helpers/restless-client.ts'
import { arm, begin, DIE_AFTER, open, persistently, signOff } from './killing.ts'
import { Runs } from './scene.ts'

/** With 200 runs, or on a busy machine, it takes many minutes. */
t.setTimeout(2_400_000)

/** RUNS_UNDER_KILLS=200 is the full size. */
const RUNS = Number(process.env.RUNS_UNDER_KILLS ?? 40)
const AT_ONCE = 20

/** Commands of going on from one step to the next are fewer. */
const WORKER_MOMENTS = [1, 3, 5, 7, 10, 14]

t.test('a worker is killed after the nth command of going on', { timeout: 400_000 }, async (t) => {
  let died = 0
  for (const moment of WORKER_MOMENTS) {
    const { env, audit } = await open(t)
    const [api, doomed] = await Promise.all([
      startDoor(t, 'server/api.ts', env),
      startDoor(t, 'server/worker.ts', env, { preload: DIE_AFTER }),
    ])
    const runs = new Runs(() => api.url)
    await arm(doomed, { dieAfter: moment, from: ':memory:' })
    const { run_id } = await runs.post({ stages: [1, 2, 3] })
    const waits = runs.until(run_id, 'waiting')
    const how = await Promise.race([doomed.exited, waits])
    if (how === 'SIGKILL') died += 1
    const rescuer = startWorker(t, env)
    const waiting = await waits
    t.equal((await runs.sign(waiting, 3)).status, 200)
    t.same(await audit(runs, await runs.until(run_id, 'completed')), [], `killed after ${moment} commands`)
    await rescuer.close(1000)
    api.child.kill('SIGKILL')
    doomed.child.kill('SIGKILL')
  }
  t.ok(died >= WORKER_MOMENTS.length - 2, `${died} workers died`)
})

t.test('an API process is killed after the nth command of a sign-off', { timeout: 400_000 }, async (t) => {
  const { env, audit } = await open(t)
  startWorker(t, env)
  const steady = await startDoor(t, 'server/api.ts', env)
  let died = 0
  for (const moment of [1, 3, 5, 7, 9, 12]) {
    const doomed = await startDoor(t, 'server/api.ts', env, { preload: DIE_AFTER })
    let at = steady.url
    const runs = new Runs(() => at)
    const waiting = await runs.until((await runs.post({ stages: [1, 2, 3, 4] })).run_id, 'waiting')
    at = doomed.url
    await arm(doomed, { dieAfter: moment })
    const answer = await Promise.race([runs.sign(waiting, 3).catch(() => null), doomed.exited])
    if (doomed.child.signalCode === 'SIGKILL' || answer === null) died += 1
    at = steady.url
    // Stored or not: to say it again is right.
    t.equal((await runs.sign(waiting, 3)).status, 200, `killed after ${moment} commands`)
    const done = await runs.until(waiting.run_id, 'completed')
    t.same(await audit(runs, done), [])
    t.equal((await runs.told()).filter(({ event }) => event === 'sign_off').length, 1, 'told once')
    doomed.child.kill('SIGKILL')
  }
  t.ok(died >= 5, `${died} processes died`)
})

/** All processes are killed again and again, and so is Redis, which loses nothing that it has confirmed. */
t.test(`${RUNS} runs while processes and Redis are killed`, { timeout: 1_500_000 }, async (t) => {
  const redis = await (await CaseRedis.create(t)).start()
  const syncAlways = () => redis.admin().config('SET', 'appendfsync', 'always')
  await syncAlways()
  const { env, audit } = await open(t, {
    ...{ REDIS_URL: `unix://${redis.path}`, STAGE_WORKER_CONCURRENCY: '10' },
  })
  const files = ['server/api.ts', 'server/api.ts', 'server/worker.ts', 'server/worker.ts'] as const
  const doors = await Promise.all(files.map((file) => startDoor(t, file, env)))
  const origins = () => doors.slice(0, 2).map(({ url }) => url)
  const anyApi = () => origins()[Math.random() < 0.5 ? 0 : 1] as string
  const trouble = new AbortController()
  t.teardown(() => trouble.abort())
  const kills = { processes: 0, redis: 0 }
  const killing = repeat(trouble.signal, 500, async () => {
    // Not left to chance: on a busy machine there are few kills.
    if (kills.redis <= kills.processes / 4) {
      await redis.crash()
      await redis.start()
      await syncAlways()
      kills.redis += 1
      return
    }
    const victim = Math.floor(Math.random() * doors.length)
    doors[victim]?.child.kill('SIGKILL')
    doors[victim] = await startDoor(t, files[victim] as string, env)
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
  t.comment(
    `${RUNS} runs in ${seconds} s, ${kills.processes} processes and ${kills.redis} times Redis killed, ` +
      `${events} events watched: ${faults.length} faults`,
  )
})

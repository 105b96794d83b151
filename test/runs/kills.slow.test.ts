/** Processes and Redis are killed during runs: after every single command that advances a run, and at random. */
import t from 'tap'
import { CaseRedis } from '../faults/suite/redis.ts'
import { startDoor, startWorker } from '../helpers/app.ts'
import { arm, DIE_AFTER, open } from './killing.ts'
import { MANY, RUNS, underRandomKills } from './random-kills.ts'
import { Runs } from './scene.ts'

/** The test takes many minutes on a busy machine. */
t.setTimeout(3_600_000)

/** 1 to `last`. */
const each = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

/** More than the number of commands that advance a run by one step or sign off. */
const WORKER_MOMENTS = each(14)
const API_MOMENTS = each(12)

t.test('a worker is killed after each command that advances a run', async (t) => {
  const { env, audit } = await open(t)
  const api = await startDoor(t, 'server/api.ts', env)
  let died = 0
  for (const moment of WORKER_MOMENTS) {
    const doomed = await startDoor(t, 'server/worker.ts', env, { preload: DIE_AFTER })
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
    doomed.child.kill('SIGKILL')
  }
  t.ok(died >= WORKER_MOMENTS.length - 2, `${died} workers died`)
})

t.test('an API process is killed after each command of a sign-off', async (t) => {
  const { env, audit } = await open(t)
  startWorker(t, env)
  const steady = await startDoor(t, 'server/api.ts', env)
  let died = 0
  for (const moment of API_MOMENTS) {
    const doomed = await startDoor(t, 'server/api.ts', env, { preload: DIE_AFTER })
    let at = steady.url
    const runs = new Runs(() => at)
    const waiting = await runs.until((await runs.post({ stages: [1, 2, 3, 4] })).run_id, 'waiting')
    at = doomed.url
    await arm(doomed, { dieAfter: moment })
    const answer = await Promise.race([runs.sign(waiting, 3).catch(() => null), doomed.exited])
    if (doomed.child.signalCode === 'SIGKILL' || answer === null) died += 1
    at = steady.url
    // Whether or not the sign-off was stored, repeating it is right.
    t.equal((await runs.sign(waiting, 3)).status, 200, `killed after ${moment} commands`)
    const done = await runs.until(waiting.run_id, 'completed')
    t.same(await audit(runs, done), [])
    t.equal(
      (await runs.told()).filter(({ event }) => event === 'sign_off').length,
      1,
      'the decision is reported once',
    )
    doomed.child.kill('SIGKILL')
  }
  t.ok(died >= 5, `${died} processes died`)
})

t.test(`${RUNS} runs while processes and Redis are killed`, async (t) => {
  const redis = await (await CaseRedis.create(t)).start()
  const syncAlways = () => redis.admin().config('SET', 'appendfsync', 'always')
  await syncAlways()
  const opened = await open(t, { REDIS_URL: `unix://${redis.path}`, ...MANY })
  await underRandomKills(t, opened, async () => {
    await redis.crash()
    await redis.start()
    await syncAlways()
    return 'Redis killed'
  })
})

/** Runs while processes are killed: after every single command of going on, and at random moments. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Run } from '../../contract/run.ts'
import { type Door, type Env, startDoor, startWorker, testEnv } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { repeat } from '../helpers/chaos.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { KeptWork, Runs } from './scene.ts'

const DIE_AFTER = new URL('die-after.mjs', import.meta.url).href

/** 1 and 2 side by side, 3 is a gate behind both. */
const STAGES = [
  { stage: 1 },
  { stage: 2 },
  { stage: 3, needs: [1, 2], sign_off: true },
  { stage: 4, needs: [3] },
  { stage: 5, needs: [4] },
]

/** RUNS_UNDER_KILLS=200 is the full size. */
const RUNS = Number(process.env.RUNS_UNDER_KILLS ?? 40)
const AT_ONCE = 20

async function open(t: Test, over: Env = {}) {
  const work = new KeptWork()
  const service = await fakeStageService(t, work.answer)
  const file = await stagesFile(t, STAGES)
  const env = await testEnv(t, {
    ...{ WORKER_URL: service.url, STAGES_FILE: file, LOG_LEVEL: 'info', SSE_MAX_PER_USER: '0' },
    ...{ WORKER_LOCK_MS: '1000', WORKER_STALLED_CHECK_MS: '300', STAGE_JOB_ATTEMPTS: '50' },
    ...over,
  })
  const redis = new Redis((env.REDIS_URL as string).replace(/^unix:\/\//, ''))
  t.teardown(() => redis.disconnect())
  const audit = async (runs: Runs, run: Run) => [
    ...(await runs.faults(run, redis, env.REDIS_PREFIX as string)),
    ...(work.of(run).every((times) => times === 1) ? [] : [`done ${work.of(run)} times`]),
  ]
  return { env, work, audit }
}

async function arm(door: Door, dieAfter: number, from?: string): Promise<void> {
  const armed = once(door.child, 'message')
  door.child.send({ dieAfter, from })
  await armed
}

/** Repeats what a process that was killed did not answer, as a client does. */
async function persistently<T>(ask: () => Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const answer = await ask().catch(() => null)
    if (answer) return answer
    await delay(20)
  }
}

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
    await arm(doomed, moment, ':memory:')
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
    await arm(doomed, moment)
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

t.test(`${RUNS} runs while workers and API processes are killed`, { timeout: 600_000 }, async (t) => {
  const { env, audit } = await open(t, { STAGE_WORKER_CONCURRENCY: '10' })
  const files = ['server/api.ts', 'server/api.ts', 'server/worker.ts', 'server/worker.ts'] as const
  const doors = await Promise.all(files.map((file) => startDoor(t, file, env)))
  const anyApi = () => (doors[Math.random() < 0.5 ? 0 : 1] as Door).url
  const trouble = new AbortController()
  t.teardown(() => trouble.abort())
  let kills = 0
  const killing = repeat(trouble.signal, 500, async () => {
    const victim = Math.floor(Math.random() * doors.length)
    doors[victim]?.child.kill('SIGKILL')
    kills += 1
    doors[victim] = await startDoor(t, files[victim] as string, env)
  })
  const faults: string[] = []
  let left = RUNS
  const startedAt = performance.now()
  const one = async () => {
    while (left > 0) {
      const key = { 'idempotency-key': `run-${left--}` }
      const runs = new Runs(anyApi)
      const { run_id } = await persistently(async () => {
        const { status, body } = await runs.send('/runs', { stages: [1, 2, 3, 4, 5] }, key)
        return status === 202 ? body : null
      })
      const waiting = await runs.until(run_id, 'waiting')
      await persistently(async () => (await runs.sign(waiting, 3)).status === 200)
      const done = await runs.until(run_id, 'completed', 'failed', 'rejected', 'cancelled')
      if (done.status !== 'completed') faults.push(`${run_id} ${JSON.stringify(done.steps)}`)
      else faults.push(...(await persistently(() => audit(runs, done))))
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, RUNS) }, one))
  trouble.abort()
  await killing
  t.same(faults, [])
  t.comment(`${RUNS} runs, ${kills} kills, ${Math.round((performance.now() - startedAt) / 1000)} s`)
})

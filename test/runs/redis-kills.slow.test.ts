/** Redis is killed after every single command that advances a run, before or after its reply, and restarted. */
import t, { type Test } from 'tap'
import type { Run } from '../../contract/run.ts'
import { CaseRedis } from '../faults/suite/redis.ts'
import { type Door, startDoor } from '../helpers/app.ts'
import { repeat } from '../helpers/chaos.ts'
import { arm, begin, DIE_AFTER, type Doom, drive, open, persistently, signOff } from './killing.ts'
import { Runs } from './scene.ts'

/** Redis restarts dozens of times, which takes many minutes on a busy machine. */
t.setTimeout(3_600_000)

/** More than the number of commands that advance a run in one process. */
const EACH = Array.from({ length: 15 }, (_, i) => i + 1)
const MOMENTS = { answered: EACH, 'run but not answered': EACH.slice(0, 12) }

/** One API process and one worker, which keep running while Redis restarts. */
async function setUp(t: Test) {
  const redis = await (await CaseRedis.create(t)).start()
  const { env, audit } = await open(t, { REDIS_URL: `unix://${redis.path}` })
  const [api, worker] = await Promise.all(
    ['server/api.ts', 'server/worker.ts'].map((file) => startDoor(t, file, env, { preload: DIE_AFTER })),
  )

  /** Performs an action while Redis is killed and restarted. Returns whether Redis was killed in the middle. */
  async function amid<T>(door: Door, doom: Doom, act: () => Promise<T>) {
    const admin = redis.admin()
    await admin.config('SET', 'appendfsync', 'always')
    const victim = Number(/process_id:(\d+)/.exec(await admin.info('server'))?.[1])
    admin.disconnect()
    let isOver = false
    const isBack = redis.exited.then(() => (isOver ? null : redis.start()))
    await arm(door, { ...doom, victim })
    const outcome = await act()
    const killed = await arm(door, { dieAfter: 0 })
    isOver = !killed
    if (killed) await isBack
    return { outcome, killed }
  }
  return { api: api as Door, worker: worker as Door, amid, audit }
}

for (const [fate, moments] of Object.entries(MOMENTS)) {
  const title = `the last command is ${fate}`
  const unanswered = fate !== 'answered'

  t.test(`while a worker advances a run; ${title}`, async (t) => {
    const { api, worker, amid, audit } = await setUp(t)
    let deaths = 0
    for (const dieAfter of moments) {
      const runs = new Runs(() => api.url)
      const doom = { dieAfter, from: ':memory:', unanswered }
      const { outcome: waiting, killed } = await amid(worker, doom, async () => {
        const { run_id } = await begin(runs, `worker-${dieAfter}`, [1, 2, 3])
        return runs.until(run_id, 'waiting')
      })
      if (killed) deaths += 1
      await signOff(runs, waiting)
      const done = await runs.until(waiting.run_id, 'completed')
      t.same(await persistently(() => audit(runs, done)), [], `killed after ${dieAfter} commands`)
    }
    t.ok(deaths >= moments.length - 2, `Redis was killed ${deaths} times`)
  })

  t.test(`while a run is started, signed off and cancelled; ${title}`, async (t) => {
    const { api, amid, audit } = await setUp(t)
    const deaths = { begin: 0, sign: 0, cancel: 0 }
    for (const dieAfter of moments) {
      const runs = new Runs(() => api.url)
      const begun = await amid(api, { dieAfter, from: 'workflow-runs', unanswered }, () =>
        begin(runs, `api-${dieAfter}`, [1, 2, 3, 4]),
      )
      if (begun.killed) deaths.begin += 1
      const { run_id } = begun.outcome
      const waiting = await runs.until(run_id, 'waiting')
      const signed = await amid(api, { dieAfter, from: run_id, unanswered }, () => signOff(runs, waiting))
      if (signed.killed) deaths.sign += 1
      const done = await runs.until(run_id, 'completed')
      t.same(await persistently(() => audit(runs, done)), [], `killed after ${dieAfter} commands`)
      const decisions = (await runs.told()).filter(({ event }) => event === 'sign_off')
      t.equal(decisions.length, 1, 'the decision is reported once')

      const other = new Runs(() => api.url)
      const second = await begin(other, `cancel-${dieAfter}`, [1, 2, 3, 4])
      const waits = await other.until(second.run_id, 'waiting')
      const cancelled = await amid(api, { dieAfter, from: waits.run_id, unanswered }, () =>
        persistently(async () => {
          const { status, body } = await other.send(`/runs/${waits.run_id}/cancel`)
          return status === 200 ? (body as Run) : null
        }),
      )
      if (cancelled.killed) deaths.cancel += 1
      // While Redis restarts, a 503 says nothing about the run.
      const end = await other.until(waits.run_id, 'cancelled', 'completed', 'failed')
      t.equal(end.status, 'cancelled')
    }
    for (const [act, count] of Object.entries(deaths))
      t.ok(count >= 5, `Redis was killed ${count} times during: ${act}`)
  })
}

t.test('appendfsync everysec: Redis is killed at random moments', async (t) => {
  const redis = await (await CaseRedis.create(t)).start()
  const { env, audit } = await open(t, {
    ...{ REDIS_URL: `unix://${redis.path}`, STAGE_WORKER_CONCURRENCY: '10' },
  })
  const [api] = await Promise.all(
    ['server/api.ts', 'server/worker.ts'].map((file) => startDoor(t, file, env)),
  )
  const trouble = new AbortController()
  t.teardown(() => trouble.abort())
  let kills = 0
  const killing = repeat(trouble.signal, 300, async () => {
    await redis.crash()
    await redis.start()
    kills += 1
  })
  const ended = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const runs = new Runs(() => (api as Door).url)
      const toItsEnd = () => drive(runs, `everysec-${i}`, [1, 2, 3, 4, 5], 'completed')
      await toItsEnd()
      return { runs, toItsEnd }
    }),
  )
  trouble.abort()
  await killing
  // The last kill may have lost the end of a run.
  for (const { runs, toItsEnd } of ended) t.same(await audit(runs, await toItsEnd()), [])
  t.comment(`Redis was killed ${kills} times`)
  t.ok(kills > 3)
})

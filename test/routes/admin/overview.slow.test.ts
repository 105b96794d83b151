/** The overview for administrators. */
import { hostname } from 'node:os'
import type { Static } from '@sinclair/typebox'
import t from 'tap'
import type { WorkerState } from '../../../contract/fleet.ts'
import { type Env, enqueue, startApi, startDoor, startWorker, testEnv, token } from '../../helpers/app.ts'
import { stagesFile } from '../../helpers/catalogue.ts'
import { cancel, finished, statusWhen, testRedis } from '../../helpers/jobs.ts'
import { answered, isProblem } from '../../helpers/problem.ts'
import { end } from '../../helpers/processes.ts'
import { fail, fakeStageService, silence, succeed } from '../../helpers/stage-service.ts'
import { eventually } from '../../helpers/waiting.ts'

interface Overview {
  at: number
  queue: { waiting: number; delayed: number; active: number; oldest_waiting_at: number | null }
  workers: Static<typeof WorkerState>[]
  waiting_because: string | null
  catalogue: string
  stages: { stage: number; slug: string; [figure: string]: unknown }[]
}

const PATH = '/api/admin/overview'
const bearer = (scope?: unknown) => ({ authorization: `Bearer ${token('root', { scope })}` })

async function overview(url: string): Promise<Overview> {
  const response = await fetch(url + PATH, { headers: bearer('admin') })
  if (response.status !== 200) throw new Error(await response.text())
  return (await response.json()) as Overview
}

/** Reads the overview until `is` holds: it may be a second old, and workers report every two seconds. */
function overviewWhen(url: string, what: string, is: (seen: Overview) => boolean): Promise<Overview> {
  return eventually(what, async () => {
    const seen = await overview(url)
    return is(seen) ? seen : null
  })
}

t.test('administrators only', async (t) => {
  const env = await testEnv(t)
  const { url } = await startApi(t, env)
  isProblem(t, await answered(fetch(url + PATH)), 'UNAUTHENTICATED')
  for (const scope of [undefined, '', 'administrator', 'admins read', 'Admin', ['admin'], 7, 'read,admin']) {
    const refused = await answered(fetch(url + PATH, { headers: bearer(scope) }))
    isProblem(t, refused, 'FORBIDDEN', `scope ${JSON.stringify(scope)}`)
    t.match(refused.header('www-authenticate'), /insufficient_scope/)
  }
  for (const scope of ['admin', 'read admin', 'admin write']) {
    // A busy Redis may not have answered in time.
    const allowed = async () => (await fetch(url + PATH, { headers: bearer(scope) })).status === 200
    t.ok(await eventually(`${scope} is an administrator`, allowed))
  }
  const mock = await startApi(t, { ...env, ALLOW_MOCK_AUTH: 'true' })
  t.equal(
    (await fetch(mock.url + PATH)).status,
    200,
    'with mock authentication the caller is an administrator',
  )
  const notAdmin = await answered(fetch(mock.url + PATH, { headers: bearer() }))
  isProblem(t, notAdmin, 'FORBIDDEN', 'a real token is taken at its word')
})

t.test('an empty queue, and jobs that wait for a worker', async (t) => {
  const env = await testEnv(t)
  const { url } = await startApi(t, env)
  const empty = await overview(url)
  t.match(empty, {
    queue: { waiting: 0, delayed: 0, active: 0, oldest_waiting_at: null },
    workers: [],
    waiting_because: null,
  })
  t.ok(Math.abs(empty.at - Date.now()) < 60_000)
  t.equal(empty.stages.length, 20)
  t.same(empty.stages[1], {
    ...{ stage: 2, slug: 'literature-search', completed: 0, failed: 0, cancelled: 0, retried: 0 },
    ...{ success_rate: null, per_minute: 0, duration_ms: null, waiting_ms: null },
  })

  const first = await finishedAt(enqueue(url))
  await enqueue(url)
  const { queue } = await overviewWhen(url, 'two wait', ({ queue }) => queue.waiting === 2)
  const { oldest_waiting_at: oldest } = queue
  t.ok(oldest !== null && oldest >= first.before && oldest <= first.after, 'the first in line')
  t.equal((await overview(url)).waiting_because, 'no-worker')
})

t.test('running and ended jobs', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_WORKER_CONCURRENCY: '1' })
  const { url } = await startApi(t, env)
  const worker = startWorker(t, env)
  const jobs = [await enqueue(url), await enqueue(url, { stage: 3 })]
  await service.call(0)
  const busy = await overviewWhen(url, 'one runs', ({ workers }) => workers[0]?.running === 1)
  t.match(busy, { queue: { waiting: 1, active: 1 }, waiting_because: 'busy' })
  t.match(busy.workers, [{ concurrency: 1, running: 1, circuit: 'closed', seen_at: Number }])
  t.ok(busy.workers[0]?.id.startsWith(`${hostname()}:${process.pid}:`), 'it can be found')

  service.answer = fail(422, 'NO_GOOD')
  await cancel(url, jobs[0] as never)
  for (const job of jobs) await finished(url, job)
  service.answer = succeed()
  await finished(url, await enqueue(url))
  const done = await overviewWhen(url, 'three ended', ({ stages }) => stages[1]?.completed === 1)
  t.match(done.stages[1], { completed: 1, failed: 0, cancelled: 1, success_rate: 1 })
  t.equal(done.stages[1]?.duration_ms, null, 'one job is not enough for quantiles')
  for (let n = 0; n < 19; n += 1) await finished(url, await enqueue(url))
  const many = await overviewWhen(url, 'twenty', ({ stages }) => stages[1]?.completed === 20)
  t.match(many.stages[1]?.duration_ms, { p50: Number, p95: Number })
  t.match(many.stages[1]?.waiting_ms, { p50: Number, p95: Number })
  t.match(done.stages[2], { completed: 0, failed: 1, cancelled: 0, success_rate: 0, duration_ms: null })
  t.ok((done.stages[1]?.per_minute as number) > 0)

  await worker.close(1000)
  await overviewWhen(url, 'the worker has left', ({ workers }) => workers.length === 0)
})

t.test('an open circuit', async (t) => {
  const service = await fakeStageService(t, fail(500, 'ILL'))
  const env = await testEnv(t, { WORKER_URL: service.url, BREAKER_FAILURES: '1', BREAKER_RESET_MS: '60000' })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const job = await enqueue(url)
  await statusWhen(url, job, ({ status }) => status === 'retrying')
  await enqueue(url)
  const { workers } = await overviewWhen(url, 'jobs wait for the service', (seen) => {
    return seen.waiting_because === 'circuit-open'
  })
  t.match(workers, [{ circuit: 'open' }])
})

t.test('a worker with another catalogue', async (t) => {
  const stages = await stagesFile(t, [{ stage: 2, title: 'Something else' }])
  const env = await testEnv(t)
  const { url, logs } = await startApi(t, env)
  const stranger = startWorker(t, { ...env, STAGES_FILE: stages })
  const warning = 'a worker has a different catalogue from this process'
  const told = () => logs.filter((line) => line.includes(warning))
  const seen = await overviewWhen(url, 'one worker', ({ workers }) => workers.length === 1)
  t.not(seen.workers[0]?.catalogue, seen.catalogue)
  t.equal(told().length, 1)
  t.match(JSON.parse(told()[0] ?? '{}'), { level: 40, worker: seen.workers[0]?.id })
  t.equal((await fetch(`${url}/health/ready`)).status, 200, 'jobs of stages that both know can run')

  startWorker(t, env)
  const { workers, catalogue } = await overviewWhen(url, 'two workers', ({ workers }) => workers.length === 2)
  t.same(workers.map((one) => one.catalogue === catalogue).sort(), [false, true])
  t.equal(told().length, 1, 'once for each worker')
  await stranger.close(1000)
  await overviewWhen(url, 'the stranger has left', ({ workers }) => workers.length === 1)
  startWorker(t, { ...env, STAGES_FILE: stages })
  await eventually('the next change is logged', async () => (await overview(url)) && told().length === 2)
})

t.test('a dead worker disappears from the overview, and its report is removed', async (t) => {
  const env: Env = await testEnv(t)
  const { url, app } = await startApi(t, env)
  const redis = await testRedis(t, env.REDIS_URL)
  const dead = await startDoor(t, 'server/worker.ts', env)
  await overviewWhen(url, 'a worker', ({ workers }) => workers.length === 1)
  await end(dead, 'SIGKILL')
  // Pretend that its last report was longer ago.
  const { workers } = app.stagecast.journal.keys
  const [id = '', value = ''] = Object.entries(await redis.hgetall(workers))[0] ?? []
  await redis.hset(
    workers,
    id,
    value.replace(/^\d+/, (seen) => String(Number(seen) - 60_000)),
  )
  await overviewWhen(url, 'none', ({ workers }) => workers.length === 0)
  startWorker(t, env)
  await overviewWhen(url, 'the next one', ({ workers }) => workers.length === 1)
  t.equal(await redis.hlen(workers), 1)
  t.ok((await redis.pttl(workers)) > 0, 'the list disappears with the last worker')
})

async function finishedAt(work: Promise<unknown>): Promise<{ before: number; after: number }> {
  const before = Date.now()
  await work
  return { before, after: Date.now() }
}

/** Faults between worker, journal and queue: a full Redis, a lost lock, a cancel at a bad moment. */
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { journalKeys } from '../../journal/journal.ts'
import {
  authorization,
  type Env,
  enqueue,
  get,
  type Queued,
  startApi,
  startWorker,
  testEnv,
} from '../helpers/app.ts'
import { privateRedis } from '../helpers/redis.ts'
import { openStream } from '../helpers/sse.ts'
import { type Answer, fail, fakeStageService, succeed } from '../helpers/stage-service.ts'

async function setUp(t: Test, answer: Answer, overrides: Env = {}) {
  const service = await fakeStageService(t, answer)
  const redis = await privateRedis(t)
  const env = await testEnv(t, { REDIS_URL: redis.url, WORKER_URL: service.url, ...overrides })
  const { url } = await startApi(t, env)
  const admin = new Redis(redis.url.slice('unix://'.length))
  // Redis is unavailable when a test sets this.
  admin.on('error', () => {})
  t.teardown(() => admin.disconnect())
  return { service, env, url, redis, admin, keys: journalKeys(env.REDIS_PREFIX as string) }
}

function cancel(url: string, job: Queued): Promise<Response> {
  return fetch(url + job.urls.cancel, { method: 'POST', headers: authorization() })
}

async function ending(url: string, job: Queued) {
  return (await (await openStream(url + job.urls.events)).rest()).at(-1)
}

t.test('a result is stored even if Redis is full, after one call to the service', async (t) => {
  for (const [answer, expected] of [
    [succeed(), 'completed'],
    [fail(400, 'NO_GOOD'), 'failed'],
  ] as const) {
    let release = () => {}
    const full = new Promise<void>((resolve) => {
      release = resolve
    })
    const { service, env, url, admin } = await setUp(t, async (call) => {
      await full
      await answer(call)
    })
    startWorker(t, env)
    const job = await enqueue(url)
    await service.call(0)
    await admin.config('SET', 'maxmemory', '1')
    release()
    t.equal((await ending(url, job))?.event, expected)
    await admin.config('SET', 'maxmemory', '0')
    const status = await get<{ status: string; attempt: number }>(url + job.urls.status)
    t.match(status, { status: expected, attempt: 1 })
    t.equal(service.calls.length, 1)
  }
})

t.test('a write that Redis refuses for a while neither ends the job nor loses it', async (t) => {
  const { service, env, url, admin, keys } = await setUp(t, succeed(), { STAGE_JOB_ATTEMPTS: '1' })
  const job = await enqueue(url)
  // A log key that is not a list makes every write fail while it exists.
  await admin.set(keys.log(job.job_id), 'in the way')
  const { logs } = startWorker(t, env)
  while (!logs.some((line) => line.includes('could not record the attempt'))) await get(url + job.urls.status)
  t.equal((await get(url + job.urls.status)).status, 'queued')
  await admin.del(keys.log(job.job_id))
  t.equal((await ending(url, job))?.event, 'completed')
  t.match(await get(url + job.urls.status), { status: 'completed', attempt: 1 })
  t.equal(service.calls.length, 1)
})

t.test('a job whose lock is lost runs once at a time, and can be cancelled', async (t) => {
  let open = 0
  let most = 0
  const { service, env, url, admin, keys } = await setUp(
    t,
    (call) => {
      open += 1
      most = Math.max(most, open)
      call.hungUp.then(() => {
        open -= 1
      })
    },
    { WORKER_LOCK_MS: '4000', WORKER_STALLED_CHECK_MS: '100' },
  )
  startWorker(t, env)
  const job = await enqueue(url)
  const first = await service.call(0)
  await admin.del(keys.lock(job.job_id))
  await first.hungUp
  const second = await service.call(1)
  t.equal(most, 1, 'the first call was over before the second began')
  t.equal((await cancel(url, job)).status, 202)
  await second.hungUp
  t.equal((await ending(url, job))?.event, 'cancelled')
})

t.test('a cancel right after a failed attempt does not wait for the next one', async (t) => {
  const { env, url } = await setUp(t, fail(429, 'BUSY', { 'retry-after': '3600' }), {
    STAGE_WORKER_CONCURRENCY: '10',
    WORKER_LOCK_MS: '30000',
  })
  startWorker(t, env)
  const one = async () => {
    const job = await enqueue(url)
    await (await openStream(url + job.urls.events)).until('retrying')
    const { status } = await cancel(url, job)
    return [status, (await ending(url, job))?.event]
  }
  for (let round = 0; round < 10; round += 1) {
    for (const outcome of await Promise.all(Array.from({ length: 10 }, one)))
      t.same(outcome, [200, 'cancelled'])
  }
})

t.test('an EventSource whose job cannot be read right now is told to reconnect', async (t) => {
  const { url, redis } = await setUp(t, succeed())
  const job = await enqueue(url)
  await redis.stop()
  const stream = await openStream(url + job.urls.events)
  t.equal(stream.response.status, 200)
  const frames = []
  for await (const frame of stream) frames.push(frame)
  t.match(frames, [{ retry: 2000 }])
  const other = await fetch(url + job.urls.events, { headers: { accept: 'application/json' } })
  t.equal(other.status, 503, 'other clients get the 503')
})

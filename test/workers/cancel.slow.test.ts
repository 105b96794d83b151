/** Cancelling a job in every state. */
import t, { type Test } from 'tap'
import { FaultProxy } from '../faults/suite/proxy.ts'
import { type Env, enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import {
  assertWhole,
  brief,
  cancel,
  finished,
  operatorQueue,
  status,
  statusWhen,
  watch,
} from '../helpers/jobs.ts'
import { privateRedis } from '../helpers/redis.ts'
import { type Answer, fail, fakeStageService, ndjson, silence, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

async function setUp(t: Test, answer: Answer, overrides: Env = {}) {
  const service = await fakeStageService(t, answer)
  const env = await testEnv(t, { WORKER_URL: service.url, ...overrides })
  const api = await startApi(t, env)
  return { service, env, url: api.url }
}

t.test('a queued job is cancelled at once, and the service is never called', async (t) => {
  const { service, env, url } = await setUp(t, succeed())
  const job = await enqueue(url)
  const stream = await watch(url, job)
  await stream.until('queued')
  t.same(await cancel(url, job), [200, { job_id: job.job_id, status: 'cancelled' }])
  t.same(brief(await stream.rest()), ['cancelled 0 0 CANCELLED'])
  const frames = await (await watch(url, job)).rest()
  t.same(brief(frames), ['queued 0 0', 'cancelled 0 0 CANCELLED'])
  assertWhole(t, frames)
  t.match(await status(url, job), {
    status: 'cancelled',
    attempt: 0,
    error: { code: 'CANCELLED', retryable: false },
    result: null,
    processed_at: null,
  })
  t.type((await status(url, job)).finished_at, 'number')
  t.same(await cancel(url, job), [200, { job_id: job.job_id, status: 'cancelled' }], 'again')

  startWorker(t, env)
  const next = await enqueue(url)
  t.match(await finished(url, next), { status: 'completed' })
  t.same(
    service.calls.map(({ body }) => body.job_id),
    [next.job_id],
  )
  const [code, problem] = await cancel(url, next)
  t.equal(code, 409)
  t.match(problem, { code: 'JOB_FINISHED' })
  t.match(await status(url, next), { status: 'completed' })
})

t.test('a running job: 202, the call is aborted, and every client sees the same events', async (t) => {
  const talking = ndjson([{ type: 'progress', percent: 50 }], { end: false })
  for (const answer of [silence, talking]) {
    const { service, env, url } = await setUp(t, answer)
    const other = await startApi(t, env)
    startWorker(t, env)
    const job = await enqueue(url)
    const readers = await Promise.all([watch(url, job), watch(other.url, job), watch(url, job)])
    const { hungUp } = await service.call(0)
    if (answer === talking) await statusWhen(url, job, ({ progress }) => progress === 50)

    // Two simultaneous cancels through a process that did not accept the job.
    const answers = await Promise.all([cancel(other.url, job), cancel(other.url, job)])
    t.same(answers[0], [202, { job_id: job.job_id, status: 'cancelling' }])
    t.ok([200, 202].includes(answers[1]?.[0] ?? 0))
    await hungUp
    const seen = await Promise.all(readers.map((reader) => reader.rest()))
    const late = await (await watch(url, job)).rest()
    for (const frames of seen) t.same(frames, late)
    assertWhole(t, late)
    t.same(brief(late.slice(-2)), [
      `cancelling 1 ${answer === talking ? 50 : 20}`,
      `cancelled 1 ${answer === talking ? 50 : 20} CANCELLED`,
    ])
    t.same(await cancel(url, job), [200, { job_id: job.job_id, status: 'cancelled' }])
    t.match(await status(other.url, job), { status: 'cancelled', result: null, error: { code: 'CANCELLED' } })
    t.equal(service.calls.length, 1, 'and no other attempt')
  }
})

t.test('a job between two attempts', async (t) => {
  const { service, env, url } = await setUp(t, fail(500, 'BROKEN'), { STAGE_JOB_BACKOFF_MS: '60000' })
  startWorker(t, env)
  const job = await enqueue(url)
  await statusWhen(url, job, ({ status }) => status === 'retrying')
  const queue = operatorQueue(t, env)
  // The journal is written before the queue follows; until then the worker holds the job.
  const answers: number[] = []
  for (let state = 'active'; state !== 'cancelled'; ) {
    const [code, body] = await cancel(url, job)
    answers.push(code)
    state = body.status as string
  }
  t.equal(answers.at(-1), 200)
  await eventually('nothing waits in the queue any more', async () => !(await queue.getJob(job.job_id)))
  const frames = await (await watch(url, job)).rest()
  assertWhole(t, frames)
  t.match(brief(frames).at(-1), /^cancelled 1 20 CANCELLED$/)
  t.equal(service.calls.length, 1)
})

t.test('a job that its worker is about to delay is removed from the queue', async (t) => {
  const asked = [{}, { 'retry-after': '60' }]
  for (const headers of asked) {
    const answer: Answer = (call) => {
      // From here on the worker takes half a second between reporting the retry and delaying the job in the queue.
      proxy.delayMs = 500
      return fail(503, 'BUSY', headers)(call)
    }
    const redis = await privateRedis(t)
    const proxy = await FaultProxy.open(t, redis.url.replace('unix://', ''))
    const { env, url } = await setUp(t, answer, { REDIS_URL: redis.url, STAGE_JOB_BACKOFF_MS: '50000' })
    startWorker(t, { ...env, REDIS_URL: `redis://127.0.0.1:${proxy.port}` })
    const job = await enqueue(url)
    await (await watch(url, job)).until('retrying')
    t.same(await cancel(url, job), [200, { job_id: job.job_id, status: 'cancelled' }])
    const queue = operatorQueue(t, env)
    await eventually('nobody holds it', async () => (await queue.getJobCounts('active')).active === 0)
    await eventually('the queue has dropped it', async () => !(await queue.getJob(job.job_id)))
    t.same(await queue.getJobCounts('delayed', 'prioritized'), { delayed: 0, prioritized: 0 })
    t.match(await status(url, job), { status: 'cancelled', attempt: 1 })
    proxy.delayMs = 0
  }
})

t.test('while the circuit is open', async (t) => {
  const { service, env, url } = await setUp(t, fail(500, 'BROKEN'), {
    BREAKER_FAILURES: '1',
    BREAKER_RESET_MS: '60000',
    STAGE_JOB_ATTEMPTS: '1',
  })
  const worker = startWorker(t, env)
  t.match(await finished(url, await enqueue(url)), { status: 'failed' })
  t.ok(worker.logs.some((line) => line.includes('"state":"open"')))
  const job = await enqueue(url)
  const stream = await watch(url, job)
  // A paused worker may have fetched the job once and put it back.
  for (let code = 0; code !== 200; ) [code] = await cancel(url, job)
  const frames = await stream.rest()
  assertWhole(t, frames)
  t.equal(frames.at(-1)?.event, 'cancelled')
  t.equal(service.calls.length, 1)
})

t.test('while it waits behind a probe', async (t) => {
  const { service, env, url } = await setUp(t, fail(500, 'BROKEN'), {
    BREAKER_FAILURES: '1',
    BREAKER_RESET_MS: '300',
    STAGE_JOB_ATTEMPTS: '1',
    STAGE_WORKER_CONCURRENCY: '2',
  })
  const worker = startWorker(t, env)
  t.match(await finished(url, await enqueue(url)), { status: 'failed' })
  service.answer = silence
  const first = await enqueue(url)
  const second = await enqueue(url)
  const probe = await service.call(1)
  const waiting = probe.body.job_id === first.job_id ? second : first
  const stream = await watch(url, waiting)
  // The worker holds the job without calling the service, or has not taken it yet.
  for (let code = 0; code !== 200; ) [code] = await cancel(url, waiting)
  const frames = await stream.rest()
  assertWhole(t, frames)
  t.equal(frames.at(-1)?.event, 'cancelled')
  t.equal(service.calls.length, 2)
  t.ok(worker.logs.some((line) => line.includes('"state":"half-open"')))
  await succeed()(probe)
  t.match(await finished(url, waiting === first ? second : first), { status: 'completed' })
})

t.test(
  'a cancel that races with the end of a job: each job has one end, the one that was reported',
  async (t) => {
    const { env, url } = await setUp(t, succeed(), { STAGE_WORKER_CONCURRENCY: '8', WORKER_LOCK_MS: '30000' })
    startWorker(t, env)
    const counts: Record<string, number> = {}
    const one = async (index: number) => {
      const job = await enqueue(url)
      const stream = await watch(url, job)
      // Cancel each job at another moment.
      const at = ['queued', 'active', 'progress'][index % 3] as string
      const seen = await stream.until(at)
      const [code] = await cancel(url, job)
      const frames = [...seen, ...(await stream.rest())]
      const ends = frames.filter(({ event }) => ['completed', 'failed', 'cancelled'].includes(event ?? ''))
      const ids = frames.map(({ id }) => id)
      const state = await status(url, job)
      const told = code === 409 ? 'completed' : 'cancelled'
      const whole = await (await watch(url, job)).rest()
      const right =
        ends.length === 1 &&
        ends[0] === frames.at(-1) &&
        ends[0]?.event === told &&
        state.status === told &&
        state.cursor === ids.at(-1) &&
        JSON.stringify(whole) === JSON.stringify(frames)
      if (!right)
        t.fail(`job ${index}`, { code, state: state.status, frames: brief(frames), whole: brief(whole) })
      counts[told] = (counts[told] ?? 0) + 1
    }
    for (let round = 0; round < 15; round += 1)
      await Promise.all(Array.from({ length: 12 }, (_, index) => one(index)))
    t.equal((counts.completed ?? 0) + (counts.cancelled ?? 0), 180)
    t.ok(counts.cancelled, `cancelled: ${counts.cancelled}, completed: ${counts.completed}`)
  },
)

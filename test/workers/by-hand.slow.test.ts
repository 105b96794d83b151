/** Operators and other programs change the queue directly. */
import { randomUUID } from 'node:crypto'
import { type Queue, UnrecoverableError, Worker } from 'bullmq'
import t, { type Test } from 'tap'
import type { JobData } from '../../contract/job.ts'
import { NO_TRACING } from '../../contract/tracing.ts'
import { journalKeys, QUEUE_NAME } from '../../journal/journal.ts'
import { loadConfig } from '../../server/config.ts'
import { workerOptions } from '../../server/processes.ts'
import { startStageWorker } from '../../workers/stage-worker.ts'
import {
  type Env,
  enqueue,
  memoryLog,
  QUESTION,
  type Queued,
  startApi,
  startWorker,
  testEnv,
} from '../helpers/app.ts'
import {
  assertWhole,
  brief,
  finished,
  operatorQueue,
  queuedJob,
  SMOOTH,
  status,
  statusWhen,
  testRedis,
  watch,
} from '../helpers/jobs.ts'
import { type Answer, fail, fakeStageService, silence, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

async function setUp(t: Test, answer: Answer = succeed(), overrides: Env = {}) {
  const service = await fakeStageService(t, answer)
  const env = await testEnv(t, { WORKER_URL: service.url, ...overrides })
  const { url } = await startApi(t, env)
  const queue = operatorQueue(t, env)
  return { service, env, url, queue }
}

function dataOf(job_id: string, fields: object = {}): JobData {
  return {
    stage: 2,
    job_id,
    workflow_id: randomUUID(),
    research_question: QUESTION,
    user_id: 'alice',
    timestamp: Date.now(),
    inputs: {},
    ...fields,
  }
}

/** A manually queued job, with the URLs that the API would return. */
async function add(queue: Queue<JobData>, data: (id: string) => object): Promise<Queued> {
  const job_id = randomUUID()
  await queue.add('stage-2-execute', data(job_id) as JobData, { jobId: job_id, attempts: 3 })
  const base = `/api/workflow/stages/2/jobs/${job_id}`
  return {
    job_id,
    urls: { status: `${base}/status`, events: `${base}/events?ticket=`, cancel: `${base}/cancel` },
  }
}

t.test('a job with invalid data fails, and the service is not called', async (t) => {
  const { service, env, url, queue } = await setUp(t)
  const worker = startWorker(t, env)
  for (const fields of [
    { inputs: [] },
    { inputs: 'text' },
    { workflow_id: 'no uuid' },
    { research_question: 7 },
    { inputs: undefined },
    { timestamp: 'now' },
  ]) {
    const job = await add(queue, (id) => dataOf(id, fields))
    const state = await finished(url, job)
    t.match(state, { status: 'failed', attempt: 1, error: { code: 'INVALID_JOB', retryable: false } })
  }
  for (const data of [null, 'text', 7, [], {}, { stage: 99 }]) {
    const job = await queue.add('stage-2-execute', data as unknown as JobData, { jobId: randomUUID() })
    await ended(queue, job.id as string)
    t.match(await queue.getJobState(job.id as string), 'failed', JSON.stringify(data))
  }
  const unnamed = await queue.add('stage-2-execute', dataOf(randomUUID()))
  await ended(queue, unnamed.id as string)
  t.equal(await queue.getJobState(unnamed.id as string), 'failed', 'an id that is not a UUID')

  const good = await enqueue(url)
  t.match(await finished(url, good), { status: 'completed' })
  t.same(
    service.calls.map(({ body }) => body.job_id),
    [good.job_id],
  )
  t.equal(worker.fault(), null)
})

t.test("the queue's job ID is used, whatever the job data says", async (t) => {
  const { service, env, url, queue } = await setUp(t)
  startWorker(t, env)
  const job = await add(queue, () => dataOf(randomUUID()))
  t.match(await finished(url, job), { status: 'completed', job_id: job.job_id })
  const { headers, body } = await service.call(0)
  t.equal(headers['x-request-id'], job.job_id)
  t.equal(headers['idempotency-key'], job.job_id)
  t.equal(body.job_id, job.job_id)
})

t.test('a watched job that is removed is gone', async (t) => {
  const { url, queue } = await setUp(t)
  const job = await enqueue(url)
  const stream = await watch(url, job)
  await stream.until('queued')
  await (await queuedJob(queue, job.job_id)).remove()
  const frames = await stream.rest()
  t.same(
    frames.map(({ event, id, data }) => [event, id, data]),
    [['gone', undefined, { job_id: job.job_id }]],
  )
  t.match(await status(url, job), { status: 404, code: 'JOB_NOT_FOUND' })
})

t.test('a running job whose hash is deleted is stopped and not recreated', async (t) => {
  const { service, env, url } = await setUp(t, silence, {
    WORKER_LOCK_MS: '1000',
    STAGE_WORKER_CONCURRENCY: '3',
  })
  const worker = startWorker(t, env)
  const job = await enqueue(url)
  const { hungUp } = await service.call(0)
  const redis = await testRedis(t, env.REDIS_URL)
  const keys = journalKeys(env.REDIS_PREFIX as string)
  await redis.del(keys.job(job.job_id), keys.lock(job.job_id), keys.log(job.job_id))
  await hungUp
  service.answer = succeed()
  t.match(await finished(url, await enqueue(url)), { status: 'completed' }, 'the worker continues')
  t.match(await status(url, job), { status: 404, code: 'JOB_NOT_FOUND' })
  // BullMQ's stalled check may write only this, if it runs before this worker notices.
  await redis.hset(keys.job(job.job_id), 'stc', 1)
  t.match(await status(url, job), { status: 404, code: 'JOB_NOT_FOUND' })
  t.equal(worker.fault(), null)
})

t.test('a finished job that an operator retries does not call the service again', async (t) => {
  const { service, env, url, queue } = await setUp(t, fail(400, 'BAD_QUESTION'))
  startWorker(t, env)
  const job = await enqueue(url)
  const before = await finished(url, job)
  const events = await (await watch(url, job)).rest()
  await ended(queue, job.job_id)
  service.answer = succeed()
  for (const options of [{}, { resetAttemptsMade: true, resetAttemptsStarted: true }]) {
    const again = await queuedJob(queue, job.job_id)
    await again.retry('failed', options)
    await ended(queue, job.job_id)
    t.equal(await queue.getJobState(job.job_id), 'failed', 'the queue follows the outcome')
  }
  const done = await enqueue(url)
  const completed = await finished(url, done)
  await ended(queue, done.job_id)
  await (await queuedJob(queue, done.job_id)).retry('completed')
  await ended(queue, done.job_id)
  t.equal(await queue.getJobState(done.job_id), 'completed')

  t.equal(service.calls.length, 2, 'one call for each job')
  t.same(await status(url, job), before)
  t.same(await status(url, done), completed)
  t.same(await (await watch(url, job)).rest(), events)
})

t.test('not even when its outcome has expired', async (t) => {
  const { service, env, url, queue } = await setUp(t, fail(400, 'BAD_QUESTION'))
  startWorker(t, env)
  const job = await enqueue(url)
  await finished(url, job)
  await ended(queue, job.job_id)
  const redis = await testRedis(t, env.REDIS_URL)
  const keys = journalKeys(env.REDIS_PREFIX as string)
  await redis.del(keys.end(job.job_id), keys.log(job.job_id))
  await (await queuedJob(queue, job.job_id)).retry('failed')
  await eventually(
    'the queue removes the finished job',
    async () => (await queue.getJobState(job.job_id)) === 'unknown',
  )
  t.equal(service.calls.length, 1)
  t.match(await status(url, job), { code: 'JOB_NOT_FOUND' })
})

t.test("somebody else's updateProgress disturbs nobody", async (t) => {
  const { service, env, url, queue } = await setUp(t, silence)
  startWorker(t, env)
  for (const strange of [50, { percent: 50 }, 'half', null, [1]] as const) {
    const index = service.calls.length
    service.answer = silence
    const job = await enqueue(url)
    const stream = await watch(url, job)
    const call = await service.call(index)
    await statusWhen(url, job, ({ progress }) => progress === 20)
    await (await queuedJob(queue, job.job_id)).updateProgress(strange as never)
    service.answer = succeed()
    await fail(500, 'BROKEN')(call)
    const frames = await stream.rest()
    assertWhole(t, frames)
    t.same(brief(frames), [
      ...SMOOTH.slice(0, 4),
      'retrying 1 20 BROKEN',
      ...SMOOTH.slice(1).map((line) => line.replace(' 1 ', ' 2 ')),
    ])
    t.match(await status(url, job), { status: 'completed', attempt: 2 })
  }
})

t.test('a job that an operator ends in the queue fails for every watching client', async (t) => {
  const { env, url } = await setUp(t)
  const job = await enqueue(url)
  const stream = await watch(url, job)
  await stream.until('queued')
  // This worker does not use the journal.
  const connection = await testRedis(t, env.REDIS_URL)
  const stranger = new Worker(QUEUE_NAME, null, { connection, prefix: env.REDIS_PREFIX as string })
  const taken = await stranger.getNextJob('stranger')
  await taken?.moveToFailed(new UnrecoverableError('out of order'), 'stranger')
  const frames = await stream.rest()
  t.same(brief(frames), ['failed 0 0 JOB_ABANDONED'])
  t.match(await status(url, job), { status: 'failed', error: { code: 'JOB_ABANDONED' } })
  await stranger.close()
})

t.test('an internal error of the worker is reported as such, logged, and not retried', async (t) => {
  const { service, env, url } = await setUp(t)
  const { log, logs } = memoryLog()
  const start: typeof NO_TRACING.start = (describe, parent) => {
    if (describe().kind === 'client') throw new RangeError('Maximum call stack size exceeded')
    return NO_TRACING.start(describe, parent)
  }
  const options = { ...workerOptions(loadConfig(env)), log, tracing: { ...NO_TRACING, start } }
  const worker = startStageWorker(options)
  t.teardown(() => worker.close(1000))
  const end = await finished(url, await enqueue(url))
  t.match(end, { status: 'failed', attempt: 1, error: { code: 'INTERNAL_ERROR', retryable: false } })
  t.match((end.error as { message: string }).message, /because of an internal error, which was logged/)
  t.equal(service.calls.length, 0)
  const line = logs.map((one) => JSON.parse(one)).find(({ msg }) => msg === 'attempt ended')
  t.match(line, { level: 50, code: 'INTERNAL_ERROR', err: { message: /call stack/, stack: /by-hand/ } })
})

/** Resolves when the queue, too, has finished the job. */
async function ended(queue: Queue<JobData>, jobId: string): Promise<void> {
  for (;;) {
    const state = await queue.getJobState(jobId)
    if (['completed', 'failed', 'unknown'].includes(state)) return
    await new Promise(setImmediate)
  }
}

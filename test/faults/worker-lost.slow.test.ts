/** Worker processes that die, freeze, or are killed by the job itself. */
import { Worker } from 'bullmq'
import t, { type Test } from 'tap'
import type { JobData } from '../../contract/job.ts'
import { journalKeys, QUEUE_NAME } from '../../journal/journal.ts'
import { JournalWriter } from '../../workers/journal-writer.ts'
import { type Env, enqueue, startApi, startDoor, startWorker, testEnv } from '../helpers/app.ts'
import {
  assertWhole,
  brief,
  finished,
  operatorQueue,
  SMOOTH,
  status,
  statusWhen,
  testRedis,
  watch,
} from '../helpers/jobs.ts'
import { end } from '../helpers/processes.ts'
import { type Answer, fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

const QUICK = { WORKER_LOCK_MS: '1000', WORKER_STALLED_CHECK_MS: '200', STAGE_WORKER_CONCURRENCY: '1' }
const SECOND = SMOOTH.slice(1).map((line) => line.replace(' 1 ', ' 2 '))

async function setUp(t: Test, answer: Answer, overrides: Env = {}) {
  const service = await fakeStageService(t, answer)
  const env = await testEnv(t, { WORKER_URL: service.url, ...QUICK, ...overrides })
  const { url } = await startApi(t, env)
  return { service, env, url }
}

t.test('killed in the middle of a call: another worker completes the job', async (t) => {
  const { service, env, url } = await setUp(t, silence)
  const first = await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(url)
  const stream = await watch(url, job)
  const call = await service.call(0)
  call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  call.response.write('{"type":"progress","percent":50,"message":"half way"}\n')
  const seen = await stream.until('progress')
  while (seen.at(-1)?.data.progress !== 50) seen.push(...(await stream.until('progress')))
  service.answer = succeed()
  const second = startDoor(t, 'server/worker.ts', env)
  await end(first, 'SIGKILL')
  await second

  const frames = [...seen, ...(await stream.rest())]
  assertWhole(t, frames)
  t.same(brief(frames), [...SMOOTH.slice(0, 4), 'progress 1 50', 'retrying 1 50 WORKER_LOST', ...SECOND])
  t.same(await (await watch(url, job)).rest(), frames, 'a client that connects later gets the same events')
  t.match(await status(url, job), { status: 'completed', attempt: 2, max_attempts: 3, error: null })
  t.equal(service.calls.length, 2)
  t.match((await service.call(1)).headers, { 'x-attempt': '2', 'idempotency-key': job.job_id })
})

t.test('killed between the outcome and telling the queue: not called again', async (t) => {
  const { service, env, url } = await setUp(t, succeed())
  const job = await enqueue(url)
  // Do what a worker does up to that moment, with the lock of a worker that is gone.
  const connection = await testRedis(t, env.REDIS_URL)
  const prefix = env.REDIS_PREFIX as string
  const dead = new Worker<JobData>(QUEUE_NAME, null, { connection, prefix, lockDuration: 500 })
  const taken = await dead.getNextJob('dead')
  t.equal(taken?.id, job.job_id)
  const writer = new JournalWriter(
    {
      data: taken?.data as JobData,
      maxAttempts: 3,
      createdAt: taken?.timestamp as number,
      processedAt: taken?.processedOn as number,
      last: null,
      cancel: null,
      abandonedAt: null,
    },
    {
      redis: connection,
      keys: journalKeys(prefix),
      token: 'dead',
      logTtlSeconds: 100,
      resultTtlSeconds: 100,
    },
  )
  const step = (type: 'active' | 'progress' | 'completed', progress: number) => ({
    type,
    progress,
    message: '',
  })
  await writer.begin(1, 3, [], [step('active', 0), step('progress', 10)])
  const result = { success: true as const, artifacts: ['a.json'], duration_ms: 1 }
  await writer.settle([step('progress', 100), step('completed', 100)], result)
  await dead.close()
  const before = await status(url, job)
  t.match(before, { status: 'completed', result })
  const queue = operatorQueue(t, env)
  t.equal(await queue.getJobState(job.job_id), 'active')

  const worker = startWorker(t, env)
  // The worker runs one job at a time, so it takes the next job after the one that was left behind.
  while ((await queue.getJobState(job.job_id)) !== 'completed') await new Promise(setImmediate)
  t.ok(worker.logs.some((line) => line.includes(job.job_id)))
  t.equal(service.calls.length, 0)
  t.same(await status(url, job), before)
  const frames = await (await watch(url, job)).rest()
  assertWhole(t, frames)
  t.same(brief(frames), ['queued 0 0', 'active 1 0', 'progress 1 10', 'progress 1 100', 'completed 1 100'])
})

t.test('frozen beyond its lock and thawed: the zombie changes nothing', async (t) => {
  const { service, env, url } = await setUp(t, silence)
  const zombie = await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(url)
  const call = await service.call(0)
  await statusWhen(url, job, ({ progress }) => progress === 20)
  zombie.child.kill('SIGSTOP')
  service.answer = succeed()
  const successor = await startDoor(t, 'server/worker.ts', env)
  const frames = await (await watch(url, job)).rest()
  assertWhole(t, frames)
  t.same(brief(frames), [...SMOOTH.slice(0, 4), 'retrying 1 20 WORKER_LOST', ...SECOND])
  const outcome = await status(url, job)

  // The answer is already in the zombie's socket, so when it thaws, it tries to complete the job.
  await succeed({ results: { written_by: 'a zombie' } })(call)
  t.same((await end(successor)).exit, 0)
  zombie.child.kill('SIGCONT')
  t.match(
    await finished(url, await enqueue(url)),
    { status: 'completed', attempt: 1 },
    'the worker works again',
  )
  t.same(await status(url, job), outcome)
  t.same(await (await watch(url, job)).rest(), frames)
  t.equal(service.calls.length, 3)
  t.equal((await end(zombie)).exit, 0)
})

t.test('frozen and thawed while its successor runs the job: the zombie aborts its call', async (t) => {
  const { service, env, url } = await setUp(t, silence)
  const zombie = await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(url)
  const { hungUp } = await service.call(0)
  await statusWhen(url, job, ({ progress }) => progress === 20)
  zombie.child.kill('SIGSTOP')
  await startDoor(t, 'server/worker.ts', env)
  const second = await service.call(1)
  zombie.child.kill('SIGCONT')
  await hungUp
  await succeed()(second)
  const frames = await (await watch(url, job)).rest()
  assertWhole(t, frames)
  t.same(brief(frames), [...SMOOTH.slice(0, 4), 'retrying 1 20 WORKER_LOST', ...SECOND])
  t.equal(service.calls.length, 2)
})

t.test('a job that kills every worker fails in the end', async (t) => {
  const { service, env, url } = await setUp(t, silence, { STAGE_JOB_ATTEMPTS: '2' })
  const job = await enqueue(url)
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const victim = await startDoor(t, 'server/worker.ts', env)
    await service.call(attempt)
    await statusWhen(url, job, (state) => state.attempt === attempt + 1 && state.progress === 20)
    await end(victim, 'SIGKILL')
  }
  startWorker(t, env)
  const frames = await (await watch(url, job)).rest()
  assertWhole(t, frames)
  t.same(brief(frames), [
    ...SMOOTH.slice(0, 4),
    'retrying 1 20 WORKER_LOST',
    ...SECOND.slice(0, 3),
    'failed 2 20 WORKER_LOST',
  ])
  t.match(await status(url, job), {
    status: 'failed',
    attempt: 2,
    error: { code: 'WORKER_LOST', attempt: 2 },
  })
  t.equal(service.calls.length, 2)
})

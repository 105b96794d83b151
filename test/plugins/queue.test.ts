/** The outcomes of enqueuing (queued, replayed, mismatch, unavailable), and what stays in the queue. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { EnqueueRequest } from '../../journal/enqueue.ts'
import { enqueue, QUESTION, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { absentRedis, adminOf, becomesReady } from '../helpers/outage.ts'
import { openQueue } from '../helpers/queue.ts'
import { privateRedis } from '../helpers/redis.ts'
import { openStream } from '../helpers/sse.ts'
import { fail, fakeStageService, success } from '../helpers/stage-service.ts'

t.test('the four outcomes', async (t) => {
  const redis = await absentRedis(t)
  await redis.start()
  const { app } = await startApi(t, await testEnv(t, { REDIS_URL: redis.url }))
  const first = await app.stagecast.queue.enqueue(request())
  t.match(first, { kind: 'queued', jobId: String })
  const other = await app.stagecast.queue.enqueue(request())
  t.equal(other.kind, 'queued', 'without a key each request is a separate job')

  const keyed = request({ idempotencyKey: 'k' })
  const queued = await app.stagecast.queue.enqueue(keyed)
  t.equal(queued.kind, 'queued')
  t.same(await app.stagecast.queue.enqueue(keyed), { ...queued, kind: 'replayed' })
  t.same(await app.stagecast.queue.enqueue({ ...keyed, stage: 4 }), { kind: 'mismatch' })
  t.same(await app.stagecast.queue.enqueue({ ...keyed, body: { workflow_id: randomUUID() } }), {
    kind: 'mismatch',
  })
  t.equal((await app.stagecast.queue.enqueue({ ...keyed, userId: 'bob' })).kind, 'queued')

  await redis.stop()
  while (app.stagecast.redis.status === 'ready')
    await new Promise((resolve) => app.stagecast.redis.once('close', resolve))
  t.same(
    await app.stagecast.queue.enqueue(keyed),
    { kind: 'unavailable' },
    'nothing was sent, so the answer has no id',
  )
})

t.test('different pairs of user and key never collide', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  const pairs = [
    ['a', 'bc'],
    ['ab', 'c'],
    ['a\nb', 'c'],
    ['a', 'b:c'],
    ['a:b', 'c'],
  ] as const
  for (const [userId, idempotencyKey] of pairs) {
    const outcome = await app.stagecast.queue.enqueue(request({ userId, idempotencyKey }))
    t.equal(outcome.kind, 'queued', JSON.stringify([userId, idempotencyKey]))
  }
})

t.test('while Redis refuses writes', async (t) => {
  const redis = await privateRedis(t)
  const admin = adminOf(t, redis)
  const env = await testEnv(t, { REDIS_URL: redis.url })
  const { app } = await startApi(t, env)
  const done = request({ idempotencyKey: 'done' })
  const queued = await app.stagecast.queue.enqueue(done)
  const lost = request({ idempotencyKey: 'lost' })
  const promised = await app.stagecast.queue.enqueue(lost)
  const { jobId } = promised as { jobId: string }
  // Leave Redis as a process would that died between storing the key and adding the job.
  await openQueue(t, env).remove(jobId)
  await admin.setrange(app.stagecast.journal.keys.asked(jobId), 0, 'q')
  await admin.config('SET', 'maxmemory', '1')
  t.same(
    await app.stagecast.queue.enqueue(done),
    { ...queued, kind: 'replayed' },
    'the key returns the accepted job',
  )
  t.same(
    await app.stagecast.queue.enqueue(lost),
    { kind: 'unavailable' },
    'Redis refused: there is no such job',
  )
  t.same(await app.stagecast.queue.enqueue(request()), { kind: 'unavailable' })
  await admin.config('SET', 'maxmemory', '0')
  t.same(await app.stagecast.queue.enqueue(lost), { kind: 'replayed', jobId })
  t.equal((await openQueue(t, env).getJob(jobId))?.id, jobId, 'now the key is stored')
})

t.test('the queue keeps as many jobs as configured; every result stays readable', async (t) => {
  const service = await fakeStageService(t, (call) =>
    call.stage === 3 ? succeedWith(call) : fail(400, 'NO_GOOD')(call),
  )
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_KEEP_COMPLETED: '2', STAGE_KEEP_FAILED: '1' })
  const api = await startApi(t, env)
  const jobs = []
  for (const stage of [3, 3, 3, 3, 3, 4, 4, 4]) jobs.push(await enqueue(api.url, { stage }))
  startWorker(t, env)
  for (const job of jobs) await (await openStream(api.url + job.urls.events)).rest()
  const queue = openQueue(t, env)
  // Clients see the outcome before the queue follows.
  for (let left = 200; left > 0 && (await queue.getJobCounts('active')).active; left -= 1)
    await queue.getJobCounts()
  t.match(await queue.getJobCounts(), { completed: 2, failed: 1, prioritized: 0, delayed: 0 })
  const states = await Promise.all(jobs.map(({ job_id }) => api.app.stagecast.journal.snapshot(job_id)))
  t.same(
    states.map((state) => state?.status),
    [...Array(5).fill('completed'), ...Array(3).fill('failed')],
  )
})

t.test('a discarded job is gone from the queue, and discarding it again is harmless', async (t) => {
  const env = await testEnv(t)
  const api = await startApi(t, env)
  await becomesReady(api.url)
  const { job_id } = await enqueue(api.url)
  await api.app.stagecast.queue.discard(job_id)
  t.equal(await openQueue(t, env).getJob(job_id), undefined)
  await api.app.stagecast.queue.discard(job_id)
  await api.app.stagecast.queue.discard(randomUUID())
})

function succeedWith(call: Parameters<typeof success>[0]): void {
  call.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(success(call)))
}

function request(fields: Partial<EnqueueRequest> = {}): EnqueueRequest {
  const workflow_id = '123e4567-e89b-12d3-a456-426614174000'
  return { stage: 2, userId: 'alice', body: { workflow_id, research_question: QUESTION }, ...fields }
}

/** Cancelling waiting, running and finished jobs. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import {
  authorization,
  enqueue,
  get,
  type Queued,
  startApi,
  startWorker,
  type TestApi,
  testEnv,
} from '../helpers/app.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { openQueue } from '../helpers/queue.ts'
import { openStream } from '../helpers/sse.ts'
import { fail, fakeStageService, ndjson, silence } from '../helpers/stage-service.ts'

t.test('a waiting job is cancelled at once, and never runs', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const job = await enqueue(api.url)
  for (const about of ['first', 'again', 'and again']) {
    const answer = await cancel(api, job)
    t.equal(answer.status, 200, about)
    t.equal(answer.text, JSON.stringify({ job_id: job.job_id, status: 'cancelled' }), about)
  }
  const state = await get(api.url + job.urls.status)
  t.match(state, {
    status: 'cancelled',
    attempt: 0,
    result: null,
    error: { code: 'CANCELLED', retryable: false, attempt: 0 },
    finished_at: Number,
  })
  t.equal(await openQueue(t, env).getJob(job.job_id), undefined, 'the job has left the queue')
  startWorker(t, env)
  const next = await enqueue(api.url)
  await (await openStream(api.url + next.urls.events)).rest()
  t.same(
    service.calls.map(({ body }) => body.job_id),
    [next.job_id],
    'the worker took the next job',
  )
})

t.test('any process can cancel a running job; its call is aborted', async (t) => {
  const service = await fakeStageService(t, (call) =>
    ndjson([{ type: 'progress', percent: 10 }], { end: false })(call),
  )
  const env = await testEnv(t, { WORKER_URL: service.url })
  const [one, two] = [await startApi(t, env), await startApi(t, env)]
  startWorker(t, env)
  const job = await enqueue(one.url)
  const stream = await openStream(one.url + job.urls.events)
  const call = await service.call(0)
  const answer = await cancel(two, job)
  t.equal(answer.status, 202)
  t.equal(answer.text, JSON.stringify({ job_id: job.job_id, status: 'cancelling' }))
  await call.hungUp
  const events = (await stream.rest()).map(({ event }) => event)
  t.same(events.slice(-2), ['cancelling', 'cancelled'])
  const later = await cancel(one, job)
  t.equal(later.status, 200)
  t.match(JSON.parse(later.text), { status: 'cancelled' })
  t.equal(service.calls.length, 1, 'the job is not retried')
})

t.test('a job that waits for its next attempt is cancelled at once', async (t) => {
  const service = await fakeStageService(t, fail(503, 'BUSY'))
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_JOB_BACKOFF_MS: '60000' })
  const api = await startApi(t, env)
  startWorker(t, env)
  const job = await enqueue(api.url)
  await (await openStream(api.url + job.urls.events)).until('retrying')
  const queue = openQueue(t, env)
  // Clients see the end of the attempt before the queue has delayed the job.
  for (let left = 500; left > 0 && (await queue.getDelayedCount()) === 0; left -= 1)
    await queue.getDelayedCount()
  const answer = await cancel(api, job)
  t.equal(answer.status, 200, answer.text)
  t.match(await get(api.url + job.urls.status), {
    status: 'cancelled',
    attempt: 1,
    error: { code: 'CANCELLED', attempt: 1 },
  })
  t.equal(await queue.getDelayedCount(), 0)
})

t.test('a finished job does not change', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  startWorker(t, env)
  for (const [answer, status] of [
    [service.answer, 'completed'],
    [fail(400, 'NO_GOOD'), 'failed'],
  ] as const) {
    service.answer = answer
    const job = await enqueue(api.url)
    await (await openStream(api.url + job.urls.events)).rest()
    const before = await get(api.url + job.urls.status)
    t.equal(before.status, status)
    const { detail } = isProblem(t, await cancel(api, job), 'JOB_FINISHED', status)
    t.match(detail, status)
    t.strictSame(await get(api.url + job.urls.status), before)
  }
})

t.test('20 simultaneous cancels get the same answer', async (t) => {
  const env = await testEnv(t)
  const apis = [await startApi(t, env), await startApi(t, env)] as const
  const job = await enqueue(apis[0].url)
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => cancel(apis[i % 2] as TestApi, job)))
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  const page = { headers: { accept: 'application/json' } }
  const { events } = (await (await fetch(apis[0].url + job.urls.events, page)).json()) as {
    events: { event: string }[]
  }
  t.same(
    events.map(({ event }) => event),
    ['queued', 'cancelled'],
    'cancelled once',
  )
})

t.test('repeating the request of a cancelled job with its key starts nothing', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const request = { headers: { 'idempotency-key': 'k' }, body: { workflow_id: randomUUID() } }
  const job = await enqueue(api.url, request)
  t.equal((await cancel(api, job)).status, 200)
  t.equal((await enqueue(api.url, request)).job_id, job.job_id)
  t.match(await openQueue(t, env).getJobCounts('prioritized', 'active', 'delayed'), {
    prioritized: 0,
    active: 0,
    delayed: 0,
  })
  t.equal((await get(api.url + job.urls.status)).status, 'cancelled')
})

t.test('an unknown job', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const nowhere = { ...job, urls: { ...job.urls, cancel: job.urls.cancel.replace(job.job_id, randomUUID()) } }
  isProblem(t, await cancel(api, nowhere), 'JOB_NOT_FOUND')
  const elsewhere = { ...job, urls: { ...job.urls, cancel: job.urls.cancel.replace('/2/', '/3/') } }
  isProblem(t, await cancel(api, elsewhere), 'JOB_NOT_FOUND')
  isProblem(t, await cancel(api, job, 'bob'), 'JOB_NOT_FOUND')
  t.equal((await get(api.url + job.urls.status)).status, 'queued', 'the job has not changed')
})

t.test('a body is not needed, and an empty one of type JSON does no harm', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const headers = { ...authorization(), 'content-type': 'application/json' }
  const answer = await answered(fetch(api.url + job.urls.cancel, { method: 'POST', headers }))
  t.equal(answer.status, 200, answer.text)
})

async function cancel({ url }: TestApi, { urls }: Queued, user?: string) {
  return answered(fetch(url + urls.cancel, { method: 'POST', headers: authorization(user) }))
}

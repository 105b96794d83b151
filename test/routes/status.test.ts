/** A job's status: its form, its ETag, and long polling. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import {
  authorization,
  enqueue,
  execute,
  get,
  type Queued,
  startApi,
  startWorker,
  type TestApi,
  testEnv,
} from '../helpers/app.ts'
import { collectGarbage } from '../helpers/garbage.ts'
import { answered, injected, isProblem } from '../helpers/problem.ts'
import { openRaw } from '../helpers/raw.ts'
import { openStream } from '../helpers/sse.ts'
import { fail, fakeStageService, json, silence, success } from '../helpers/stage-service.ts'

t.test('the form of the status, from queued to completed', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const before = Date.now()
  const workflow_id = randomUUID()
  const inputs = { max_results: 3 }
  const job = await enqueue(api.url, { body: { workflow_id, inputs } })
  const first = await poll(api, job)
  t.equal(first.status, 200)
  const queued = JSON.parse(first.text)
  t.strictSame(queued, {
    job_id: job.job_id,
    stage: 2,
    workflow_id,
    status: 'queued',
    progress: 0,
    attempt: 0,
    max_attempts: 3,
    cursor: '000000000000',
    data: {
      stage: 2,
      workflow_id,
      research_question: queued.data.research_question,
      user_id: 'alice',
      inputs,
    },
    result: null,
    error: null,
    created_at: queued.created_at,
    processed_at: null,
    finished_at: null,
    estimate: null,
  })
  t.ok(queued.created_at >= before - 5 && queued.created_at <= Date.now())
  t.equal(first.header('retry-after'), '1')
  t.equal(first.header('etag'), '"000000000000"')
  t.match(first.header('cache-control'), /private.*no-cache/)

  startWorker(t, env)
  const call = await service.call(0)
  const active = JSON.parse((await poll(api, job, '?after=000100000010&wait=5')).text)
  t.match(active, { status: 'active', attempt: 1, result: null, finished_at: null, processed_at: Number })
  t.ok(active.progress >= 10 && active.progress <= 20)
  json(200, success(call, { artifacts: ['a.json'], job_id: randomUUID(), stage: 9 }))(call)
  await (await openStream(api.url + job.urls.events)).rest()

  const last = await poll(api, job)
  const done = JSON.parse(last.text)
  t.match(done, { status: 'completed', progress: 100, error: null, stage: 2, job_id: job.job_id })
  t.strictSame(done.result, { success: true, artifacts: ['a.json'], version: '', duration_ms: 5 })
  t.ok(done.created_at <= done.processed_at && done.processed_at <= done.finished_at)
  t.equal(last.header('retry-after'), undefined, 'a finished job has no Retry-After')
  t.equal(last.header('etag'), `"${done.cursor}"`)
  t.ok(done.cursor > active.cursor && active.cursor > queued.cursor)
})

t.test('a failed job', async (t) => {
  const service = await fakeStageService(t, fail(400, 'NO_GOOD'))
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  startWorker(t, env)
  const job = await enqueue(api.url)
  await (await openStream(api.url + job.urls.events)).rest()
  const { header, text } = await poll(api, job)
  t.match(JSON.parse(text), {
    status: 'failed',
    result: null,
    error: { code: 'NO_GOOD', message: 'the service says NO_GOOD', retryable: false, attempt: 1 },
    finished_at: Number,
  })
  t.equal(header('retry-after'), undefined)
})

t.test('If-None-Match', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const tag = '"000000000000"'
  for (const matching of [tag, `W/${tag}`, `"a", ${tag}`, `W/"x" ,W/${tag},"y"`, '*', ` ${tag} `]) {
    const answer = await poll(api, job, '', { 'if-none-match': matching })
    t.equal(answer.status, 304, matching)
    t.equal(answer.text, '', 'without a body')
    t.equal(answer.header('etag'), tag)
    t.equal(answer.header('retry-after'), '1')
  }
  for (const other of ['"000000000001"', '000000000000', '""', 'W/"0"', `"${tag}`, 'x']) {
    t.equal((await poll(api, job, '', { 'if-none-match': other })).status, 200, other)
  }
})

t.test('a long poll answers at once when something is newer', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  await cancel(api, job)
  const { text } = await poll(api, job, '?after=000000000000&wait=30')
  t.equal(JSON.parse(text).status, 'cancelled')
  const { cursor } = JSON.parse(text)
  t.equal(
    JSON.parse((await poll(api, job, `?after=${cursor}&wait=30`)).text).status,
    'cancelled',
    'no event will follow',
  )
  const queued = await enqueue(api.url)
  t.equal(
    JSON.parse((await poll(api, queued, '?wait=30')).text).status,
    'queued',
    'without `after` there is nothing to wait for',
  )
  t.equal(
    JSON.parse((await poll(api, queued, '?after=000000000000')).text).status,
    'queued',
    'no time to wait',
  )
  t.equal(JSON.parse((await poll(api, queued, '?after=000000000000&wait=0')).text).status, 'queued')
})

t.test('an event ends a long poll, at another process too', async (t) => {
  const env = await testEnv(t)
  const [one, two] = [await startApi(t, env), await startApi(t, env)]
  const job = await enqueue(one.url)
  const startedAt = performance.now()
  const waiting = [one, two].map((api) => poll(api, job, '?after=000000000000&wait=30'))
  await Promise.all([watching(one, 1), watching(two, 1)])
  await cancel(one, job)
  for (const { status, text, header } of await Promise.all(waiting)) {
    t.equal(status, 200)
    t.equal(JSON.parse(text).status, 'cancelled')
    t.equal(header('etag'), `"${JSON.parse(text).cursor}"`)
  }
  t.ok(performance.now() - startedAt < 10_000, 'before the end of its wait')
  await Promise.all([watching(one, 0), watching(two, 0)])
})

t.test('a long poll without news returns the current state', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const startedAt = performance.now()
  const waiting = poll(api, job, '?after=000000000000&wait=1')
  await watching(api, 1)
  // A timer with only weak references would be garbage-collected, and the response with it.
  collectGarbage()
  const answer = await Promise.race([waiting, timeUp(5000)])
  const ms = performance.now() - startedAt
  t.ok(answer, 'it is answered')
  t.ok(ms > 900, `after ${Math.round(ms)} ms`)
  t.equal(answer && JSON.parse(answer.text).status, 'queued')
  const tagged = await poll(api, job, '?after=000000000000&wait=0.05', { 'if-none-match': '"000000000000"' })
  t.equal(tagged.status, 304)
  await watching(api, 0)
})

t.test('the wait ends when the client disconnects', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const socket = openRaw(api.url)
  await once(socket, 'connect')
  socket.write(
    `GET ${job.urls.status}?after=000000000000&wait=30 HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization().authorization}\r\n\r\n`,
  )
  await watching(api, 1)
  socket.destroy()
  await watching(api, 0)
  t.equal(api.app.stagecast.progress.watched, 0)
})

t.test('closing the API answers a long poll', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const waiting = poll(api, job, '?after=000000000000&wait=30')
  await watching(api, 1)
  const startedAt = performance.now()
  await api.app.close()
  const { status, text } = await waiting
  t.equal(status, 200, text)
  t.ok(performance.now() - startedAt < 5000)
})

t.test('invalid queries', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  for (const query of [
    'after=x',
    'after=00000000000',
    'after=0000000000000',
    'after=-00000000001',
    'after=000000000000&after=000000000000',
    'wait=-1',
    'wait=30.1',
    'wait=abc',
    'wait=NaN',
    'wait=Infinity',
    'wait=-Infinity',
    'after=000000000000&wait=Infinity',
    'wait=1e3',
    'wait=1&wait=2',
  ]) {
    const { errors } = isProblem(t, await poll(api, job, `?${query}`), 'VALIDATION_FAILED', query)
    t.match(errors?.[0]?.path, /^querystring\/(after|wait)/, query)
  }
  t.equal((await poll(api, job, '?after=999999999999')).status, 200, 'a cursor ahead of the job is accepted')
})

t.test('other users cannot see a job or that it exists', async (t) => {
  const service = await fakeStageService(t, (call) =>
    json(200, success(call, { artifacts: ['a.json'] }))(call),
  )
  service.onGet = (_url, response) => void response.end('secret')
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const waiting = await enqueue(api.url)
  startWorker(t, env)
  const done = await enqueue(api.url)
  for (const job of [waiting, done]) await (await openStream(api.url + job.urls.events)).rest()

  const routes = [
    ['GET', 'status'],
    ['GET', 'status?after=000000000000&wait=30'],
    ['GET', 'events'],
    ['POST', 'cancel'],
    ['POST', 'tickets'],
    ['GET', 'artifacts/a.json'],
  ] as const
  const ask = (user: string, method: 'GET' | 'POST', url: string) =>
    api.app.inject({ method, url, headers: authorization(user) })
  for (const [method, path] of routes) {
    const missing = await ask('bob', method, `/api/workflow/stages/2/jobs/${randomUUID()}/${path}`)
    isProblem(t, injected(missing), 'JOB_NOT_FOUND', path)
    for (const [about, user, stage] of [
      ['another user', 'bob', 2],
      ['another stage', 'alice', 3],
      ['both', 'bob', 3],
    ] as const) {
      const url = `/api/workflow/stages/${stage}/jobs/${done.job_id}/${path}`
      const answer = await ask(user, method, url)
      t.equal(answer.statusCode, missing.statusCode, `${about}: ${path}`)
      t.equal(answer.body, missing.body, `${about}: ${path}`)
      const { date: _, 'x-request-id': _id, ...headers } = answer.headers
      const { date: __, 'x-request-id': __id, ...expected } = missing.headers
      t.same(headers, expected, `${about}: ${path}`)
    }
  }
  t.equal((await get(api.url + done.urls.status)).status, 'completed')
})

t.test('a finished job can be read for as long as promised, and not afterwards', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url, RESULT_TTL_SECONDS: '100' })
  const api = await startApi(t, env)
  startWorker(t, env)
  const response = await execute(api.url)
  const job = (await response.json()) as Queued
  await (await openStream(api.url + job.urls.events)).rest()
  const end = api.app.stagecast.journal.keys.end(job.job_id)
  const ttl = await api.app.stagecast.redis.ttl(end)
  t.ok(ttl > 90 && ttl <= 100, `${ttl} s`)
  await api.app.stagecast.redis.del(end)
  isProblem(t, await poll(api, job), 'JOB_NOT_FOUND', 'although the queue still keeps it')
})

async function poll({ url }: TestApi, { urls }: Queued, query = '', headers: Record<string, string> = {}) {
  return answered(fetch(url + urls.status + query, { headers: { ...authorization(), ...headers } }))
}

async function cancel({ url }: TestApi, { urls }: Queued): Promise<void> {
  const { status } = await fetch(url + urls.cancel, { method: 'POST', headers: authorization() })
  if (status !== 200) throw new Error(`cancel answered ${status}`)
}

/** Waits until `count` jobs are watched in this process. */
async function watching({ app }: TestApi, jobs: number): Promise<void> {
  const end = Date.now() + 10_000
  while (app.stagecast.progress.watched !== jobs) {
    if (Date.now() > end) throw new Error(`${app.stagecast.progress.watched} jobs are watched, not ${jobs}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function timeUp(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms).unref())
}

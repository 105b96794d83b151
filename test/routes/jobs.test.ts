/** The list of the caller's own jobs. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { JobSummary } from '../../contract/job.ts'
import { JOBS_CAPACITY } from '../../journal/order.ts'
import { authorization, type Execute, enqueue, get, startApi, type TestApi, testEnv } from '../helpers/app.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { runningJob, scriptJob } from '../helpers/scripted-job.ts'

interface Page {
  jobs: JobSummary[]
  next: string | null
}

const list = (api: TestApi, query = '', user?: string) =>
  get<Page>(`${api.url}/api/workflow/jobs${query && `?${query}`}`, user)
const ids = ({ jobs }: Page) => jobs.map(({ job_id }) => job_id)

/** Every page of a query, by following `next`. */
async function pages(api: TestApi, query: string, between = async () => {}): Promise<Page[]> {
  const found: Page[] = []
  for (let next: string | null = ''; next !== null; ) {
    const page: Page = await list(api, next ? `${query}&after=${next}` : query)
    found.push(page)
    next = page.next
    await between()
  }
  return found
}

async function accept(api: TestApi, count: number, options?: Execute): Promise<string[]> {
  const accepted: string[] = []
  for (let i = 0; i < count; i += 1) accepted.unshift((await enqueue(api.url, options)).job_id)
  return accepted
}

async function start(t: Test, overrides = {}) {
  return startApi(t, await testEnv(t, overrides))
}

t.test('a job in every state, newest first', async (t) => {
  const api = await start(t)
  t.same(await list(api), { jobs: [], next: null })
  const workflow_id = randomUUID()
  const waiting = await scriptJob(api, { stage: 3, body: { workflow_id, research_question: undefined } })
  const running = await runningJob(api, 1)
  const failed = await runningJob(api, 1)
  await failed.fail()
  const done = await runningJob(api, 2)
  await done.complete({ papers: 'x'.repeat(50_000) })
  const page = await list(api)
  t.same(ids(page), [done.id, failed.id, running.id, waiting.id])
  t.equal(page.next, null)
  t.match(page.jobs, [
    { status: 'completed', progress: 100, finished_at: Number, error: null },
    { status: 'failed', error: { code: 'BROKEN', attempt: 1 }, finished_at: Number },
    { status: 'active', attempt: 1, max_attempts: 3, finished_at: null },
    { status: 'queued', stage: 3, workflow_id, research_question: null, processed_at: null },
  ])
  t.match(page.jobs[0]?.research_question, /intermittent fasting/)
  t.notOk('result' in (page.jobs[0] ?? {}), 'no results: they may be large')
  const { cursor: _, data, result: __, estimate: ___, ...rest } = await get(api.url + done.urls.status)
  const expected = { ...rest, research_question: (data as { research_question: string }).research_question }
  t.same(page.jobs[0], expected, 'the same data as its status')

  await api.app.stagecast.redis.del(done.keys.job(done.id), done.keys.log(done.id))
  t.equal(ids(await list(api))[0], done.id, 'even after the queue has removed the job')
})

t.test('filters', async (t) => {
  const api = await start(t)
  const [one, two] = [randomUUID(), randomUUID()]
  const jobs = new Map<string, string>()
  for (const stage of [2, 5])
    for (const [name, workflow_id] of Object.entries({ one, two }))
      jobs.set(`${stage} ${name}`, (await enqueue(api.url, { stage, body: { workflow_id } })).job_id)
  const done = await runningJob(api, 1, { stage: 5, body: { workflow_id: one } })
  await done.complete()
  const of = (...names: string[]) => names.map((name) => jobs.get(name))
  t.same(ids(await list(api, 'stage=2')), of('2 two', '2 one'))
  t.same(ids(await list(api, `workflow_id=${two}`)), of('5 two', '2 two'))
  t.same(ids(await list(api, `workflow_id=${one}&stage=5`)), [done.id, ...of('5 one')])
  t.same(ids(await list(api, `workflow_id=${one}&stage=5&status=queued`)), of('5 one'))
  t.same(ids(await list(api, 'status=completed')), [done.id])
  t.same(await list(api, 'status=failed'), { jobs: [], next: null })
  t.same(await list(api, `workflow_id=${randomUUID()}`), { jobs: [], next: null })
})

t.test('search finds text in questions, and jobs and workflows by the beginning of their ID', async (t) => {
  const api = await start(t)
  const workflow_id = randomUUID()
  const ask = (research_question: string | undefined, stage = 2) =>
    enqueue(api.url, { stage, body: { research_question, ...(stage === 3 && { workflow_id }) } })
  const sleep = await ask('Does better SLEEP improve memory?')
  const none = await ask(undefined, 3)
  const diet = await ask('Does a better diet improve sleep quality?')
  const found = async (text: string) => ids(await list(api, `search=${encodeURIComponent(text)}`))
  t.same(await found('sleep'), [diet.job_id, sleep.job_id], 'in any case, newest first')
  t.same(await found(' better sleep '), [sleep.job_id])
  t.same(await found(none.job_id.slice(0, 13)), [none.job_id])
  t.same(await found(workflow_id.slice(0, 13).toUpperCase()), [none.job_id])
  t.same(await found('no such words'), [])
  t.same((await found('')).length, 3, 'an empty search matches everything')
  t.same(ids(await list(api, 'search=improve&stage=3')), [])
})

t.test('other users do not see them', async (t) => {
  const api = await start(t)
  const workflow_id = randomUUID()
  const mine = await accept(api, 2, { body: { workflow_id } })
  const theirs = await accept(api, 1, { user: 'bob', body: { workflow_id } })
  t.same(ids(await list(api)), mine)
  t.same(ids(await list(api, `workflow_id=${workflow_id}`, 'bob')), theirs)
  t.same(await list(api, '', 'carol'), { jobs: [], next: null })
})

t.test('a job with a repeated key is listed once', async (t) => {
  const api = await start(t)
  const options = { headers: { 'idempotency-key': 'once' }, body: { workflow_id: randomUUID() } }
  const first = await enqueue(api.url, options)
  await enqueue(api.url, options)
  // After a crash before the confirmation, the job is added again.
  await api.app.stagecast.redis.setrange(api.app.stagecast.journal.keys.asked(first.job_id), 0, 'q')
  await enqueue(api.url, options)
  t.same(ids(await list(api)), [first.job_id])
})

t.test('jobs arrive and end while a client reads pages', async (t) => {
  const api = await start(t)
  const early = await accept(api, 23)
  const finishing = await runningJob(api, 0)
  const walked = await pages(api, 'limit=5', async () => {
    await accept(api, 3)
    await finishing.steps(1)
  })
  t.same(walked.flatMap(ids), [finishing.id, ...early], 'no job is skipped or repeated')
  t.ok(walked.slice(0, -1).every(({ jobs }) => jobs.length === 5))
})

t.test('expired jobs leave no gap in the pages', async (t) => {
  const api = await start(t)
  const kept = await accept(api, 2)
  for (let i = 0; i < 30; i += 1) {
    const job = await runningJob(api, 0)
    await job.complete()
    const { keys } = job
    await api.app.stagecast.redis.del(
      keys.job(job.id),
      keys.end(job.id),
      keys.summary(job.id),
      keys.log(job.id),
    )
  }
  const newest = await accept(api, 1)
  t.same((await pages(api, 'limit=2')).flatMap(ids), [...newest, ...kept])
  t.equal(
    await api.app.stagecast.redis.zcard(api.app.stagecast.journal.keys.jobs('alice')),
    3,
    'and are removed',
  )
})

t.test('a summary expires with the result', async (t) => {
  const api = await start(t, { RESULT_TTL_SECONDS: '100' })
  const job = await scriptJob(api)
  await api.app.stagecast.journal.cancel(await origin(api, job.id))
  const { redis } = api.app.stagecast
  t.ok((await redis.ttl(job.keys.summary(job.id))) <= 100)
  t.ok((await redis.ttl(job.keys.summary(job.id))) > 90)
  t.ok((await redis.ttl(job.keys.jobs('alice'))) > 100, 'the list outlives it')
})

t.test('a filter that matches nothing costs a bounded number of calls', async (t) => {
  const api = await start(t)
  const { redis, journal } = api.app.stagecast
  const key = journal.keys.jobs('alice')
  const [one] = await accept(api, 1)
  const members: string[] = []
  for (let i = 1; i <= 3000; i += 1) members.push(String(1e15 + i), `${randomUUID()}:4:${randomUUID()}`)
  await redis.zadd(key, ...members)
  let calls = 0
  const { pipeline, zrevrangebyscore } = redis
  Object.assign(redis, {
    pipeline: (...args: []) => {
      calls += 1
      return pipeline.apply(redis, args)
    },
    zrevrangebyscore: (...args: Parameters<typeof zrevrangebyscore>) => {
      calls += 1
      return zrevrangebyscore.apply(redis, args)
    },
  })
  const [job] = await accept(api, 1, { stage: 7 })
  calls = 0
  const page = await list(api, 'stage=9')
  t.same(page.jobs, [])
  t.equal(calls, 1, 'one read of the list, none of a job')
  t.ok(page.next, 'there is another page')
  const walked = await pages(api, 'stage=7')
  t.same(walked.flatMap(ids), [job])
  t.ok(walked.length <= 5, `${walked.length} pages`)
  calls = 0
  t.same((await list(api, 'status=failed&limit=100')).jobs, [])
  t.ok(calls <= 4, `${calls} calls`)
  t.same((await pages(api, 'limit=100')).flatMap(ids), [job, one])
})

t.test('the list is bounded', async (t) => {
  const api = await start(t)
  const key = api.app.stagecast.journal.keys.jobs('alice')
  const members: string[] = []
  for (let i = 1; i <= JOBS_CAPACITY; i += 1) members.push(String(i), `${randomUUID()}:4:w`)
  await api.app.stagecast.redis.zadd(key, ...members)
  const [job] = await accept(api, 1)
  t.equal(await api.app.stagecast.redis.zcard(key), JOBS_CAPACITY)
  t.match((await api.app.stagecast.redis.zrange(key, '-1', '-1'))[0], job)
})

t.test('a job whose list has expired while it waited is listed again once it changes', async (t) => {
  const api = await start(t)
  const job = await scriptJob(api)
  await api.app.stagecast.redis.del(api.app.stagecast.journal.keys.jobs('alice'))
  t.same(ids(await list(api)), [])
  await job.begin()
  t.same(ids(await list(api)), [job.id])
})

t.test('bad requests', async (t) => {
  const api = await start(t)
  const ask = (query: string, headers = authorization()) =>
    answered(fetch(`${api.url}/api/workflow/jobs?${query}`, { headers }))
  for (const query of [
    'limit=0',
    'limit=101',
    'limit=x',
    'stage=1000',
    'stage=x',
    'status=done',
    'workflow_id=7',
    'after=x',
  ])
    isProblem(t, await ask(query), 'VALIDATION_FAILED', query)
  isProblem(t, await answered(fetch(`${api.url}/api/workflow/jobs`)), 'UNAUTHENTICATED', 'without a token')
  isProblem(
    t,
    await answered(fetch(`${api.url}/api/workflow/jobs`, { method: 'DELETE', headers: authorization() })),
    'METHOD_NOT_ALLOWED',
    'DELETE',
  )
})

async function origin(api: TestApi, jobId: string) {
  const snapshot = await api.app.stagecast.journal.snapshot(jobId)
  if (!snapshot) throw new Error('the job is gone')
  return { ...snapshot.data, job_id: jobId }
}

/** DELETE of jobs and workflows: first the files, then all data, and never half of a job. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
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
  token,
} from '../helpers/app.ts'
import { cancel, finished } from '../helpers/jobs.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { dump } from '../helpers/redis-dump.ts'
import { openStream } from '../helpers/sse.ts'
import { type FakeStageService, fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

const asAdmin = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }
const urlOf = ({ job_id }: { job_id: string }, stage = 2) => `/api/workflow/stages/${stage}/jobs/${job_id}`

function remove(url: string, path: string, headers: Record<string, string> = authorization()) {
  return fetch(url + path, { method: 'DELETE', headers })
}

async function startAll(t: Test, overrides: Record<string, string> = {}) {
  const service = await fakeStageService(t, succeed({ artifacts: ['a.json'] }))
  const env = await testEnv(t, { WORKER_URL: service.url, ...overrides })
  const api = await startApi(t, env)
  startWorker(t, env)
  return { service, env, api, url: api.url }
}

/** The paths that the service was told to delete; it answers with `status`. */
function deletions(service: FakeStageService, status: (path: string) => number = () => 204): string[] {
  const asked: string[] = []
  service.onDelete = (path, response) => {
    asked.push(path)
    response.writeHead(status(path)).end()
  }
  return asked
}

/** All remaining data that contains a job's ID. */
async function partsOf(api: TestApi, { job_id }: Queued): Promise<[string, unknown][]> {
  const all = JSON.parse(await dump(api)) as [string, unknown][]
  return all.filter((one) => JSON.stringify(one).includes(job_id))
}

t.test('a deleted job leaves nothing behind', async (t) => {
  const { service, api, url } = await startAll(t)
  const asked = deletions(service)
  const research_question = 'Does the zanzibarquestion matter to anybody at all?'
  const body = { workflow_id: randomUUID(), research_question, inputs: { max_results: 77 } }
  const key = { 'idempotency-key': 'k' }
  const job = await enqueue(url, { body, headers: key })
  const other = await enqueue(url, { body: { workflow_id: body.workflow_id } })
  await finished(url, job)
  await finished(url, other)
  t.match(await dump(api), 'zanzibarquestion')
  const { redis, journal } = api.app.stagecast
  const remembered = await redis.get(journal.keys.asked(job.job_id))
  const ttl = await redis.ttl(journal.keys.asked(job.job_id))

  const answer = await remove(url, urlOf(job))
  t.match([answer.status, await answer.text()], [204, ''])
  t.same(asked, [`/api/workflow/jobs/${job.job_id}`])
  const left = await dump(api)
  t.notMatch(left, 'zanzibarquestion')
  const named = (await partsOf(api, job)).map(([name]) => name.split(':').slice(2, 3).join())
  t.same(named, ['asked', 'events', 'order'], 'only its ID and the positions of its events remain')

  t.equal(await redis.get(journal.keys.asked(job.job_id)), `d${remembered?.slice(1)}`)
  t.ok(
    ttl - (await redis.ttl(journal.keys.asked(job.job_id))) < 100,
    'the mark of the deleted job expires with the key',
  )
  isProblem(t, await answered(execute(url, { body, headers: key })), 'JOB_DELETED')
  isProblem(t, await answered(execute(url, { headers: key })), 'IDEMPOTENCY_KEY_REUSED')
  for (const path of ['/status', '/events/page', '/artifacts/a.json'])
    isProblem(
      t,
      await answered(fetch(url + urlOf(job) + path, { headers: authorization() })),
      'JOB_NOT_FOUND',
      path,
    )
  isProblem(t, await answered(remove(url, urlOf(job))), 'JOB_NOT_FOUND', 'a second time')
  const { jobs } = await get<{ jobs: Queued[] }>(`${url}/api/workflow/jobs`)
  t.same(
    jobs.map(({ job_id }) => job_id),
    [other.job_id],
  )
  const line = api.logs.map((one) => JSON.parse(one)).find(({ msg }) => msg === 'a job was deleted')
  t.match(line, { actor: 'alice', jobId: job.job_id })
})

t.test('the stream of a workflow continues without the events of a deleted job', async (t) => {
  const { url } = await startAll(t)
  const workflow_id = randomUUID()
  const [one, two] = [
    await enqueue(url, { body: { workflow_id } }),
    await enqueue(url, { body: { workflow_id } }),
  ]
  await finished(url, one)
  await finished(url, two)
  const watch = () =>
    openStream(`${url}/api/workflow/workflows/${workflow_id}/events`, { headers: authorization() })
  const first = await watch()
  await first.until('completed')
  t.equal((await remove(url, urlOf(one))).status, 204)
  const three = await enqueue(url, { body: { workflow_id } })
  await finished(url, three)
  const second = await watch()
  const seen = new Set<string>()
  for await (const { event, data } of second) {
    if (data?.job_id) seen.add(data.job_id)
    if (event === 'completed' && data.job_id === three.job_id) break
  }
  t.same([...seen], [two.job_id, three.job_id])
})

t.test('a job that has not finished is not deleted', async (t) => {
  const { service, url } = await startAll(t)
  const asked = deletions(service)
  service.answer = silence
  const job = await enqueue(url)
  await service.call(0)
  isProblem(t, await answered(remove(url, urlOf(job))), 'JOB_NOT_FINISHED')
  t.same(asked, [], 'the service was not asked')
  await cancel(url, job)
  await finished(url, job)
  t.equal((await remove(url, urlOf(job))).status, 204)
})

t.test("the stage service's responses to deleting files", async (t) => {
  const { service, api, url } = await startAll(t)
  for (const status of [200, 204, 404, 405]) {
    const job = await enqueue(url)
    await finished(url, job)
    deletions(service, () => status)
    t.equal((await remove(url, urlOf(job))).status, 204, `${status} counts as done`)
    const line = api.logs.map((one) => JSON.parse(one)).find((one) => one.jobId === job.job_id && one.status)
    t.equal(line?.status, status < 300 ? undefined : status, 'a service that deleted nothing is logged')
  }
  const job = await enqueue(url)
  const state = await finished(url, job)
  for (const status of [301, 400, 401, 409, 500, 503]) {
    deletions(service, () => status)
    const before = await partsOf(api, job)
    isProblem(t, await answered(remove(url, urlOf(job))), 'STAGE_SERVICE_UNAVAILABLE', `${status}`)
    t.same(await partsOf(api, job), before, 'nothing was removed')
  }
  service.onDelete = (_path, response) => response.destroy()
  isProblem(t, await answered(remove(url, urlOf(job))), 'STAGE_SERVICE_UNAVAILABLE', 'no answer')
  t.same(await get(url + job.urls.status), state)
  deletions(service)
  t.equal((await remove(url, urlOf(job))).status, 204, 'a repeat continues')
})

t.test('a job that an operator ended in the queue', async (t) => {
  const env = await testEnv(t, { WORKER_URL: (await fakeStageService(t)).url })
  const api = await startApi(t, env)
  const { redis, journal } = api.app.stagecast
  const job = await enqueue(api.url)
  const now = Date.now()
  await redis.zrem(journal.keys.own('prioritized'), job.job_id)
  await redis.zadd(journal.keys.own('failed'), now, job.job_id)
  await redis.hset(journal.keys.job(job.job_id), 'finishedOn', now)
  t.match(await get(api.url + job.urls.status), { status: 'failed', error: { code: 'JOB_ABANDONED' } })
  t.equal((await remove(api.url, urlOf(job))).status, 204)
  t.same(
    (await partsOf(api, job)).map(([name]) => name.split(':').slice(2, 3).join()),
    ['asked', 'events', 'order'],
  )
})

t.test('a workflow with all its jobs', async (t) => {
  const { service, api, url } = await startAll(t)
  const workflow_id = randomUUID()
  const path = `/api/workflow/workflows/${workflow_id}`
  const body = { workflow_id }
  const jobs: Queued[] = []
  for (const stage of [2, 3, 4]) jobs.push(await enqueue(url, { stage, body }))
  const foreign = await enqueue(url, { user: 'bob', body })
  for (const job of jobs) await finished(url, job)
  const stream = await openStream(`${url}${path}/events`, { headers: authorization() })
  await stream.until('completed')

  service.answer = silence
  const running = await enqueue(url, { body })
  isProblem(t, await answered(remove(url, path)), 'JOB_NOT_FINISHED')
  await cancel(url, running)
  await finished(url, running)

  // The service does not confirm the second job: the first is gone, the others are untouched, and a repeat continues.
  const refused = jobs[1] as Queued
  const asked = deletions(service, (at) => (at.endsWith(refused.job_id) ? 500 : 204))
  isProblem(t, await answered(remove(url, path)), 'STAGE_SERVICE_UNAVAILABLE')
  t.equal(asked.length, 2)
  const list = () => get<{ jobs: Queued[] }>(`${url}/api/workflow/jobs?workflow_id=${workflow_id}`)
  t.same(
    (await list()).jobs.map(({ job_id }) => job_id).sort(),
    [refused, jobs[2] as Queued, running].map(({ job_id }) => job_id).sort(),
  )
  t.match(await get(url + refused.urls.status), { status: 'completed' })

  deletions(service)
  t.equal((await remove(url, path)).status, 204)
  const rest = await stream.rest()
  t.equal(rest.at(-1)?.event, 'gone', 'watching clients are notified')
  t.same((await list()).jobs, [])
  for (const at of [remove(url, path), fetch(`${url}${path}/events/page`, { headers: authorization() })])
    isProblem(t, await answered(at), 'WORKFLOW_NOT_FOUND')
  t.match(
    await get(url + foreign.urls.status, 'bob'),
    { status: 'completed' },
    "the other user's workflow remains",
  )
  const lines = api.logs.map((one) => JSON.parse(one)).filter(({ msg }) => msg === 'a workflow was deleted')
  t.match(lines, [{ actor: 'alice', workflowId: workflow_id }])
})

t.test('only the owner and administrators may delete', async (t) => {
  const { service, api, url } = await startAll(t)
  deletions(service)
  const workflow_id = randomUUID()
  const path = `/api/workflow/workflows/${workflow_id}`
  const [one, two] = [await enqueue(url), await enqueue(url, { body: { workflow_id } })]
  await finished(url, one)
  await finished(url, two)
  isProblem(t, await answered(remove(url, urlOf(one), authorization('bob'))), 'JOB_NOT_FOUND')
  isProblem(t, await answered(remove(url, path, authorization('bob'))), 'WORKFLOW_NOT_FOUND')
  isProblem(t, await answered(remove(url, `${path}?owner=alice`)), 'FORBIDDEN', 'even of oneself')
  t.equal((await remove(url, urlOf(one), asAdmin)).status, 204)
  isProblem(t, await answered(remove(url, path, asAdmin)), 'WORKFLOW_NOT_FOUND', 'it is not his')
  t.equal((await remove(url, `${path}?owner=alice`, asAdmin)).status, 204)
  const acts = api.logs.map((line) => JSON.parse(line)).filter(({ act }) => act === 'delete')
  t.match(acts, [
    { actor: 'root', jobId: one.job_id },
    { actor: 'root', workflowId: workflow_id },
  ])
})

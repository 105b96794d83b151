/** Each stage has its own service, limits and circuit. */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type Env, enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { cancel, finished, operatorQueue, status, statusWhen } from '../helpers/jobs.ts'
import { type Answer, fail, fakeStageService, silence, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

/** Stages 9 and 14 at separate services. */
async function twoStages(t: Test, fourteen: { url: string }, limits: object = {}, overrides: Env = {}) {
  const good = await fakeStageService(t)
  const file = await stagesFile(
    t,
    [
      { stage: 9, service: 'good' },
      { stage: 14, service: 'other', ...limits },
    ],
    { good: { url: good.url }, other: { url: fourteen.url } },
  )
  const env = await testEnv(t, {
    ...{ STAGES_FILE: file, BREAKER_RESET_MS: '100', STAGE_JOB_ATTEMPTS: '1000', STAGE_JOB_BACKOFF_MS: '20' },
    ...overrides,
  })
  const { url } = await startApi(t, env)
  return { good, env, url }
}

/** The median duration of stage 9's jobs from acceptance to end, in ms. */
async function medianOfNine(url: string, jobs: number): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < jobs; i += 1) {
    const end = await finished(url, await enqueue(url, { stage: 9 }))
    if (end.status !== 'completed') throw new Error(`stage 9 ended ${end.status}`)
    took.push((end.finished_at ?? 0) - end.created_at)
  }
  return took.sort((a, b) => a - b)[Math.floor(jobs / 2)] as number
}

const BROKEN: Record<string, Answer | 'refuses'> = {
  'answers 500': fail(500, 'BROKEN'),
  hangs: silence,
  'refuses connections': 'refuses',
}
for (const [fault, answer] of Object.entries(BROKEN)) {
  t.test(`a stage whose service ${fault} does not hold up another`, async (t) => {
    let url: string
    if (answer === 'refuses') {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await new Promise((resolve) => server.close(resolve))
    } else url = (await fakeStageService(t, answer)).url
    const api = await twoStages(t, { url })
    startWorker(t, api.env)
    const without = await medianOfNine(api.url, 11)
    const broken = await Promise.all(Array.from({ length: 12 }, () => enqueue(api.url, { stage: 14 })))
    await statusWhen(api.url, broken[0] as (typeof broken)[0], ({ attempt }) => attempt > 0)
    const beside = await medianOfNine(api.url, 11)
    // A benchmark measures the exact share. A stage that is held up would wait for many seconds.
    t.ok(beside <= 2 * without + 2000, `${beside} ms beside it, ${without} ms without`)
    for (const job of broken) t.not((await status(api.url, job)).status, 'failed')
  })
}

t.test("a job beyond its stage's limit waits without an attempt, and starts as soon as it can", async (t) => {
  const slow = await fakeStageService(t, silence)
  const api = await twoStages(t, slow, { concurrency: 1 }, { STAGE_WORKER_CONCURRENCY: '4' })
  startWorker(t, api.env)
  const jobs = await Promise.all([1, 2, 3].map(() => enqueue(api.url, { stage: 14 })))
  const queue = operatorQueue(t, api.env)
  const first = await slow.call(0)
  await eventually('two are delayed', async () => (await queue.getDelayedCount()) === 2)
  t.equal(slow.calls.length, 1)
  t.equal(await queue.getActiveCount(), 1, 'delayed jobs hold no slot')
  await succeed()(first)
  await succeed()(await slow.call(1))
  await succeed()(await slow.call(2))
  for (const job of jobs) t.match(await finished(api.url, job), { status: 'completed', attempt: 1 })
})

t.test('one slot is kept for other stages', async (t) => {
  const slow = await fakeStageService(t, silence)
  const api = await twoStages(t, slow, {}, { STAGE_WORKER_CONCURRENCY: '3' })
  startWorker(t, api.env)
  await Promise.all([1, 2, 3, 4].map(() => enqueue(api.url, { stage: 14 })))
  await slow.call(1)
  t.match(await finished(api.url, await enqueue(api.url, { stage: 9 })), { status: 'completed', attempt: 1 })
  t.equal(slow.calls.length, 2)
})

t.test('a delayed job can be cancelled', async (t) => {
  const slow = await fakeStageService(t, silence)
  const api = await twoStages(t, slow, { concurrency: 1 })
  startWorker(t, api.env)
  await enqueue(api.url, { stage: 14 })
  await slow.call(0)
  const job = await enqueue(api.url, { stage: 14 })
  const queue = operatorQueue(t, api.env)
  await eventually('the job is delayed', async () => (await queue.getDelayedCount()) === 1)
  for (let code = 0; code !== 200; ) [code] = await cancel(api.url, job)
  t.match(await status(api.url, job), { status: 'cancelled', attempt: 0 })
})

t.test('a worker leaves jobs of unknown stages to other workers', async (t) => {
  const service = await fakeStageService(t)
  const api = await twoStages(t, service)
  const before = await stagesFile(t, [{ stage: 9, service: 'a' }], { a: { url: service.url } })
  const old = startWorker(t, { ...api.env, STAGES_FILE: before })
  const job = await enqueue(api.url, { stage: 14 })
  await eventually('it says so', () => old.logs.some((line) => line.includes('unknown stage')))
  startWorker(t, api.env)
  t.match(await finished(api.url, job), { status: 'completed', attempt: 1 })
})

t.test('a service gets its headers, and no log contains them', async (t) => {
  const service = await fakeStageService(t)
  const file = await stagesFile(t, [{ stage: 300, service: 'a' }], {
    a: { url: service.url, headers: { Authorization: 'env:LAB_KEY', 'X-Tenant': 'lab' } },
  })
  const env = await testEnv(t, { STAGES_FILE: file, LAB_KEY: 'CANARY-KEY' })
  const api = await startApi(t, env)
  const worker = startWorker(t, env)
  t.match(await finished(api.url, await enqueue(api.url, { stage: 300 })), {
    status: 'completed',
    stage: 300,
  })
  t.match(service.calls[0]?.headers, { authorization: 'CANARY-KEY', 'x-tenant': 'lab' })
  t.notMatch(worker.logs.join('') + api.logs.join(''), 'CANARY-KEY')
})

t.test('a job gets the results that its stage needs and uses, as of the time of the call', async (t) => {
  const service = await fakeStageService(t)
  const hash = 'a'.repeat(64)
  const file = { name: 'data.csv', sha256: hash, bytes: 3, media_type: 'text/csv' }
  let listed = '[{"stage":1,"version":"7"},{"stage":2}]'
  service.onGet = (url, response) => {
    if (url === '/api/workflow/stages') response.setHeader('content-type', 'application/json').end(listed)
    else if (url.endsWith('/notes.txt')) response.setHeader('content-type', 'text/plain').end('abc')
    else response.writeHead(404).end()
  }
  const path = await stagesFile(t, [
    { stage: 1, version: '1' },
    { stage: 2, version: '2' },
    { stage: 3, needs: [1], uses: [2, 4] },
    { stage: 4 },
  ])
  const env = await testEnv(t, { STAGES_FILE: path, WORKER_URL: service.url })
  const api = await startApi(t, env)
  startWorker(t, env)
  const workflow_id = randomUUID()
  const run = async (stage: number, user?: string, body: object = {}) => {
    const index = service.calls.length
    const job = await enqueue(api.url, { stage, body: { workflow_id, ...body }, ...(user && { user }) })
    const call = await service.call(index)
    return { job, call }
  }
  const result = (version: number) => ({
    results: { version },
    artifacts: ['notes.txt', 'gone.txt'],
    files: [file],
  })

  service.answer = succeed(result(1))
  await finished(api.url, (await run(1)).job)
  service.answer = succeed(result(2))
  const newest = (await run(1)).job
  const end = await finished(api.url, newest)
  t.same(end.result?.artifacts, ['notes.txt', 'gone.txt', 'data.csv'])
  t.same(end.result?.files, [file])
  t.equal(end.result?.version, '7', "the service's version")
  service.answer = fail(400, 'BAD')
  await finished(api.url, (await run(1)).job)
  service.answer = succeed(result(9))
  await run(1, 'mallory')
  await finished(api.url, (await run(1, undefined, { workflow_id: randomUUID() })).job)
  t.equal((await finished(api.url, (await run(2)).job)).result?.version, '2', "the catalogue's version")

  const { call, job } = await run(3)
  const base = `${service.url}/api/workflow/jobs/${newest.job_id}/artifacts`
  t.equal(call.body.run_id, null)
  t.same(Object.keys(call.body.upstream as object), ['1', '2'])
  t.same((call.body.upstream as Record<string, unknown>)['1'], {
    job_id: newest.job_id,
    results: { version: 2 },
    files: [
      {
        ...{ name: 'notes.txt', bytes: 3, media_type: 'text/plain', url: `${base}/notes.txt` },
        sha256: createHash('sha256').update('abc').digest('hex'),
      },
      { ...file, url: `${base}/data.csv` },
    ],
  })
  listed = 'not JSON'
  await finished(api.url, job)
  const stored = await operatorQueue(t, env).getJob(job.job_id)
  t.notMatch(JSON.stringify(stored?.data), 'upstream', 'it is not stored with the job')
})

/** The queue removes finished jobs; their results stay readable. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import type { Run } from '../../contract/run.ts'
import { authorization, enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { finished, operatorQueue, SMOOTH, status, watch } from '../helpers/jobs.ts'
import { dump } from '../helpers/redis-dump.ts'
import { fail, fakeStageService, json, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const JOBS = 1000

t.test('1,000 jobs, of which the queue keeps 100: every result is readable', async (t) => {
  const service = await fakeStageService(t, (call) =>
    succeed({ artifacts: [`${call.body.job_id}.json`] })(call),
  )
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_WORKER_CONCURRENCY: '50',
    STAGE_KEEP_COMPLETED: '100',
    // One process is API, worker, service and test, with fifty jobs at a time, so its event loop is sometimes late.
    WORKER_LOCK_MS: '30000',
    LOG_LEVEL: 'silent',
  })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const jobs: Awaited<ReturnType<typeof enqueue>>[] = []
  while (jobs.length < JOBS)
    jobs.push(...(await Promise.all(Array.from({ length: 100 }, () => enqueue(url)))))
  for (let from = 0; from < JOBS; from += 100)
    await Promise.all(jobs.slice(from, from + 100).map((job) => finished(url, job)))

  const queue = operatorQueue(t, env)
  // The queue follows the journal.
  for (let left = 1; left > 0; ) {
    const { active = 0, prioritized: waiting = 0 } = await queue.getJobCounts('active', 'prioritized')
    left = active + waiting
  }
  t.equal((await queue.getJobCounts('completed')).completed, 100)
  let readable = 0
  for (let from = 0; from < JOBS; from += 100) {
    const states = await Promise.all(jobs.slice(from, from + 100).map((job) => status(url, job)))
    for (const { job_id, status, result } of states)
      if (status === 'completed' && result?.artifacts[0] === `${job_id}.json`) readable += 1
  }
  t.equal(readable, JOBS)
  t.equal(service.calls.length, JOBS, 'the service was called once for each job')
  const first = await (await watch(url, jobs[0] as (typeof jobs)[0])).rest()
  t.equal(first.length, SMOOTH.length, 'the events too')
})

t.test('failed ones likewise', async (t) => {
  const service = await fakeStageService(t, fail(400, 'BAD_QUESTION'))
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_WORKER_CONCURRENCY: '10',
    STAGE_KEEP_FAILED: '0',
  })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const jobs = await Promise.all(Array.from({ length: 30 }, () => enqueue(url)))
  for (const job of jobs) await finished(url, job)
  const queue = operatorQueue(t, env)
  for (let active = 1; active > 0; ) active = await queue.getActiveCount()
  t.equal(await queue.getFailedCount(), 0)
  for (const job of jobs)
    t.match(await status(url, job), { status: 'failed', error: { code: 'BAD_QUESTION' } })
})

t.test('no key keeps data of a finished job longer than its result', async (t) => {
  const words = {
    user: 'walruswordsmith',
    question: 'zanzibarquestion',
    inputs: 'quetzalinputs',
    said: 'narwhalsaid',
  }
  const service = await fakeStageService(t, ({ stage, ...call }) =>
    stage === 4
      ? json(400, { detail: { code: 'BAD', message: words.said } })({ stage, ...call })
      : succeed({ results: { said: words.said } })({ stage, ...call }),
  )
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    RESULT_TTL_SECONDS: '1',
    RATE_LIMIT_PER_MINUTE: '1000',
  })
  const api = await startApi(t, env)
  const body = {
    research_question: `Does the ${words.question} matter to anybody?`,
    inputs: { anything: words.inputs },
  }
  const cancelled = await enqueue(api.url, { user: words.user, stage: 3, body })
  await fetch(api.url + cancelled.urls.cancel, { method: 'POST', headers: authorization(words.user) })
  startWorker(t, env)
  for (const stage of [3, 4]) {
    const job = await enqueue(api.url, { user: words.user, stage, body })
    await (await watch(api.url, job)).rest()
  }
  const found = (text: string) => Object.values(words).filter((word) => text.includes(word))
  // A timer removes the data; no other job has to end.
  while (found(await dump(api)).length > 0) await setTimeout(200)
  t.equal(await api.app.stagecast.redis.zcard(api.app.stagecast.journal.keys.own('completed')), 0)
  t.match(await dump(api), ':asked:', 'only a fingerprint of the request is left')
})

t.test(
  'nothing of a run outlives WORKFLOW_TTL_SECONDS, and its results outlive RESULT_TTL_SECONDS',
  async (t) => {
    const words = {
      user: 'walruswordsmith',
      question: 'zanzibarquestion',
      inputs: 'quetzalinputs',
      said: 'narwhalsaid',
    }
    const service = await fakeStageService(t, succeed({ results: { said: words.said } }))
    const env = await testEnv(t, {
      WORKER_URL: service.url,
      RESULT_TTL_SECONDS: '1',
      WORKFLOW_TTL_SECONDS: '8',
      RATE_LIMIT_PER_MINUTE: '0',
    })
    const api = await startApi(t, env)
    startWorker(t, env)
    const headers = { ...authorization(words.user), 'content-type': 'application/json' }
    const path = `${api.url}/api/workflow/workflows/${randomUUID()}/runs`
    const started = await fetch(path, {
      method: 'POST',
      headers,
      body: JSON.stringify({
        stages: [3],
        research_question: `Does the ${words.question} matter to anybody?`,
        inputs: { 3: { anything: words.inputs } },
      }),
    })
    t.equal(started.status, 202)
    const { run_id } = (await started.json()) as { run_id: string }
    const run = async () => (await (await fetch(`${path}/${run_id}`, { headers })).json()) as Run
    await eventually('the run is completed', async () => (await run()).status === 'completed')
    const jobId = (await run()).steps[0]?.job_id as string
    const { redis, journal } = api.app.stagecast
    await eventually(
      'the queue has removed the job',
      async () => (await redis.exists(journal.keys.job(jobId))) === 0,
    )
    const kept = await fetch(`${api.url}/api/workflow/stages/3/jobs/${jobId}/status`, { headers })
    t.match(await kept.json(), { status: 'completed', result: { results: { said: words.said } } })
    const found = (text: string) => Object.values(words).filter((word) => text.includes(word))
    t.not(found(await dump(api)).length, 0, 'the run still has the result')
    await eventually('nothing is left of it', async () => found(await dump(api)).length === 0)
    t.equal((await fetch(`${path}/${run_id}`, { headers })).status, 404)
  },
)

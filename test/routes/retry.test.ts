/** Retrying a failed or cancelled job: a new job with the same body, linked to the first. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { JobSnapshot } from '../../contract/job.ts'
import {
  authorization,
  enqueue,
  get,
  type Queued,
  startApi,
  startWorker,
  testEnv,
  token,
} from '../helpers/app.ts'
import { cancel, finished, status } from '../helpers/jobs.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { fail, fakeStageService, succeed } from '../helpers/stage-service.ts'

const asAdmin = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }

function retry(url: string, job: { job_id: string }, headers: Record<string, string> = {}, stage = 2) {
  return fetch(`${url}/api/workflow/stages/${stage}/jobs/${job.job_id}/retry`, {
    method: 'POST',
    headers: { ...authorization(), ...headers },
  })
}

t.test('a failed job runs again with the same request', async (t) => {
  const service = await fakeStageService(t, fail(400, 'BAD_QUESTION'))
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const inputs = { max_results: 7, study_types: ['review'] }
  const first = await enqueue(url, { body: { inputs } })
  const failed = await finished(url, first)
  t.equal(failed.status, 'failed')
  t.notOk('retry_of' in failed, 'an ordinary job retries nothing')

  service.answer = succeed()
  const answer = await retry(url, first)
  t.equal(answer.status, 202)
  const second = (await answer.json()) as Queued & { stage: number; workflow_id: string }
  t.not(second.job_id, first.job_id)
  t.equal(second.workflow_id, failed.workflow_id)
  t.equal(answer.headers.get('location'), second.urls.status)
  const end = await finished(url, second)
  t.match(end, { status: 'completed', retry_of: first.job_id })
  t.same(end.data, failed.data)
  const [one, two] = service.calls.map(({ body }) => body)
  t.same({ ...two, job_id: one?.job_id }, one, 'the service gets the same request')

  t.equal((await status(url, first)).status, 'failed', 'the first job does not change')
  const { jobs } = await get<{ jobs: JobSnapshot[] }>(`${url}/api/workflow/jobs`)
  t.match(jobs, [{ job_id: second.job_id, retry_of: first.job_id }, { job_id: first.job_id }])
  isProblem(t, await answered(retry(url, second)), 'NOT_RETRYABLE', 'what is completed is not retried')
})

t.test('without a key each call starts a job; with a key all calls start one', async (t) => {
  const { url } = await startApi(t, await testEnv(t))
  const first = await enqueue(url)
  isProblem(t, await answered(retry(url, first)), 'NOT_RETRYABLE', 'it is queued')
  await cancel(url, first)
  const ids = new Set<string>()
  for (let i = 0; i < 2; i += 1) ids.add(((await (await retry(url, first)).json()) as Queued).job_id)
  t.equal(ids.size, 2)
  const key = { 'idempotency-key': randomUUID() }
  const keyed = await retry(url, first, key)
  const again = await retry(url, first, key)
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  t.equal(((await again.json()) as Queued).job_id, ((await keyed.json()) as Queued).job_id)
  const other = await enqueue(url)
  await cancel(url, other)
  isProblem(t, await answered(retry(url, other, key)), 'IDEMPOTENCY_KEY_REUSED', 'the key of another job')
})

t.test('a retry can wait for the end', async (t) => {
  const service = await fakeStageService(t, succeed())
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  const first = await enqueue(url)
  await cancel(url, first)
  startWorker(t, env)
  const answer = await retry(url, first, { prefer: 'wait=20' })
  t.equal(answer.headers.get('preference-applied'), 'wait=20')
  t.match([answer.status, await answer.json()], [200, { status: 'completed', retry_of: first.job_id }])
})

t.test("only the owner and administrators may retry a job; it stays the owner's", async (t) => {
  const env = await testEnv(t, { MAX_WAITING_PER_USER: '1' })
  const { url, logs } = await startApi(t, env)
  const first = await enqueue(url)
  await cancel(url, first)
  for (const [about, headers, stage] of [
    ['another user', authorization('bob'), 2],
    ['another stage', authorization(), 3],
  ] as const)
    isProblem(t, await answered(retry(url, first, headers, stage)), 'JOB_NOT_FOUND', about)
  const answer = await retry(url, first, asAdmin)
  t.equal(answer.status, 202)
  const second = (await answer.json()) as Queued
  t.match(await status(url, second), { data: { user_id: 'alice' }, retry_of: first.job_id })
  const line = logs.map((one) => JSON.parse(one)).find(({ act }) => act === 'retry')
  t.match(line, { actor: 'root', jobId: first.job_id })
  isProblem(t, await answered(retry(url, first)), 'TOO_MANY_JOBS', 'it counts as any other')
})

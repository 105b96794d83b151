/** A step of a run completes with the hashes of all its files, including those that its service did not state. */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import type { JobData } from '../../contract/job.ts'
import type { Fetch } from '../../outgoing/outgoing.ts'
import { hashedFiles } from '../../workers/files.ts'
import { QUESTION, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { finished, operatorQueue } from '../helpers/jobs.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const TOLD = { name: 'told.csv', sha256: 'a'.repeat(64), bytes: 3, media_type: 'text/csv' }

/** A service whose `notes 1.txt` has no hash, and a job of a run at it, added as runs add their jobs. */
async function step(t: Test, onGet: (url: string, response: ServerResponse) => void, run_id?: string) {
  const answer = { artifacts: ['notes 1.txt', 'told.csv'], files: [TOLD] }
  const service = await fakeStageService(t, succeed(answer))
  service.onGet = onGet
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_JOB_BACKOFF_MS: '20' })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const job_id = randomUUID()
  const data: JobData = {
    ...{ stage: 2, job_id, workflow_id: randomUUID(), research_question: QUESTION, user_id: 'alice' },
    ...{ timestamp: Date.now(), inputs: {}, ...(run_id && { run_id }) },
  }
  const backoff = { type: 'exponential', delay: 20 }
  await operatorQueue(t, env).add('stage-2-execute', data, { jobId: job_id, attempts: 3, backoff })
  const base = `/api/workflow/stages/2/jobs/${job_id}`
  const urls = { status: `${base}/status`, events: `${base}/events`, cancel: `${base}/cancel` }
  return { service, end: await finished(url, { job_id, urls }) }
}

t.test('files without a hash are read and hashed before the job of a run completes', async (t) => {
  const run_id = randomUUID()
  const asked: string[] = []
  const { service, end } = await step(
    t,
    (url, response) => {
      asked.push(url)
      if (!url.includes('/artifacts/')) return void response.writeHead(404).end()
      // The first response breaks off in the middle.
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '5' })
      if (asked.filter((one) => one.includes('/artifacts/')).length === 1) {
        response.write('no', () => response.destroy())
      } else response.end('notes')
    },
    run_id,
  )
  t.equal(service.calls[0]?.body.run_id, run_id)
  t.match(end, { status: 'completed', attempt: 2 })
  t.same(end.result?.files, [
    { name: 'notes 1.txt', sha256: sha256('notes'), bytes: 5, media_type: 'text/plain' },
    TOLD,
  ])
  t.same(
    asked.filter((one) => one.includes('/artifacts/')),
    Array(2).fill(`/api/workflow/jobs/${end.job_id}/artifacts/notes%201.txt`),
    'a file with a hash is not read',
  )
})

t.test('a file that cannot be read fails the job of a run, and says so', async (t) => {
  const { end } = await step(t, (_url, response) => void response.writeHead(404).end(), randomUUID())
  t.match(end, { status: 'failed', attempt: 3, error: { code: 'ARTIFACT_UNREADABLE', retryable: true } })
})

t.test('a job outside of runs completes without reading files', async (t) => {
  const asked: string[] = []
  const { end } = await step(t, (url, response) => {
    asked.push(url)
    response.writeHead(404).end()
  })
  t.same([end.status, end.result?.files], ['completed', [TOLD]])
  t.notOk(asked.some((url) => url.includes('/artifacts/')))
})

t.test('a cancel stops reading a file', async (t) => {
  const service = await fakeStageService(t)
  let begun = () => {}
  const reading = new Promise<void>((resolve) => {
    begun = resolve
  })
  let closed: Promise<unknown> | undefined
  service.onGet = (_url, response) => {
    closed = once(response, 'close')
    response.writeHead(200)
    response.write('never ends', begun)
  }
  const cancel = new AbortController()
  const made = {
    fetch: globalThis.fetch as Fetch,
    service: { url: service.url, headers: {} },
    stage: 2,
    jobId: randomUUID(),
  }
  const hashing = hashedFiles(made, { artifacts: ['a.txt'] }, cancel.signal)
  await reading
  cancel.abort('cancel')
  await hashing.then(
    () => t.fail('it ended'),
    (reason) => t.equal(reason, 'cancel'),
  )
  await closed
})

/** Stage 2 from the API to the sources, which are imitated: working, unreachable, and cancelled. */
import t, { type Test } from 'tap'
import { OFFLINE } from '../../packages/literature/literature-settings.ts'
import { LIVE } from '../../packages/literature/sources/index.ts'
import { startBuiltInService } from '../../packages/literature/start.ts'
import { type Imitation, imitate, silence, status } from '../../packages/literature/test/imitation.ts'
import { authorization, enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { cancel, finished } from '../helpers/jobs.ts'
import { openStream } from '../helpers/sse.ts'

const INPUTS = { sources: ['europepmc', 'openalex', 'crossref'] }

async function startAll(t: Test, imitation: Imitation, deadlineMs = 60_000) {
  const service = await startBuiltInService({
    host: '127.0.0.1',
    port: 0,
    dataDir: t.testdir(),
    literature: {
      ...OFFLINE,
      urls: Object.fromEntries(LIVE.map((name) => [name, imitation.url(name)])),
      deadlineMs,
    },
  })
  t.teardown(() => service.close())
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_JOB_BACKOFF_MS: '50',
    BREAKER_FAILURES: '50',
  })
  const api = await startApi(t, env)
  startWorker(t, env)
  return api
}

t.test('a review from live sources, downloaded through the API', async (t) => {
  const api = await startAll(t, await imitate(t))
  const job = await enqueue(api.url, { body: { inputs: INPUTS } })
  const frames = await (await openStream(api.url + job.urls.events)).rest()
  t.ok(frames.some(({ data }) => data.message === '14 records from 2 sources'))
  const { status: end, result } = await finished(api.url, job)
  t.equal(end, 'completed')
  const { artifacts = [], results = {} } = result ?? {}
  t.match(results, {
    degraded: false,
    source: 'europepmc,openalex,crossref',
    counts: { identified: 14, duplicates: 7 },
  })
  const files = results.files as { name: string; sha256: string }[]
  t.strictSame(
    artifacts,
    files.map(({ name }) => name),
  )
  for (const { name, sha256 } of files) {
    const url = `${api.url}/api/workflow/stages/2/jobs/${job.job_id}/artifacts/${name}`
    const answer = await fetch(url, { headers: authorization() })
    t.equal(answer.status, 200, name)
    t.equal(answer.headers.get('etag'), `"${sha256}"`)
    await answer.arrayBuffer()
  }
})

t.test('if all sources are unreachable, the job is retried, then fails as SOURCES_UNREACHABLE', async (t) => {
  const imitation = await imitate(t)
  for (const name of LIVE) imitation.fail(name, [], status(503, { 'retry-after': '600' }))
  const api = await startAll(t, imitation)
  const job = await enqueue(api.url, { body: { inputs: INPUTS } })
  const end = await finished(api.url, job)
  t.match(end, { status: 'failed', attempt: 3, error: { code: 'SOURCES_UNREACHABLE', attempt: 3 } })
  t.match(end.error?.message, /^No source answered\. europepmc: .*; openalex: /)
})

t.test('a question with private data fails at once, and nothing is sent', async (t) => {
  const imitation = await imitate(t)
  const api = await startAll(t, imitation)
  const research_question = 'Does fasting help the patient of jane.doe@example.org?'
  const end = await finished(api.url, await enqueue(api.url, { body: { inputs: INPUTS, research_question } }))
  t.match(end, { status: 'failed', attempt: 1, error: { code: 'PRIVATE_DATA', retryable: false } })
  t.notMatch(end.error?.message, /jane/)
  t.equal(imitation.requests.length, 0)
})

t.test('cancelling during the search aborts the requests to the sources', async (t) => {
  const imitation = await imitate(t)
  for (const name of LIVE) imitation.fail(name, [], silence)
  const api = await startAll(t, imitation)
  const job = await enqueue(api.url, { body: { inputs: INPUTS } })
  while (imitation.open() < 2) await imitation.arrival()
  const [code] = await cancel(api.url, job)
  t.equal(code, 202)
  await imitation.quiet()
  t.match(await finished(api.url, job), { status: 'cancelled', error: { code: 'CANCELLED' } })
  t.equal(imitation.requests.length, 2, 'no other request was sent')
})

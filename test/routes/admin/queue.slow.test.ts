/** A paused queue is visible everywhere, and an administrator can pause and resume it. */
import t from 'tap'
import type { Hint } from '../../../contract/job.ts'
import {
  authorization,
  enqueue,
  startApi,
  startDoor,
  startWorker,
  testEnv,
  token,
} from '../../helpers/app.ts'
import { finished, status } from '../../helpers/jobs.ts'
import { parseMetrics, sampleOf } from '../../helpers/metrics.ts'
import { answered, isProblem } from '../../helpers/problem.ts'
import { openQueue } from '../../helpers/queue.ts'
import { openStream, type Stream } from '../../helpers/sse.ts'
import { fakeStageService, silence, succeed } from '../../helpers/stage-service.ts'
import { eventually } from '../../helpers/waiting.ts'

const ADMIN = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }
const JOBS = 'workflow-stages'
const RUNS = 'workflow-runs'

const post = (url: string, act: string, headers: Record<string, string> = ADMIN) =>
  fetch(`${url}/api/admin/queue/${act}`, { method: 'POST', headers })

async function json<T>(url: string, headers = {}): Promise<T> {
  const answer = await fetch(url, { headers })
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

const overview = (url: string) =>
  json<{ paused: string[]; waiting_because: string | null }>(`${url}/api/admin/overview`, ADMIN)

async function nextHint(stream: Stream, is: (hint: Hint) => boolean): Promise<Hint> {
  for await (const { event, data } of stream) if (event === 'hint' && is(data)) return data
  throw new Error('the stream ended')
}

const linesOf = (logs: string[]) =>
  logs
    .flatMap((line) => (line.includes('"queue":') ? [JSON.parse(line)] : []))
    .map(({ queue, msg }) => [queue, msg])

const PAUSED = [JOBS, 'a queue is paused: its jobs wait until it is resumed']
const RESUMED = [JOBS, 'a queue was resumed']

t.test('a pause by another tool shows in hint, overview, readiness, metrics and log', async (t) => {
  const service = await fakeStageService(t, succeed())
  const env = await testEnv(t, { WORKER_URL: service.url, LOG_LEVEL: 'info' })
  const api = await startApi(t, env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  await openQueue(t, env).pause()
  const job = await enqueue(api.url)
  const stream = await openStream(api.url + job.urls.events)

  const hint = await nextHint(stream, ({ waiting_for }) => waiting_for === 'paused')
  t.match(hint, { job_id: job.job_id, position: 1, waiting: 1, retry_at: null })
  const seen = await eventually('the overview', async () => {
    const found = await overview(api.url)
    return found.paused.length > 0 ? found : null
  })
  t.match(seen, { paused: [JOBS], waiting_because: 'paused' })
  const ready = { status: 'ready', paused: [JOBS] }
  t.same(await json(`${api.url}/health/ready`), ready, 'the API is ready: it accepts jobs')
  await eventually('the worker', async () => {
    return JSON.stringify(await json(`${worker.url}/health/ready`)) === JSON.stringify(ready)
  })
  const scrape = async () =>
    parseMetrics(await (await fetch(`${api.url}/metrics`, { headers: ADMIN })).text())
  const metrics = await scrape()
  t.equal(sampleOf(metrics, 'stagecast_queue_paused', { queue: JOBS }), 1)
  t.equal(sampleOf(metrics, 'stagecast_queue_paused', { queue: RUNS }), 0)

  const answer = await post(api.url, 'resume')
  t.equal(answer.status, 200)
  t.same(await answer.json(), { paused: [] })
  await finished(api.url, job)
  t.match(await overview(api.url), { paused: [], waiting_because: null }, 'at once')
  t.same(await json(`${api.url}/health/ready`), { status: 'ready' })
  t.equal(sampleOf(await scrape(), 'stagecast_queue_paused', { queue: JOBS }), 0)
  await eventually('the worker noticed', () => linesOf(worker.logs).length >= 2)
  for (const { logs } of [api, worker]) t.same(linesOf(logs), [PAUSED, RESUMED], 'one line per change')
})

t.test('an administrator pauses: running jobs end, no other starts; the log says who', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url, logs } = await startApi(t, env)
  startWorker(t, env)
  const running = await enqueue(url)
  await service.call(0)
  for (const act of ['pause', 'resume']) {
    isProblem(t, await answered(post(url, act, {})), 'UNAUTHENTICATED')
    isProblem(t, await answered(post(url, act, authorization())), 'FORBIDDEN')
  }
  t.same(await (await post(url, 'pause')).json(), { paused: [JOBS] })
  t.same(await (await post(url, 'pause')).json(), { paused: [JOBS] }, 'pausing twice changes nothing')
  const waiting = await enqueue(url)
  service.answer = succeed()
  succeed()(await service.call(0))
  await finished(url, running)
  const queue = openQueue(t, env)
  await eventually('the worker is free', async () => (await queue.getActiveCount()) === 0)
  t.equal((await status(url, waiting)).status, 'queued')
  t.equal(service.calls.length, 1)

  t.same(await (await post(url, 'resume')).json(), { paused: [] })
  await finished(url, waiting)
  const acts = logs.map((line) => JSON.parse(line)).filter(({ act }) => act)
  t.match(acts, [
    { actor: 'root', act: 'pause', paused: [JOBS] },
    { actor: 'root', act: 'pause' },
    { actor: 'root', act: 'resume', paused: [] },
  ])
})

t.test('a pause of the queue of runs before the start is shown and can be resumed too', async (t) => {
  const env = await testEnv(t)
  await openQueue(t, env).pause()
  await openQueue(t, env, RUNS).pause()
  const { url, logs } = await startApi(t, env)
  t.same((await overview(url)).paused, [JOBS, RUNS])
  t.same((await overview(url)).waiting_because, null, 'no job waits')
  t.equal(linesOf(logs).length, 2)
  t.same(await (await post(url, 'resume')).json(), { paused: [] })
})

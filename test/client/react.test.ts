/** The stores that the React hooks subscribe to, used as React does. test/packaging runs the hooks in a browser. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { Stagecast } from '../../packages/client/index.ts'
import { followJob, type JobView, NO_JOB } from '../../packages/client/job-view.ts'
import { LiveStore } from '../../packages/client/react/live-store.ts'
import { Reader } from '../../packages/client/react/shared.ts'
import { followWorkflow, NO_WORKFLOW, type WorkflowView } from '../../packages/client/workflow-view.ts'
import { startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { runningJob } from '../helpers/scripted-job.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

/** A client that counts the streams it opens. */
function counting(baseUrl: string, tokenOf: () => string) {
  const streams: string[] = []
  const client = new Stagecast({
    baseUrl,
    token: tokenOf,
    fetch(url, init) {
      if (new Headers(init?.headers).get('accept') === 'text/event-stream') streams.push(String(url))
      return fetch(url, init)
    },
  })
  return { client, streams }
}

const jobStore = (client: Stagecast, job_id: string) =>
  new LiveStore<JobView>(NO_JOB, (view, signal, change) =>
    followJob(client, { stage: 2, job_id }, view, signal, change),
  )

t.test('a job is followed to its end, with the subscriptions of StrictMode', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  const job = await runningJob(api)
  const { client, streams } = counting(api.url, () => token())
  const store = jobStore(client, job.id)
  t.match(store.snapshot(), { snapshot: null, isOver: false, failure: null }, 'a render asks for nothing')
  store.subscribe(() => {})()
  let changes = 0
  const stop = store.subscribe(() => {
    changes += 1
  })
  await eventually('the first events', () => store.snapshot().steps.length === job.ids.length)
  t.equal(store.snapshot(), store.snapshot(), 'the same object until something changes')
  t.match(store.snapshot(), { status: 'active', transport: 'sse', isOver: false })
  await job.steps(3)
  await job.complete()
  await eventually('the end', () => store.snapshot().isOver)
  const { steps, status, snapshot, result, failure } = store.snapshot()
  t.same(
    steps.map(({ id }) => id),
    job.ids,
    'every event once, in order',
  )
  t.match(
    { status, snapshot, result, failure },
    { status: 'completed', snapshot: { status: 'completed' }, failure: null },
  )
  t.ok(result)
  t.equal(streams.length, 1, 'one connection')
  t.ok(changes > 3)
  stop()
  store.subscribe(() => {})()
  t.equal(streams.length, 1, 'a finished job is not watched again')
})

t.test(
  'without subscribers no connection is open; a new subscriber resumes after the last event',
  async (t) => {
    const api = closeQuickly(t, await startApi(t, await testEnv(t)))
    const job = await runningJob(api)
    const { client, streams } = counting(api.url, () => token())
    const store = jobStore(client, job.id)
    const stop = store.subscribe(() => {})
    await eventually('the first events', () => store.snapshot().steps.length === job.ids.length)
    const open = api.app.stagecast.streams
    stop()
    await eventually('the stream is closed', () => open.size === 0)
    await job.steps(2)
    const seen = store.snapshot().steps.length
    t.equal(seen, job.ids.length - 2)
    t.teardown(store.subscribe(() => {}))
    await job.complete()
    await eventually('the end', () => store.snapshot().isOver)
    t.same(
      store.snapshot().steps.map(({ id }) => id),
      job.ids,
      'no event is missed or repeated',
    )
    t.match(streams[1], /[?&]after=/)
  },
)

t.test('an expired token is fetched again; after a refused one, retry works', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  const job = await runningJob(api)
  const tokens = [token('alice', { exp: 1 }), token()]
  const { client } = counting(api.url, () => tokens.shift() ?? token('alice', { exp: 1 }))
  const store = jobStore(client, job.id)
  t.teardown(store.subscribe(() => {}))
  await eventually('a failure', () => store.snapshot().failure !== null)
  t.match(store.snapshot(), {
    snapshot: { job_id: job.id },
    isOver: true,
    failure: { code: 'TOKEN_EXPIRED' },
  })
  tokens.push(...Array.from({ length: 9 }, () => token()))
  store.retry()
  t.equal(store.snapshot().failure, null)
  await job.complete()
  await eventually('the end', () => store.snapshot().isOver)
  t.match(store.snapshot(), { status: 'completed', failure: null })
})

t.test('components that follow the same job share one connection', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  const job = await runningJob(api)
  const { client, streams } = counting(api.url, () => token())
  const reader = (of = client) => new Reader(of, `job 2 ${job.id}`, jobStore(of, job.id))
  const [first, second] = [reader(), reader()]
  t.equal(streams.length, 0, 'a render asks for nothing')
  const stops = [first.subscribe(() => {}), second.subscribe(() => {})]
  await eventually('the first events', () => second.snapshot().steps.length === job.ids.length)
  t.equal(first.snapshot(), second.snapshot())
  const late = reader()
  t.equal(late.snapshot(), first.snapshot(), 'a later component shows the known state in its first render')
  stops.push(late.subscribe(() => {}))
  stops.shift()?.()
  await job.steps(2)
  await eventually('the rest still follows', () => late.snapshot().steps.length === job.ids.length)
  t.equal(streams.length, 1)

  const other = counting(api.url, () => token())
  const apart = reader(other.client)
  stops.push(apart.subscribe(() => {}))
  await eventually('another client has its own', () => apart.snapshot().steps.length === job.ids.length)
  t.same([streams.length, other.streams.length], [1, 1])

  for (const stop of stops) stop()
  const open = api.app.stagecast.streams
  await eventually('the streams are closed', () => open.size === 0)
  const again = reader()
  t.equal(again.snapshot().snapshot, null, 'nothing is kept for a job without followers')
  t.teardown(again.subscribe(() => {}))
  await job.complete()
  await eventually('the end', () => again.snapshot().isOver)
  t.same(
    again.snapshot().steps.map(({ id }) => id),
    job.ids,
  )
  t.equal(streams.length, 2)
})

t.test('a workflow, and a job that is started later', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  const workflow_id = randomUUID()
  const first = await runningJob(api, 2, { body: { workflow_id } })
  const { client, streams } = counting(api.url, () => token())
  const store = new LiveStore<WorkflowView>(NO_WORKFLOW, (_view, signal, change) =>
    followWorkflow(client, workflow_id, signal, change),
  )
  t.teardown(store.subscribe(() => {}))
  const jobs = () => [...(store.snapshot().jobs?.values() ?? [])]
  await eventually('the first job', () => jobs()[0]?.status === 'active')
  const second = await runningJob(api, 3, { body: { workflow_id } })
  await eventually('the second job with its question', () => Boolean(jobs()[1]?.research_question))
  await first.complete()
  await eventually('the first is over', () => jobs()[0]?.finished_at !== null)
  t.match(jobs(), [
    { job_id: first.id, status: 'completed' },
    { job_id: second.id, status: 'active' },
  ])
  t.equal(streams.length, 1, 'over one connection')
})

t.test('the runs of a workflow are kept up to date over the same connection', async (t) => {
  const service = await fakeStageService(t, succeed())
  const stages = await stagesFile(t, [{ stage: 1 }, { stage: 2, needs: [1], sign_off: true }])
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: stages })
  const api = closeQuickly(t, await startApi(t, env))
  const { client, streams } = counting(api.url, () => token())
  const workflow_id = randomUUID()
  const first = await client.runs.start(workflow_id, { stages: [1, 2] })
  const store = new LiveStore<WorkflowView>(NO_WORKFLOW, (_view, signal, change) =>
    followWorkflow(client, workflow_id, signal, change),
  )
  t.teardown(store.subscribe(() => {}))
  const runs = () => store.snapshot().runs ?? []
  const shows = (what: string[]) =>
    eventually(`the view shows ${what}`, () => `${runs().map(({ status }) => status)}` === `${what}`, 120_000)
  await shows(['running'])
  startWorker(t, env)
  await shows(['waiting'])
  const [run] = runs()
  t.match(run, { run_id: first.run_id, steps: [{ status: 'completed' }, { status: 'awaiting_sign_off' }] })
  const { digest = '' } = run?.steps[1]?.sign_off ?? {}
  await client.runs.signOff(first, 2, { verdict: 'approved', digest })
  await shows(['completed'])
  t.match(runs()[0]?.steps[1]?.sign_off?.decision, { verdict: 'approved' })
  await client.runs.start(workflow_id, { stages: [1, 2] })
  await shows(['completed', 'completed'])
  t.equal(streams.length, 1)
})

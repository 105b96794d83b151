/** Watching over connections that break or are buffered. */
import t, { type Test } from 'tap'
import { Stagecast, type WatchedEvent, type WatchOptions } from '../../packages/client/index.ts'
import { startApi, testEnv, token } from '../helpers/app.ts'
import { bufferingProxy } from '../helpers/buffering-proxy.ts'
import { CuttingProxy } from '../helpers/cutting-proxy.ts'
import { runningJob } from '../helpers/scripted-job.ts'
import { eventually } from '../helpers/waiting.ts'

interface Watching {
  seen: WatchedEvent[]
  transports: string[]
  /** Resolves at the end of the loop, rejects with what it threw. */
  done: Promise<void>
}

/** Collects what the client yields. */
function gather(
  baseUrl: string,
  job: { stage: number; job_id: string },
  options: WatchOptions = {},
): Watching {
  const seen: WatchedEvent[] = []
  const transports: string[] = []
  const stagecast = new Stagecast({ baseUrl, token: () => token() })
  const loop = async () => {
    const onTransport = (transport: string) => void transports.push(transport)
    for await (const event of stagecast.watch(job, { onTransport, ...options })) seen.push(event)
  }
  const done = loop()
  done.catch(() => {})
  return { seen, transports, done }
}

async function setUp(t: Test, overrides: Record<string, string> = {}) {
  const env = await testEnv(t, overrides)
  const api = await startApi(t, env)
  const job = await runningJob(api)
  return { env, api, job, reference: { stage: 2, job_id: job.id } }
}

const idsOf = (seen: WatchedEvent[]) => seen.map(({ id }) => id)

t.test('a connection that breaks repeatedly: nothing is missed or repeated', async (t) => {
  const { api, job, reference } = await setUp(t)
  const proxy = await CuttingProxy.open(t, api.url)
  const watching = gather(proxy.url, reference)
  for (let round = 1; round <= 3; round += 1) {
    await job.steps(5)
    await eventually('every event', () => watching.seen.length === job.ids.length)
    proxy.cut()
    await job.steps(2)
    await eventually('every event', () => watching.seen.length === job.ids.length)
  }
  await job.complete()
  await watching.done
  t.same(idsOf(watching.seen), job.ids)
  t.ok(proxy.accepted >= 4, `${proxy.accepted} connections`)
  t.match(watching.transports.slice(0, 2), ['sse', 'waiting'])
})

t.test('watching that starts at one process resumes at another', async (t) => {
  const { env, api, job, reference } = await setUp(t)
  const other = await startApi(t, env)
  await job.steps(3)
  const stop = new AbortController()
  const first = gather(api.url, reference, { signal: stop.signal })
  await eventually('every event', () => first.seen.length === job.ids.length)
  stop.abort(new Error('enough'))
  await t.rejects(first.done, { message: 'enough' })
  await job.steps(3)
  const second = gather(other.url, reference, { after: first.seen.at(-1)?.id ?? '' })
  await job.complete()
  await second.done
  t.same([...idsOf(first.seen), ...idsOf(second.seen)], job.ids)
})

t.test('behind a proxy that buffers everything the client polls, and reports it', async (t) => {
  const { api, job, reference } = await setUp(t)
  const proxy = await bufferingProxy(t, api.url)
  const watching = gather(proxy.url, reference)
  await job.steps(4)
  await eventually('every event', () => watching.seen.length === job.ids.length)
  t.same(watching.transports, ['polling'])
  await job.steps(4)
  await eventually('every event', () => watching.seen.length === job.ids.length)
  await job.complete()
  await watching.done
  t.same(idsOf(watching.seen), job.ids)
  const streams = proxy.seen.filter(({ accept }) => accept === 'text/event-stream')
  t.equal(streams.length, 1, 'one stream was tried')
  t.equal(streams[0]?.passed, false)
})

t.test('when the server has no room for a stream, the client polls', async (t) => {
  const { job, api, reference } = await setUp(t, { SSE_MAX_PER_JOB: '1' })
  const first = gather(api.url, reference)
  await eventually('an event', () => first.seen.length > 0)
  const second = gather(api.url, reference)
  await eventually('every event', () => second.seen.length === job.ids.length)
  t.same(second.transports, ['polling'])
  await job.complete()
  await Promise.all([first.done, second.done])
  t.same(idsOf(second.seen), job.ids)
  const { cursor } = await new Stagecast({ baseUrl: api.url, token: token() }).status(reference)
  t.equal(second.seen.at(-1)?.id, cursor)
})

t.test('an expired position leads to a gap with the state', async (t) => {
  const { job, api, reference } = await setUp(t)
  await job.steps(600)
  const watching = gather(api.url, reference)
  await eventually('an event', () => watching.seen.length > 0)
  await job.complete()
  await watching.done
  const [gap, ...rest] = watching.seen
  t.match(gap, { event: 'gap', id: /^\d{12}$/, data: { job_id: job.id, status: 'active' } })
  t.equal(rest.at(-1)?.event, 'completed')
})

t.test('leaving the loop closes the connection', async (t) => {
  const { api, reference } = await setUp(t)
  const stagecast = new Stagecast({ baseUrl: api.url, token: token() })
  for await (const { event } of stagecast.watch(reference)) {
    t.equal(event, 'queued')
    break
  }
  await eventually('0 streams', () => api.app.stagecast.streams.size === 0)
  const stop = new AbortController()
  const watching = gather(api.url, reference, { signal: stop.signal })
  await eventually('1 streams', () => api.app.stagecast.streams.size === 1)
  stop.abort(new Error('enough'))
  await t.rejects(watching.done, { message: 'enough' })
  await eventually('0 streams', () => api.app.stagecast.streams.size === 0)
})

t.test('streaming and polling a workflow give all its jobs in one order', async (t) => {
  const { api, job } = await setUp(t)
  const { workflow_id } = (await new Stagecast({ baseUrl: api.url, token: token() }).jobs()).jobs[0] ?? {}
  const second = await runningJob(api, 2, { stage: 3, body: { workflow_id } })
  const buffering = await bufferingProxy(t, api.url)
  const stop = new AbortController()
  const [streamed, polled] = [api.url, buffering.url].map((baseUrl) => {
    const seen: (string | null)[] = []
    const stagecast = new Stagecast({ baseUrl, token: token() })
    const done = (async () => {
      for await (const event of stagecast.watchWorkflow(workflow_id as string, { signal: stop.signal }))
        seen.push(event.id)
    })()
    return { seen, done }
  }) as [{ seen: string[]; done: Promise<void> }, { seen: string[]; done: Promise<void> }]
  const all = () => job.ids.length + second.ids.length
  await eventually('the past', () => streamed.seen.length === all() && polled.seen.length === all())
  await Promise.all([job.complete(), second.steps(2)])
  await second.complete()
  await eventually('the end', () => streamed.seen.length === all() && polled.seen.length === all())
  t.same(streamed.seen, polled.seen)
  t.same([...new Set(streamed.seen)].sort(), streamed.seen)
  stop.abort(new Error('enough'))
  for (const { done } of [streamed, polled]) await t.rejects(done, { message: 'enough' })
})

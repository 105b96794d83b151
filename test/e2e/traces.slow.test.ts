/** Each job has one trace, from the POST through queue and worker to the stage service. While tracing is off, it has none. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import {
  type Env,
  enqueue,
  execute,
  type Queued,
  startApi,
  startDoor,
  startWorker,
  testEnv,
} from '../helpers/app.ts'
import { type SeenSpan, startCollector } from '../helpers/collector.ts'
import { cancel, finished, operatorQueue, queuedJob } from '../helpers/jobs.ts'
import { BUILD, end, runNode } from '../helpers/processes.ts'
import {
  type FakeStageService,
  fail,
  fakeStageService,
  type StageCallSeen,
  silence,
  succeed,
} from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const [SERVER, CLIENT, PRODUCER, CONSUMER] = [2, 3, 4, 5]
const hex = (bytes: number) => randomBytes(bytes).toString('hex')

/** API and worker as processes that send traces. */
async function traced(t: Test, overrides: Env = {}) {
  const collector = await startCollector(t)
  const service = await fakeStageService(t, succeed())
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_JOB_BACKOFF_MS: '10',
    LOG_LEVEL: 'info',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    ...overrides,
  })
  const [api, worker] = await Promise.all([
    startDoor(t, 'server/api.ts', env),
    startDoor(t, 'server/worker.ts', env),
  ])
  return { collector, service, env, api, worker }
}

const byKind = (spans: SeenSpan[], kind: number) => spans.filter((one) => one.kind === kind)

t.test('a job with a retry has one trace, and each span has the right parent', async (t) => {
  const { collector, service, api } = await traced(t)
  service.answer = (call) => (call.headers['x-attempt'] === '1' ? fail(503, 'PASSING') : succeed())(call)
  const { job_id } = await accepted(api.url)
  const spans = await collector.ofJob(job_id, 6)

  t.equal(spans.length, 6)
  const [root, ...more] = byKind(spans, SERVER) as [SeenSpan]
  const [sent] = byKind(spans, PRODUCER) as [SeenSpan]
  t.same(more, [])
  t.match(root, {
    parentSpanId: '',
    service: 'stagecast-api',
    name: 'POST /api/workflow/stages/2/execute',
    status: 0,
  })
  t.match(root.attributes, {
    'http.request.method': 'POST',
    'http.response.status_code': 202,
    'stagecast.job.id': job_id,
  })
  t.match(sent, { parentSpanId: root.spanId, service: 'stagecast-api', name: 'send workflow-stages' })
  t.match(sent.attributes, { 'messaging.system': 'bullmq', 'messaging.message.id': job_id })

  const attempts = byKind(spans, CONSUMER).sort((a, b) => numberOf(a) - numberOf(b))
  t.same(attempts.map(numberOf), [1, 2])
  t.ok(
    attempts.every(({ parentSpanId }) => parentSpanId === sent.spanId),
    'a child of the sent context',
  )
  t.ok(
    attempts.every(
      ({ service, name }) => service === 'stagecast-worker' && name === 'process workflow-stages',
    ),
  )
  t.match(attempts[0], { status: 2, attributes: { 'error.type': 'PASSING', 'stagecast.outcome': 'retry' } })
  t.match(attempts[1], { status: 0, attributes: { 'stagecast.outcome': 'completed' } })

  const calls = byKind(spans, CLIENT)
  t.equal(calls.length, 2)
  for (const [i, attempt] of attempts.entries()) {
    const call = calls.find(({ parentSpanId }) => parentSpanId === attempt.spanId) as SeenSpan
    t.equal(call.attributes['http.response.status_code'], i === 0 ? 503 : 200)
    t.equal(call.name, 'POST /api/workflow/stages/{stage}/execute')
    const { traceparent } = callsOf(service, job_id)[i]?.headers ?? {}
    t.equal(
      traceparent,
      `00-${call.traceId}-${call.spanId}-01`,
      'the span of the service is a child of the call',
    )
  }
  t.notMatch(collector.text, 'intermittent', 'no question')
})

t.test("a client's trace is gone on with, and its wish not to be recorded is kept", async (t) => {
  const { collector, service, api } = await traced(t)
  const client = (flags: string) => ({
    traceparent: `00-${hex(16)}-${hex(8)}-${flags}`,
    tracestate: 'vendor=opaque',
  })
  const unwanted = await accepted(api.url, () => client('00'))
  const wanted = await accepted(api.url, () => client('01'))
  const spans = await collector.ofJob(wanted.job_id, 4)
  const [traceId, spanId] = partsOf(wanted.headers.traceparent)
  t.equal(spans.length, 4)
  t.match(byKind(spans, SERVER), [{ traceId, parentSpanId: spanId }])
  t.notMatch(collector.text, unwanted.job_id)

  const [call] = callsOf(service, wanted.job_id)
  t.match(call?.headers.traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
  t.equal(call?.headers.tracestate, 'vendor=opaque')
  await finished(api.url, unwanted)
  const [silent] = callsOf(service, unwanted.job_id)
  const [same] = partsOf(unwanted.headers.traceparent)
  t.match(silent?.headers.traceparent, new RegExp(`^00-${same}-[0-9a-f]{16}-00$`))
})

t.test("a user's cancel is not an error", async (t) => {
  const { collector, service, api } = await traced(t)
  service.answer = silence
  const job = await accepted(api.url)
  await eventually('the job is called for', () => callsOf(service, job.job_id)[0])
  await cancel(api.url, job)
  await finished(api.url, job)
  const spans = await collector.ofJob(job.job_id, 4)
  t.match(byKind(spans, CONSUMER), [{ status: 0, attributes: { 'stagecast.outcome': 'cancelled' } }])
  t.match(byKind(spans, CLIENT), [{ status: 0, attributes: { 'stagecast.stopped': 'cancel' } }])
})

t.test('a killed worker does not split the trace; remaining spans are sent at shutdown', async (t) => {
  const { collector, service, env, api, worker } = await traced(t, {
    OTEL_BSP_SCHEDULE_DELAY: '60000',
    WORKER_LOCK_MS: '1000',
    WORKER_STALLED_CHECK_MS: '200',
  })
  service.answer = silence
  const job = await accepted(api.url)
  await eventually('the job is called for', () => callsOf(service, job.job_id)[0])
  await end(worker, 'SIGKILL')
  service.answer = succeed()
  const second = await startDoor(t, 'server/worker.ts', env)
  await finished(api.url, job)
  t.equal(collector.spans.length, 0, 'the batch is not full')
  t.equal((await end(second)).exit, 0)
  t.equal((await end(api)).exit, 0)
  const spans = await collector.ofJob(job.job_id, 4)
  t.same(byKind(spans, CONSUMER).map(numberOf), [2], 'the first attempt died with its worker')
  const traces = callsOf(service, job.job_id).map(({ headers }) => partsOf(String(headers.traceparent))[0])
  t.same(traces, [spans[0]?.traceId, spans[0]?.traceId])
})

t.test('a collector that accepts the connection but never answers does not delay a shutdown', async (t) => {
  const collector = createServer()
  const asked = new Set<Socket>()
  collector.on('connection', (socket) => asked.add(socket.on('error', () => {}).resume()))
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  t.teardown(() => {
    for (const socket of asked) socket.destroy()
    collector.close()
  })
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    LOG_LEVEL: 'info',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    // No span is sent before the shutdown.
    OTEL_BSP_SCHEDULE_DELAY: '60000',
  })
  const [api, worker] = await Promise.all([
    startDoor(t, 'server/api.ts', { ...env, SHUTDOWN_GRACE_MS: '900' }),
    // The job may use 70 % of the grace period.
    startDoor(t, 'server/worker.ts', { ...env, SHUTDOWN_GRACE_MS: '3000' }),
  ])
  await accepted(api.url)
  await service.call(0)
  for (const [at, door] of [worker, api].entries()) {
    const { exit, output } = await end(door)
    t.equal(exit, 0, output)
    t.equal(asked.size, at + 1, 'the remaining spans were sent')
  }
})

t.test("while tracing is off, no trace header is created, and a client's header is passed on", async (t) => {
  const service = await fakeStageService(t, succeed())
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const plain = await enqueue(api.url)
  const data = (await queuedJob(operatorQueue(t, env), plain.job_id)).data
  t.notOk('trace' in data)
  startWorker(t, env)
  await finished(api.url, plain)
  t.notOk('traceparent' in (await service.call(0)).headers)

  const traceparent = `00-${hex(16)}-${hex(8)}-01`
  await finished(api.url, await enqueue(api.url, { headers: { traceparent, tracestate: 'a=b' } }))
  t.match((await service.call(1)).headers, { traceparent, tracestate: 'a=b' })
  const zero = '0'.repeat(32)
  for (const bad of [
    'x',
    `00-${zero}-${hex(8)}-01`,
    `ff-${hex(16)}-${hex(8)}-01`,
    `00-${hex(16)}-${hex(8)}`,
    `${traceparent}-more`,
  ]) {
    await finished(api.url, await enqueue(api.url, { headers: { traceparent: bad } }))
    t.notOk('traceparent' in (service.calls.at(-1)?.headers ?? {}), `nothing is passed on of ${bad}`)
  }
})

t.test("while tracing is off, OpenTelemetry's SDK is not loaded", async (t) => {
  const env = await testEnv(t)
  const script = (otel: string) => `
    import { loadConfig } from './server/config.js'
    import { openApi } from './server/processes.js'
    const api = await openApi(loadConfig({ ...process.env, ${otel} }))
    await api.close()
    console.log('LOADED', Object.keys((await import('node:module')).default._cache)
      .filter((path) => path.includes('@opentelemetry/sdk-trace')).length)
    process.exit()`
  const run = (otel: string) =>
    runNode(t, ['--input-type=module', '-e', script(otel)], { ...env, LOG_LEVEL: 'silent' }, BUILD)
  t.match((await run('')).output, /LOADED 0/)
  t.match(
    (await run("OTEL_TRACES_EXPORTER: 'console'")).output,
    /LOADED [1-9]/,
    'with tracing on, it is loaded',
  )
})

function numberOf({ attributes }: SeenSpan): number {
  return Number(attributes['stagecast.attempt'])
}

/** Trace id and span id. */
function partsOf(traceparent = ''): string[] {
  return traceparent.split('-').slice(1, 3)
}

function callsOf(service: FakeStageService, jobId: string): StageCallSeen[] {
  return service.calls.filter(({ body }) => body.job_id === jobId)
}

/** A job whose first request was accepted. After a request that a busy Redis did not confirm, use another job and trace. */
async function accepted<H extends Record<string, string>>(url: string, toHeaders = () => ({}) as H) {
  return eventually('a job is accepted', async () => {
    const headers = toHeaders()
    const response = await execute(url, { headers })
    return response.status === 202 ? { ...((await response.json()) as Queued), headers } : null
  })
}

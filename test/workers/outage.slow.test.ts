/** The stage service is down: jobs wait, nothing is lost, and no attempt is used up while the circuit is open. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import t from 'tap'
import { enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { assertWhole, finished, status, statusWhen, watch } from '../helpers/jobs.ts'
import { FakeStageService, fail, fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

t.test('when the service is back, every job completes with attempts left', async (t) => {
  const service = new FakeStageService(succeed())
  await service.open()
  const { port } = service
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    BREAKER_FAILURES: '3',
    BREAKER_RESET_MS: '100',
    STAGE_JOB_ATTEMPTS: '4',
    STAGE_JOB_BACKOFF_MS: '30',
  })
  await service.close()
  const { url } = await startApi(t, env)
  const worker = startWorker(t, env)
  const probed = logged(worker.logs, '"state":"half-open"', 4)
  const jobs = await Promise.all(Array.from({ length: 12 }, () => enqueue(url)))
  // Long enough to use up every attempt many times, if the circuit did not hold the jobs back.
  await probed
  const during = await Promise.all(jobs.map((job) => status(url, job)))
  t.ok(
    during.every(({ status }) => ['queued', 'active', 'retrying'].includes(status)),
    'none has failed',
  )
  // Three calls open the circuit; afterwards there is one call, the probe, each time it half-opens.
  const begun = during.reduce((sum, { attempt }) => sum + attempt, 0)
  t.ok(begun <= 3 + 2 + 6, `${begun} attempts were begun`)
  t.ok(during.filter(({ attempt }) => attempt === 0).length >= 3, 'some wait without having been called')

  const back = new FakeStageService(succeed())
  await back.open(port)
  t.teardown(() => back.close())
  const ends = await Promise.all(jobs.map((job) => finished(url, job)))
  for (const [i, end] of ends.entries()) {
    t.match(end, { status: 'completed' })
    // Three failures opened the circuit; probes do not count as attempts, so each job has attempts left.
    t.ok(Number(end.max_attempts) - Number(end.attempt) >= 2, `${end.attempt} of ${end.max_attempts}`)
    const calls = back.calls.filter(({ body }) => body.job_id === end.job_id)
    t.equal(calls.length, 1)
    t.equal(calls[0]?.headers['x-attempt'], String(end.attempt))
    assertWhole(t, await (await watch(url, jobs[i] as (typeof jobs)[0])).rest())
  }
  t.ok(worker.logs.some((line) => line.includes('"state":"closed"')))
})

t.test('while the circuit is open, nothing is called and the worker stays healthy', async (t) => {
  const service = await fakeStageService(t, fail(500, 'BROKEN'))
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    BREAKER_FAILURES: '2',
    BREAKER_RESET_MS: '60000',
    STAGE_JOB_ATTEMPTS: '1',
  })
  const { url } = await startApi(t, env)
  const worker = startWorker(t, env)
  const first = await Promise.all([enqueue(url), enqueue(url)])
  for (const job of first) t.match(await finished(url, job), { status: 'failed' })
  const later = await Promise.all(Array.from({ length: 5 }, () => enqueue(url)))
  // A second worker, with its own circuit, runs the jobs that the first one delays.
  service.answer = succeed()
  startWorker(t, env)
  for (const job of later) t.match(await finished(url, job), { status: 'completed', attempt: 1 })
  t.equal(service.calls.length, 7)
  t.equal(worker.fault(), null)
})

t.test('answers that blame the request do not open the circuit', async (t) => {
  const service = await fakeStageService(t, fail(400, 'BAD_QUESTION'))
  const env = await testEnv(t, { WORKER_URL: service.url, BREAKER_FAILURES: '2', BREAKER_RESET_MS: '60000' })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  for (let i = 0; i < 4; i += 1)
    t.match(await finished(url, await enqueue(url)), { status: 'failed', error: { code: 'BAD_QUESTION' } })
  service.answer = succeed()
  t.match(await finished(url, await enqueue(url)), { status: 'completed', attempt: 1 })
})

t.test('the first sign of life of a long probe releases the other jobs', async (t) => {
  const service = await fakeStageService(t, fail(500, 'BROKEN'))
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    BREAKER_FAILURES: '1',
    BREAKER_RESET_MS: '100',
    STAGE_JOB_ATTEMPTS: '1',
    STAGE_WORKER_CONCURRENCY: '3',
  })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  t.match(await finished(url, await enqueue(url)), { status: 'failed' })
  service.answer = silence
  const jobs = await Promise.all([enqueue(url), enqueue(url)])
  const probe = await service.call(1)
  t.equal(service.calls.length, 2, 'one job is let through')
  probe.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  probe.response.write('{"type":"heartbeat"}\n')
  const other = await service.call(2)
  await succeed()(other)
  probe.response.end('{"type":"result","success":true}\n')
  for (const job of jobs) t.match(await finished(url, job), { status: 'completed', attempt: 1 })
})

t.test('a service that cannot even be connected to', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as import('node:net').AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const env = await testEnv(t, { WORKER_URL: `http://127.0.0.1:${port}`, STAGE_JOB_BACKOFF_MS: '60000' })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const state = await statusWhen(url, await enqueue(url), ({ status }) => status === 'retrying')
  t.match(state, { attempt: 1, error: { code: 'STAGE_UNREACHABLE', retryable: true } })
})

t.test('a single job keeps its last attempt while the service is unreachable', async (t) => {
  const service = new FakeStageService(succeed())
  await service.open()
  const { port } = service
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    BREAKER_RESET_MS: '100',
    STAGE_JOB_ATTEMPTS: '2',
    STAGE_JOB_BACKOFF_MS: '30',
  })
  await service.close()
  const { url } = await startApi(t, env)
  const worker = startWorker(t, env)
  const probed = logged(worker.logs, '"state":"half-open"', 3)
  const job = await enqueue(url)
  // Too few failures to open the circuit, but more than the job has attempts.
  await probed
  const waiting = await statusWhen(url, job, ({ status }) => status === 'retrying')
  t.match(waiting, { error: { code: 'STAGE_UNREACHABLE', retryable: true } })
  const back = new FakeStageService(succeed())
  await back.open(port)
  t.teardown(() => back.close())
  t.match(await finished(url, job), { status: 'completed' })
  t.equal(back.calls.length, 1)
  assertWhole(t, await (await watch(url, job)).rest())
})

t.test('a job whose calls break off fails after its last attempt', async (t) => {
  const service = await fakeStageService(t, ({ response }) => void response.destroy())
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_JOB_ATTEMPTS: '2',
    STAGE_JOB_BACKOFF_MS: '30',
  })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  t.match(await finished(url, await enqueue(url)), {
    status: 'failed',
    attempt: 2,
    error: { code: 'STAGE_UNREACHABLE' },
  })
  t.equal(service.calls.length, 2)
})

/** Resolves when `count` lines with `text` were logged. */
function logged(logs: string[], text: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0
    logs.push = (...lines) => {
      seen += lines.filter((line) => line.includes(text)).length
      if (seen >= count) resolve()
      return Array.prototype.push.apply(logs, lines)
    }
  })
}

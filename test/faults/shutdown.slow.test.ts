/** Processes shut down in time, and nothing is lost. */
import t, { type Test } from 'tap'
import { type Env, enqueue, get, startApi, startDoor, testEnv } from '../helpers/app.ts'
import { assertWhole, brief, finished, SMOOTH, status, statusWhen, watch } from '../helpers/jobs.ts'
import { BUILD, end, logLine, program, runNode } from '../helpers/processes.ts'
import { privateRedis } from '../helpers/redis.ts'
import type { Frame } from '../helpers/sse.ts'
import { type Answer, fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

async function setUp(t: Test, answer: Answer, overrides: Env = {}) {
  const service = await fakeStageService(t, answer)
  // The back-off is too long to wait for, so a job that is handed over must not wait for it.
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_JOB_BACKOFF_MS: '60000', ...overrides })
  return { service, env }
}

t.test('a worker finishes a short job before it exits', async (t) => {
  const { service, env } = await setUp(t, silence, { SHUTDOWN_GRACE_MS: '20000' })
  const { url } = await startApi(t, env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(url)
  const call = await service.call(0)
  const ended = end(worker)
  await logLine(worker, 'closing')
  const late = await enqueue(url)
  await succeed()(call)
  const { exit, ms } = await ended
  t.equal(exit, 0)
  t.ok(ms < 15_000, `${ms} ms`)
  t.match(await status(url, job), { status: 'completed', attempt: 1 })
  t.match(await status(url, late), { status: 'queued' }, 'and takes no other job')
  t.equal(service.calls.length, 1)
})

for (const SHUTDOWN_GRACE_MS of ['2000', '500']) {
  t.test(`a long job is handed over within ${SHUTDOWN_GRACE_MS} ms, and no attempt is used up`, async (t) => {
    const { service, env } = await setUp(t, silence, { SHUTDOWN_GRACE_MS, STAGE_JOB_ATTEMPTS: '1' })
    const { url } = await startApi(t, env)
    const worker = await startDoor(t, 'server/worker.ts', env)
    const job = await enqueue(url)
    const { hungUp } = await service.call(0)
    await statusWhen(url, job, ({ progress }) => progress === 20)
    const { exit, ms, output } = await end(worker)
    t.equal(exit, 0, output)
    t.ok(ms < Number(SHUTDOWN_GRACE_MS) + 1500, `${ms} ms`)
    await hungUp
    t.match(await status(url, job), {
      status: 'retrying',
      attempt: 1,
      max_attempts: 2,
      error: { code: 'WORKER_SHUTDOWN', retryable: true, attempt: 1 },
    })

    service.answer = succeed()
    const next = await startDoor(t, 'server/worker.ts', env)
    const frames = await (await watch(url, job)).rest()
    assertWhole(t, frames)
    t.same(brief(frames), [
      ...SMOOTH.slice(0, 4),
      'retrying 1 20 WORKER_SHUTDOWN',
      ...SMOOTH.slice(1).map((line) => line.replace(' 1 ', ' 2 ')),
    ])
    t.match(await status(url, job), { status: 'completed', attempt: 2, max_attempts: 2 })
    t.equal((await service.call(1)).headers['x-attempt'], '2')
    t.equal((await end(next)).exit, 0)
  })
}

t.test('a second signal ends a worker at once; another worker takes its job', async (t) => {
  const { service, env } = await setUp(t, silence, {
    SHUTDOWN_GRACE_MS: '60000',
    WORKER_LOCK_MS: '1000',
    WORKER_STALLED_CHECK_MS: '200',
  })
  const { url } = await startApi(t, env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(url)
  await service.call(0)
  worker.child.kill('SIGTERM')
  await logLine(worker, 'closing')
  const { exit, ms } = await end(worker)
  t.equal(exit, 1)
  t.ok(ms < 10_000, `${ms} ms`)
  service.answer = succeed()
  await startDoor(t, 'server/worker.ts', env)
  t.match(await finished(url, job), { status: 'completed', attempt: 2 })
})

t.test('API and worker exit even if Redis is dead', async (t) => {
  const redis = await privateRedis(t)
  const { service, env } = await setUp(t, silence, { REDIS_URL: redis.url, SHUTDOWN_GRACE_MS: '3000' })
  const [api, worker] = await Promise.all([
    startDoor(t, 'server/api.ts', env),
    startDoor(t, 'server/worker.ts', env),
  ])
  const job = await enqueue(api.url)
  const stream = await watch(api.url, job)
  await stream.until('active')
  await service.call(0)
  await redis.stop()
  const ends = await Promise.all([end(api), end(worker)])
  for (const { exit, ms, output } of ends) {
    t.equal(exit, 0, output)
    t.ok(ms < 5000, `${ms} ms`)
  }
  await stream.rest()
})

t.test('an API process tells its streams to reconnect, and they continue at another process', async (t) => {
  const { service, env } = await setUp(t, silence)
  const [api, other] = await Promise.all([
    startDoor(t, 'server/api.ts', env),
    startDoor(t, 'server/api.ts', env),
  ])
  const worker = await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(api.url)
  const call = await service.call(0)
  const stream = await watch(api.url, job)
  const frames: Frame[] = []
  const reading = (async () => {
    for await (const frame of stream) frames.push(frame)
  })()
  await statusWhen(api.url, job, ({ progress }) => progress === 20)
  // A running long poll is answered and does not delay the shutdown.
  const { cursor } = await status(api.url, job)
  const poll = get<{ cursor: string }>(`${api.url}${job.urls.status}?after=${cursor}&wait=30`)
  // The process has received the long poll once it has answered a later request.
  await status(api.url, job)
  const { exit, ms, output } = await end(api)
  t.equal(exit, 0, output)
  t.ok(ms < 5000, `${ms} ms`)
  t.equal((await poll).cursor, cursor)
  await reading
  t.type(frames.at(-1)?.retry, 'number', 'the last frame says when to reconnect')
  t.ok(frames.some(({ event }) => event === 'reconnect'))
  const seen = frames.filter(({ id }) => id)
  t.equal(seen.at(-1)?.data.progress, 20)

  await succeed()(call)
  const rest = await (await watch(other.url, job, seen.at(-1)?.id)).rest()
  assertWhole(t, [...seen, ...rest])
  t.same(brief([...seen, ...rest]), SMOOTH)
  for (const { exit } of await Promise.all([end(other), end(worker)])) t.equal(exit, 0)
})

t.test('a signal that arrives before anything has happened', async (t) => {
  const { env } = await setUp(t, succeed())
  const doors = await Promise.all(
    ['server/api.ts', 'server/worker.ts', 'server/all.ts'].map((file) => startDoor(t, file, env)),
  )
  for (const door of doors) {
    const { exit, ms, output } = await end(door, 'SIGINT')
    t.equal(exit, 0, output)
    t.ok(ms < 5000)
    t.match(output, '"closed"')
  }
})

t.test('one Ctrl-C may arrive several times and counts once', async (t) => {
  const { service, env } = await setUp(t, silence)
  const { url } = await startApi(t, env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(url)
  const call = await service.call(0)
  for (let sent = 0; sent < 5; sent += 1) {
    worker.child.kill('SIGINT')
    await new Promise(setImmediate)
  }
  await logLine(worker, 'closing')
  await succeed()(call)
  t.equal(await worker.exited, 0, worker.logs.join('\n'))
  t.match(await status(url, job), { status: 'completed', attempt: 1 })
})

t.test('a log without a reader loses lines, but does not block the process', async (t) => {
  const { env } = await setUp(t, succeed())
  const api = await startDoor(t, 'server/api.ts', env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  for (const { child } of [api, worker]) child.stdout?.destroy()
  for (let i = 0; i < 3; i += 1)
    t.match(await finished(api.url, await enqueue(api.url)), { status: 'completed' })
  for (const door of [worker, api]) t.equal((await end(door)).exit, 0)
})

t.test('an invalid configuration: one line for each fault, exit 1', async (t) => {
  const { env } = await setUp(t, succeed())
  const bad = {
    ...env,
    PORT: 'many',
    STAGE_JOB_ATTEMPTS: '0',
    REDIS_URL: 'http://127.0.0.1',
    JWT_SECRET: 'short',
  }
  const ends = await Promise.all(
    ['server/api.ts', 'server/worker.ts', 'server/all.ts'].map((file) => runNode(t, [program(file)], bad)),
  )
  for (const { exit, output } of ends) {
    t.equal(exit, 1)
    const lines = output.trim().split('\n')
    for (const name of ['PORT', 'STAGE_JOB_ATTEMPTS', 'REDIS_URL', 'JWT_SECRET'])
      t.equal(lines.filter((line) => line.trim().startsWith(`${name} `)).length, 1, name)
    t.equal(lines.length, 5, output)
    t.notMatch(output, / at .*:\d+:\d+/, 'no stack')
  }
})

t.test('a worker that cannot listen has taken no jobs', async (t) => {
  const { env } = await setUp(t, succeed())
  const { url } = await startApi(t, env)
  const script = `
    import { loadConfig } from './server/config.js'
    import { openWorker } from './server/processes.js'
    // Counts connections to Redis: standard streams have a descriptor, and accepted connections have a server.
    const connections = () => process._getActiveHandles().filter(({ destroyed, server, fd, constructor }) =>
      constructor.name === 'Socket' && !destroyed && !server && fd === undefined).length
    const failed = await openWorker(loadConfig(process.env)).catch(({ code }) => code)
    // The connection that checked Redis's settings is closing; the connections of a worker would stay.
    for (let i = 0; i < 100 && connections() > 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 20))
    console.log('FAILED', failed, connections())
    process.exit()`
  const node = ['--input-type=module', '-e', script]
  for (const name of ['WORKER_HEALTH_PORT', 'ADMIN_PORT']) {
    const { output } = await runNode(
      t,
      node,
      { ...env, LOG_LEVEL: 'silent', [name]: new URL(url).port },
      BUILD,
    )
    t.match(output, /FAILED EADDRINUSE 0\n/, name)
  }
})

t.test('a port that is taken', async (t) => {
  const { env } = await setUp(t, succeed())
  const { url } = await startApi(t, env)
  const { port } = new URL(url)
  for (const [file, taken] of [
    ['server/api.ts', { PORT: port }],
    ['server/worker.ts', { WORKER_HEALTH_PORT: port }],
  ] as const) {
    const { exit, output } = await runNode(t, [program(file)], { ...env, ...taken })
    t.equal(exit, 1)
    t.match(output, /EADDRINUSE.*choose another PORT, WORKER_HEALTH_PORT or ADMIN_PORT/)
  }
})

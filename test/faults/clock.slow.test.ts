/** A clock is set back two minutes while a job runs. libfaketime can change the clock of a process at any time. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { logOncePerSecond } from '../../journal/redis.ts'
import { enqueue, startApi, startDoor, testEnv } from '../helpers/app.ts'
import { finished, status, testRedis } from '../helpers/jobs.ts'
import { end, logLine } from '../helpers/processes.ts'
import { fakeStageService, silence, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const library = findLibrary()
if (!library && process.env.REQUIRE_ALL_TESTS === '1')
  throw new Error('libfaketime is missing: install faketime')
const skip = library ? false : 'libfaketime is not installed (Debian: faketime)'

t.test('a worker keeps its jobs, and obeys a second signal', { skip }, async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url, WORKER_LOCK_MS: '2000', LOG_LEVEL: 'info' })
  const { url, app } = await startApi(t, env)
  const redis = await testRedis(t, env.REDIS_URL)
  const offset = join(t.testdir(), 'offset')
  writeFileSync(offset, '+0')
  const worker = await startDoor(t, 'server/worker.ts', {
    ...env,
    LD_PRELOAD: library as string,
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_NO_CACHE: '1',
    // The monotonic clock, which timers use, keeps running as on a real machine.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
  const job = await enqueue(url)
  const call = await service.call(0)
  let hungUp = false
  void call.hungUp.then(() => {
    hungUp = true
  })
  writeFileSync(offset, '-120')
  // The lock lasts 2 s unless it is renewed. Wait more than twice as long by Redis's clock.
  const now = async () => Number((await redis.time())[0])
  const from = await now()
  const lock = app.stagecast.journal.keys.lock(job.job_id)
  await eventually('5 s have passed', async () => {
    t.equal(await redis.exists(lock), 1, 'the lock is kept')
    return (await now()) >= from + 5
  })
  t.equal(hungUp, false)
  succeed()(call)
  t.match(await finished(url, job), { status: 'completed', attempt: 1 })
  const ended = JSON.parse(await logLine(worker, 'attempt ended'))
  t.ok(ended.time < Date.now() - 100_000, 'the clock was really set back')
  t.ok(ended.durationMs >= 4000 && ended.durationMs < 60_000, `took ${ended.durationMs} ms`)

  service.answer = silence
  await enqueue(url)
  await service.call(1)
  worker.child.kill('SIGINT')
  await logLine(worker, 'closing')
  writeFileSync(offset, '-240')
  const second = await eventually('the second signal is logged', async () => {
    worker.child.kill('SIGINT')
    return worker.logs.find((line) => line.includes('second signal'))
  })
  t.ok(second)
  t.equal((await end(worker)).exit, 1)
  t.equal((await status(url, job)).status, 'completed')
})

t.test('a rate-limited log line is not silenced by a clock that is set back', async (t) => {
  const told: number[] = []
  const log = logOncePerSecond((n: number) => told.push(n))
  const { now } = Date
  log(1)
  Date.now = () => now() - 120_000
  t.teardown(() => {
    Date.now = now
  })
  const from = performance.now()
  await eventually('the next line', () => {
    log(2)
    return told.length === 2
  })
  t.ok(performance.now() - from < 30_000)
})

function findLibrary(): string | undefined {
  for (const dir of existsSync('/usr/lib') ? readdirSync('/usr/lib') : []) {
    const path = join('/usr/lib', dir, 'faketime', 'libfaketime.so.1')
    if (existsSync(path)) return path
  }
  return undefined
}

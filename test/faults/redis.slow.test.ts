/** Redis restarts, its connections break, or its event stream is trimmed: readers miss nothing. */
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { journalKeys } from '../../journal/journal.ts'
import { type Env, enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import {
  assertWhole,
  brief,
  finished,
  SMOOTH,
  status,
  statusWhen,
  testRedis,
  watch,
} from '../helpers/jobs.ts'
import { absentRedis } from '../helpers/outage.ts'
import type { Frame } from '../helpers/sse.ts'
import { fakeStageService, type StageCallSeen, silence, succeed, success } from '../helpers/stage-service.ts'

async function setUp(t: Test, overrides: Env = {}) {
  const redis = await absentRedis(t)
  await redis.start()
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url, REDIS_URL: redis.url, ...overrides })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  return { redis, service, env, url }
}

function talk(call: StageCallSeen) {
  call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const say = (line: object) => call.response.write(`${JSON.stringify(line)}\n`)
  return {
    progress: (percent: number) => say({ type: 'progress', percent }),
    end: () => {
      say({ type: 'result', ...success(call) })
      call.response.end()
    },
  }
}

t.test('Redis restarts while a job runs', async (t) => {
  const { redis, service, url } = await setUp(t, { WORKER_LOCK_MS: '60000', STAGE_WORKER_CONCURRENCY: '1' })
  const running = await enqueue(url)
  const call = await service.call(0)
  const waiting = await Promise.all([enqueue(url), enqueue(url), enqueue(url)])
  const stream = await watch(url, running)
  const seen: Frame[] = []
  while (seen.at(-1)?.data.progress !== 20) seen.push(...(await stream.until('progress')))
  await redis.stop()
  // The answer arrives while Redis is down and cannot store it.
  service.answer = succeed()
  await succeed({ artifacts: ['kept.json'] })(call)
  await redis.start()

  const frames = [...seen, ...(await stream.rest())]
  assertWhole(t, frames)
  t.same(brief(frames), SMOOTH)
  t.match(await status(url, running), { status: 'completed', result: { artifacts: ['kept.json'] } })
  for (const job of waiting) t.match(await finished(url, job), { status: 'completed' })
})

t.test("the event reader's connection is cut, again and again", async (t) => {
  const { redis, service, url } = await setUp(t)
  const operator = await testRedis(t, redis.url)
  const job = await enqueue(url)
  const stream = await watch(url, job)
  const speaker = talk(await service.call(0))
  for (let percent = 2; percent <= 40; percent += 2) {
    speaker.progress(percent)
    if (percent % 8 === 0) await cutReader(operator)
  }
  await statusWhen(url, job, ({ progress }) => progress === 44)
  speaker.end()
  const frames = await stream.rest()
  assertWhole(t, frames)
  t.same(
    frames.slice(4, -3).map(({ data }) => data.progress),
    Array.from({ length: 20 }, (_, index) => Math.round(20 + 0.6 * 2 * (index + 1))),
  )
  t.same(await (await watch(url, job)).rest(), frames)
})

t.test('the event stream is trimmed before it is read', async (t) => {
  const { redis, service, env, url } = await setUp(t)
  const operator = await testRedis(t, redis.url)
  const { events } = journalKeys(env.REDIS_PREFIX as string)
  const job = await enqueue(url)
  const stream = await watch(url, job)
  const seen: Frame[] = []
  while (seen.at(-1)?.data.progress !== 20) seen.push(...(await stream.until('progress')))
  const speaker = talk(await service.call(0))
  await cutReader(operator)
  // These events happen while the reader is disconnected.
  for (const percent of [10, 20, 30, 40, 50]) speaker.progress(percent)
  await statusWhen(url, job, ({ progress }) => progress === 50)
  await operator.xtrim(events, 'MAXLEN', 0)
  speaker.end()
  await finished(url, job)
  await operator.xtrim(events, 'MAXLEN', 0)
  const frames = [...seen, ...(await stream.rest())]
  assertWhole(t, frames)
  t.same(
    frames.map(({ data }) => data.progress),
    [0, 0, 10, 20, 26, 32, 38, 44, 50, 80, 100, 100],
  )
})

t.test('Redis loses its data: watching clients get an event, and the worker continues', async (t) => {
  const { redis, service, url } = await setUp(t, { WORKER_LOCK_MS: '1000' })
  const operator = await testRedis(t, redis.url)
  const job = await enqueue(url)
  const stream = await watch(url, job)
  const { hungUp } = await service.call(0)
  await operator.flushall()
  // The job's lock is gone too, so the worker aborts the call.
  await hungUp
  await cutReader(operator)
  t.equal((await stream.rest()).at(-1)?.event, 'gone')
  service.answer = succeed()
  t.match(await finished(url, await enqueue(url)), { status: 'completed' })
})

/** Cuts the connection that blocks on the event stream, as soon as it does. */
async function cutReader(operator: Redis): Promise<void> {
  for (;;) {
    const clients = (await operator.client('LIST')) as string
    const reader = clients.split('\n').find((line) => /\bcmd=xread\b/.test(line))
    if (!reader) continue
    await operator.client('KILL', 'ID', /\bid=(\d+)/.exec(reader)?.[1] as string)
    return
  }
}

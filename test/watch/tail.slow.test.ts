/** The event reader, on a private Redis with faults. */
import { Queue } from 'bullmq'
import t, { type Test } from 'tap'
import { type EmbeddedRedis, startRedis } from '../../dev/redis.ts'
import { QUEUE_NAME } from '../../journal/journal.ts'
import { connectRedis } from '../../journal/redis.ts'
import { enqueue, get, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { privateRedis } from '../helpers/redis.ts'
import { runningJob, scriptJob } from '../helpers/scripted-job.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService, success } from '../helpers/stage-service.ts'
import { eventually, idsOf, take } from '../helpers/waiting.ts'

async function start(t: Test) {
  const redis = await privateRedis(t)
  const env = await testEnv(t, { REDIS_URL: redis.url })
  const api = closeQuickly(t, await startApi(t, env))
  const admin = connectRedis(redis.url, 'commands', '')
  t.teardown(() => admin.disconnect())
  await eventually('both are connected', () => api.app.stagecast.tail.connected && admin.status === 'ready')
  return { ...api, redis, env, admin, stream: api.app.stagecast.journal.keys.events, killReader }

  async function killReader(): Promise<void> {
    // The reader may have just been woken.
    const reader = await eventually('there is one reader', async () => {
      const list = (await admin.client('LIST')) as string
      const readers = list.split('\n').filter((line) => line.includes(' cmd=xread '))
      return readers.length === 1 ? readers[0] : undefined
    })
    await admin.client('KILL', 'ID', /^id=(\d+)/.exec(reader)?.[1] as string)
  }
}

/** How soon the reader must be back: well before the periodic check after 30 s that would hide a failure. */
const SOON_MS = 8000

t.test('nothing published after the start is lost, however soon', async (t) => {
  const redis = await privateRedis(t)
  const env = await testEnv(t, { REDIS_URL: redis.url })
  const writer = await startApi(t, env)
  const job = await runningJob(writer, 1)
  for (let i = 0; i < 3; i += 1) {
    const api = closeQuickly(t, await startApi(t, env))
    const opened = openStream(api.url + job.urls.events, { lastEventId: job.head })
    const before = job.ids.length
    // Publish while the reader determines its position and while the job is first read.
    await job.steps(100)
    t.same(idsOf(await take(await opened, 100)), job.ids.slice(before))
  }
})

t.test("the reader's connection is killed", async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 2)
  const stream = await openStream(job.events)
  await take(stream, job.ids.length)
  for (let i = 0; i < 3; i += 1) {
    await api.killReader()
    const before = job.ids.length
    await job.steps(5)
    t.same(idsOf(await take(stream, 5)), job.ids.slice(before))
    await eventually('the reader is back', () => api.app.stagecast.tail.connected)
  }
  await api.killReader()
  await api.admin.xtrim(api.stream, 'MAXLEN', 0)
  await job.complete()
  await api.admin.xtrim(api.stream, 'MAXLEN', 0)
  t.same(idsOf(await stream.rest()), [job.head], 'also when what it missed was trimmed meanwhile')
})

t.test("the stream restarts before the reader's position", async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 2)
  const stream = await openStream(job.events)
  await take(stream, job.ids.length)
  // Pretend that Redis's clock was far ahead, so that the reader's position is too.
  const { redis } = api.app.stagecast
  const ahead = Date.now() + 1_000_000_000
  await redis.xadd(api.stream, `${ahead}-0`, 'event', 'drained')
  await job.steps(1)
  t.same(idsOf(await take(stream, 1)), [job.head])
  // Then the clock is right again, and IDs are far below the reader's position.
  await redis.del(api.stream)
  const startedAt = performance.now()
  const before = job.ids.length
  await job.steps(3)
  const [newest] = await redis.xrevrange(api.stream, '+', '-', 'COUNT', 1)
  t.ok(Number.parseInt(newest?.[0] ?? '', 10) < ahead)
  t.same(idsOf(await take(stream, 3)), job.ids.slice(before))
  t.ok(performance.now() - startedAt < SOON_MS, 'long before the periodic check')
  await job.steps(1)
  t.same(idsOf(await take(stream, 1)), [job.head], 'and live again from then on')
  await redis.del(api.stream)
  await job.complete()
  t.same(idsOf(await stream.rest()), [job.head], 'a deleted stream stops nothing')
})

t.test('entries are trimmed before they are read', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 2)
  const stream = await openStream(job.events)
  await take(stream, job.ids.length)
  const before = job.ids.length
  // Do it in one transaction, so that the reader sees only the last event.
  const { keys } = api.app.stagecast.journal
  const { events } = keys
  keys.events = `${events}:unheard`
  await job.steps(20)
  keys.events = events
  await job.steps(1)
  t.same(idsOf(await take(stream, 21)), job.ids.slice(before))
})

t.test('entries of other programs are ignored', async (t) => {
  const service = await fakeStageService(t, () => {})
  const api = await start(t)
  startWorker(t, { ...api.env, WORKER_URL: service.url })
  const queue = new Queue(QUEUE_NAME, {
    connection: connectRedis(api.redis.url, 'blocking', ''),
    prefix: api.config.REDIS_PREFIX,
  })
  t.teardown(() => queue.disconnect())

  const { job_id, urls } = await enqueue(api.url)
  const stream = await openStream(api.url + urls.events)
  const call = await service.call(0)
  const tell = (line: unknown) => call.response.write(`${JSON.stringify(line)}\n`)
  call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  tell({ type: 'progress', percent: 50, message: 'half way' })
  const seen = await take(stream, 5)
  t.equal(seen.at(-1)?.data.message, 'half way')

  const job = await queue.getJob(job_id)
  for (const value of [5, 0, { entries: 'none' }, { entries: [] }]) await job?.updateProgress(value)
  await api.admin.xadd(api.stream, '*', 'jobId', job_id)
  await api.admin.xadd(api.stream, '*', 'event', 'progress', 'jobId', job_id, 'data', 'not JSON')
  t.match(await get(api.url + urls.status), { status: 'active', cursor: seen.at(-1)?.id })
  const late = await openStream(api.url + urls.events)
  t.same(await take(late, 5), seen, 'a new client sees the same events')

  call.response.end(`${JSON.stringify({ type: 'result', ...success(call) })}\n`)
  const rest = await stream.rest()
  t.same(
    rest.map(({ event, data }) => [event, data.progress]),
    [
      ['progress', 80],
      ['progress', 100],
      ['completed', 100],
    ],
  )
  t.same(await late.rest(), rest)
})

t.test('Redis is restarted', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 2)
  const other = await scriptJob(api)
  const [stream, waiting] = [await openStream(job.events), await openStream(other.events)]
  await take(stream, job.ids.length)
  await take(waiting, 1)
  await api.redis.stop()
  await eventually('the outage is noticed', () => !api.app.stagecast.tail.connected)
  const ready = await fetch(`${api.url}/health/ready`)
  t.equal(ready.status, 503)
  const again: EmbeddedRedis = await startRedis({ dir: api.redis.dir })
  t.teardown(() => again.stop())
  await eventually('the reader is back', () => api.app.stagecast.tail.connected)
  await eventually('so are commands', () => api.app.stagecast.redis.status === 'ready')
  await job.steps(2)
  await job.complete()
  t.same(idsOf(await stream.rest()), job.ids.slice(-3), 'the same connections continue')
  await other.begin()
  t.same(idsOf(await take(waiting, 1)), [other.head])
})

t.test('closing does not wait for a read', async (t) => {
  const api = await start(t)
  const startedAt = performance.now()
  await api.app.close()
  const took = performance.now() - startedAt
  t.ok(took < 1500, `closed in ${Math.round(took)} ms, though a read blocks much longer`)
})

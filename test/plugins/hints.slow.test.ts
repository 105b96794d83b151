/** Hints tell watching clients what a waiting job waits for. */
import t, { type Test } from 'tap'
import type { Hint } from '../../contract/job.ts'
import { enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { type Frame, openStream, type Stream } from '../helpers/sse.ts'
import { fail, fakeStageService, silence } from '../helpers/stage-service.ts'
import { eventually, take } from '../helpers/waiting.ts'
import { ScriptedWorkflow } from '../helpers/workflow.ts'

async function start(t: Test, overrides = {}) {
  const env = await testEnv(t, overrides)
  return { ...closeQuickly(t, await startApi(t, env)), env }
}

/** The next hint, and the other frames before it. */
async function nextHint(stream: Stream): Promise<{ hint: Hint; frame: Frame; before: Frame[] }> {
  const before: Frame[] = []
  const source = stream[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await source.next()
    if (done) throw new Error('the stream ended without a hint')
    if (value.event === 'hint') return { hint: value.data, frame: value, before }
    before.push(value)
  }
}

t.test('positions, and that no worker is connected', async (t) => {
  const api = await start(t)
  const jobs = [await enqueue(api.url), await enqueue(api.url), await enqueue(api.url)]
  const [first, , third] = await Promise.all(jobs.map((job) => openStream(api.url + job.urls.events)))
  const { hint, frame, before } = await nextHint(third as Stream)
  t.same(hint, {
    job_id: jobs[2]?.job_id,
    waiting_for: 'worker',
    position: 3,
    waiting: 3,
    retry_at: null,
  })
  t.notOk('id' in frame, 'a hint has no id')
  t.equal(before.find(({ event }) => event)?.event, 'queued')
  t.match((await nextHint(first as Stream)).hint, { position: 1, waiting: 3 })

  const late = await openStream(api.url + jobs[2]?.urls.events)
  t.same((await nextHint(late)).hint, hint, 'a client that connects later gets it at once')
  await api.app.stagecast.queue.discard(jobs[1]?.job_id as string)
  t.match((await nextHint(third as Stream)).hint, { position: 2, waiting: 2 }, 'a change is sent')
})

t.test('a turn, and the delay before the next attempt', async (t) => {
  const service = await fakeStageService(t, (call) =>
    call.stage === 3 ? fail(500, 'ILL')(call) : silence(call),
  )
  const api = await start(t, {
    WORKER_URL: service.url,
    STAGE_WORKER_CONCURRENCY: '1',
    STAGE_JOB_BACKOFF_MS: '60000',
  })
  const shaky = await enqueue(api.url, { stage: 3 })
  startWorker(t, api.env)
  const stream = await openStream(api.url + shaky.urls.events)
  await stream.until('retrying')
  const { hint } = await nextHint(stream)
  t.match(hint, { waiting_for: 'retry', position: null })
  t.ok(Math.abs((hint.retry_at ?? 0) - Date.now() - 60_000) < 30_000, `due at ${hint.retry_at}`)

  const running = await enqueue(api.url)
  await service.call(1)
  const waiting = await enqueue(api.url)
  const busy = await openStream(api.url + running.urls.events)
  await take(busy, 3)
  t.match((await nextHint(await openStream(api.url + waiting.urls.events))).hint, {
    waiting_for: 'turn',
    position: 1,
  })
})

t.test('a stage service that is down', async (t) => {
  const service = await fakeStageService(t, fail(500, 'ILL'))
  const api = await start(t, {
    WORKER_URL: service.url,
    BREAKER_FAILURES: '1',
    BREAKER_RESET_MS: '60000',
    STAGE_JOB_BACKOFF_MS: '60000',
  })
  startWorker(t, api.env)
  const first = await openStream(api.url + (await enqueue(api.url)).urls.events)
  await first.until('retrying')
  const stream = await openStream(api.url + (await enqueue(api.url)).urls.events)
  let told = (await nextHint(stream)).hint
  // The worker reports its circuit periodically.
  while (told.waiting_for !== 'circuit') told = (await nextHint(stream)).hint
  t.match(told, { waiting_for: 'circuit', position: null, retry_at: null })
})

t.test('an attempt that is due but cannot start', async (t) => {
  const service = await fakeStageService(t, fail(500, 'ILL'))
  const api = await start(t, {
    WORKER_URL: service.url,
    BREAKER_FAILURES: '1',
    BREAKER_RESET_MS: '600000',
    STAGE_JOB_BACKOFF_MS: '50',
  })
  startWorker(t, api.env)
  const stream = await openStream(api.url + (await enqueue(api.url)).urls.events)
  await stream.until('retrying')
  let told = (await nextHint(stream)).hint
  while (told.waiting_for !== 'circuit') told = (await nextHint(stream)).hint
  t.match(told, { waiting_for: 'circuit', retry_at: null }, 'no time in the past is sent')
})

t.test('one read serves all watchers; without watchers there is none', async (t) => {
  const api = await start(t)
  const { redis } = api.app.stagecast
  let looks = 0
  const { llen } = redis
  redis.llen = ((key: string) => {
    looks += 1
    return llen.call(redis, key)
  }) as typeof llen
  const workflow = new ScriptedWorkflow(api)
  const running = await workflow.running(1)
  const jobs = await Promise.all(Array.from({ length: 10 }, () => workflow.queued()))
  const quiet = await openStream(running.events)
  let rounds = 0
  const { all } = api.app.stagecast.progress
  api.app.stagecast.progress.all = () => {
    rounds += 1
    return all.call(api.app.stagecast.progress)
  }
  await eventually('it was thought of', () => rounds === 2)
  t.equal(looks, 0, 'no waiting job is watched')

  const streams = await Promise.all(
    jobs.flatMap((job) => Array.from({ length: 10 }, () => openStream(job.events))),
  )
  const whole = await workflow.watch()
  const hints = await Promise.all(streams.map((stream) => nextHint(stream)))
  t.equal(looks, 1, 'one read for 100 streams')
  t.equal(new Set(hints.map(({ hint }) => hint.position)).size, 10)
  const ofWorkflow = new Map<string, number | null>()
  while (ofWorkflow.size < 10) {
    const { hint } = await nextHint(whole)
    ofWorkflow.set(hint.job_id, hint.position)
  }
  t.same(
    new Set(ofWorkflow.keys()),
    new Set(jobs.map(({ id }) => id)),
    'the stream of a workflow has hints for its jobs',
  )
  quiet.close()
})

t.test('a job that has started gets no more hints', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const job = await workflow.queued()
  const other = await workflow.queued()
  const stream = await openStream(job.events)
  await nextHint(stream)
  await api.app.stagecast.redis.lrem(api.app.stagecast.journal.keys.own('wait'), 1, job.id)
  await job.begin()
  const late = await openStream(job.events)
  const control = await openStream(other.events)
  await nextHint(control)
  await job.complete()
  const frames: Frame[] = []
  for await (const frame of late) frames.push(frame)
  t.same(
    frames.flatMap(({ event }) => event ?? []),
    ['queued', 'active', 'completed'],
  )
})

t.test('a stage that none of the workers serves', async (t) => {
  const service = await fakeStageService(t, silence)
  const api = await start(t, { WORKER_URL: service.url })
  const only = async (stage: number) =>
    startWorker(t, { ...api.env, STAGES_FILE: await stagesFile(t, [{ stage }]) })
  const connected = (count: number) =>
    eventually('it is announced', async () => (await api.app.stagecast.fleet.read()).workers.length === count)
  await only(3)
  await connected(1)
  const stream = await openStream(api.url + (await enqueue(api.url, { stage: 2 })).urls.events)
  t.match((await nextHint(stream)).hint, { waiting_for: 'worker' })
  await only(2)
  t.ok((await stream.until('active')).length > 0, 'the job starts at the worker that serves its stage')
})

/** Attempts at one job: milestones, retries, and when they end. */
import t, { type Test } from 'tap'
import { type Env, enqueue, type Queued, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { assertWhole, brief, finished, SMOOTH, status, statusWhen, watch } from '../helpers/jobs.ts'
import { openQueue } from '../helpers/queue.ts'
import type { Frame } from '../helpers/sse.ts'
import {
  type Answer,
  type FakeStageService,
  fail,
  fakeStageService,
  json,
  ndjson,
  silence,
  succeed,
} from '../helpers/stage-service.ts'

interface SetUp {
  service: FakeStageService
  env: Env
  url: string
  /** Executes, and reads the events to their end. */
  run(): Promise<{ job: Queued; frames: Frame[] }>
}

async function setUp(t: Test, answer: Answer, overrides: Env = {}): Promise<SetUp> {
  const service = await fakeStageService(t, answer)
  const env = await testEnv(t, { WORKER_URL: service.url, BREAKER_FAILURES: '100', ...overrides })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const run = async () => {
    const job = await enqueue(url)
    const frames = await (await watch(url, job)).rest()
    assertWhole(t, frames)
    return { job, frames }
  }
  return { service, env, url, run }
}

/** Gives each of these answers in turn, then repeats the last one. */
function inTurn(...answers: Answer[]): Answer {
  let next = 0
  return (call) => {
    const answer = answers[Math.min(next, answers.length - 1)] as Answer
    next += 1
    return answer(call)
  }
}

t.test('the milestones, and the result', async (t) => {
  const { url, run } = await setUp(t, succeed({ artifacts: ['a.json', 'b.json'], duration_ms: 1234 }))
  const { job, frames } = await run()
  t.same(brief(frames), SMOOTH)
  const state = await status(url, job)
  t.match(state, { status: 'completed', progress: 100, attempt: 1, max_attempts: 3, error: null })
  t.same(state.result, { success: true, artifacts: ['a.json', 'b.json'], version: '', duration_ms: 1234 })
  const { created_at, processed_at, finished_at } = state
  t.ok(created_at <= (processed_at ?? 0) && (processed_at ?? 0) <= (finished_at ?? 0))
})

t.test("the answer's own stage, job and success are not believed", async (t) => {
  const liar = {
    stage: 17,
    job_id: '00000000-0000-4000-8000-000000000000',
    workflow_id: 'mine',
    status: 'failed',
  }
  const { url, run } = await setUp(t, succeed(liar))
  const { job, frames } = await run()
  t.match(frames.at(-1)?.data, { stage: 2, job_id: job.job_id, status: 'completed' })
  const state = await status(url, job)
  t.match(state, { stage: 2, job_id: job.job_id, status: 'completed', result: { success: true } })
  t.same(Object.keys(state.result ?? {}).sort(), ['artifacts', 'duration_ms', 'success', 'version'])
})

t.test('progress of the service is mapped to 20 to 80 and never decreases', async (t) => {
  const percents = [0, 10, 50, 40, 100, 99]
  const lines = [
    ...percents.map((percent) => ({ type: 'progress', percent })),
    { type: 'result', success: true },
  ]
  const { run } = await setUp(t, ndjson(lines))
  const { frames } = await run()
  t.same(
    frames.slice(4, -3).map(({ data }) => data.progress),
    [20, 26, 50, 50, 80, 80],
  )
  t.same(brief(frames.slice(-3)), ['progress 1 80', 'progress 1 100', 'completed 1 100'])
})

t.test('a failed attempt is retried with a growing delay', async (t) => {
  const times: number[] = []
  const note =
    (answer: Answer): Answer =>
    (call) => {
      times.push(Date.now())
      return answer(call)
    }
  // The next attempt starts when the state was read.
  const pausing: Answer = async (call) => {
    await queue.pause()
    fail(502, 'NO_GATEWAY')(call)
  }
  const { service, env, url } = await setUp(
    t,
    note(inTurn(pausing, fail(503, 'BUSY'), fail(500, 'BROKEN'), succeed())),
    { STAGE_JOB_ATTEMPTS: '4', STAGE_JOB_BACKOFF_MS: '150' },
  )
  const queue = openQueue(t, env)
  const job = await enqueue(url)
  const retrying = await statusWhen(url, job, ({ status }) => status === 'retrying')
  t.match(retrying, {
    attempt: 1,
    max_attempts: 4,
    result: null,
    finished_at: null,
    error: { code: 'NO_GATEWAY', message: 'the service says NO_GATEWAY', retryable: true, attempt: 1 },
  })
  await queue.resume()
  const frames = await (await watch(url, job)).rest()
  assertWhole(t, frames)
  const started = (attempt: number) => [
    `active ${attempt} 0`,
    `progress ${attempt} 10`,
    `progress ${attempt} 20`,
  ]
  t.same(brief(frames), [
    'queued 0 0',
    ...started(1),
    'retrying 1 20 NO_GATEWAY',
    ...started(2),
    'retrying 2 20 BUSY',
    ...started(3),
    'retrying 3 20 BROKEN',
    ...started(4),
    'progress 4 80',
    'progress 4 100',
    'completed 4 100',
  ])
  t.same(
    service.calls.map(({ headers }) => headers['x-attempt']),
    ['1', '2', '3', '4'],
  )
  t.equal(new Set(service.calls.map(({ headers }) => headers['idempotency-key'])).size, 1)
  const gaps = times.slice(1).map((at, index) => at - (times[index] as number))
  for (const [index, gap] of gaps.entries()) t.ok(gap >= 150 * 2 ** index, `pause ${index + 1}: ${gap} ms`)
  t.equal((await status(url, job)).error, null, 'the errors of earlier attempts do not stay')
})

t.test('a job fails after its last attempt', async (t) => {
  const { service, url, run } = await setUp(t, fail(500, 'BROKEN'))
  const { job, frames } = await run()
  t.same(
    brief(frames).filter((line) => !line.startsWith('progress')),
    [
      'queued 0 0',
      'active 1 0',
      'retrying 1 20 BROKEN',
      'active 2 0',
      'retrying 2 20 BROKEN',
      'active 3 0',
      'failed 3 20 BROKEN',
    ],
  )
  t.equal(service.calls.length, 3)
  const error = { code: 'BROKEN', message: 'the service says BROKEN', retryable: true, attempt: 3 }
  t.match(await status(url, job), { status: 'failed', error, result: null, attempt: 3 })
})

t.test('an error that a retry cannot fix ends the job at once', async (t) => {
  const finals: [Answer, string][] = [
    [fail(400, 'BAD_QUESTION'), 'BAD_QUESTION'],
    [fail(404, 'STAGE_NOT_FOUND'), 'STAGE_NOT_FOUND'],
    [json(422, { detail: [{ msg: 'field required' }] }), 'STAGE_SERVICE_422'],
    [json(200, { success: false }), 'STAGE_FAILED'],
    [succeed({ results: { text: 'x'.repeat(5000) } }), 'STAGE_RESULT_TOO_LARGE'],
    [ndjson([{ type: 'error', code: 'NO_WAY', message: 'never', retryable: false }]), 'NO_WAY'],
  ]
  const { service, url, run } = await setUp(t, silence, { STAGE_MAX_RESULT_BYTES: '5000' })
  for (const [answer, code] of finals) {
    service.calls.length = 0
    service.answer = answer
    const { job, frames } = await run()
    t.same(brief(frames).at(-1), `failed 1 20 ${code}`)
    t.equal(service.calls.length, 1, `${code}: one call`)
    t.match((await status(url, job)).error, { code, retryable: false, attempt: 1 })
  }
})

t.test('a retryable error line is retried', async (t) => {
  const line = { type: 'error', code: 'SOURCES_UNREACHABLE', message: 'none', retryable: true }
  const { service, run } = await setUp(
    t,
    inTurn(ndjson([{ type: 'progress', percent: 50 }, line]), succeed()),
  )
  const { frames } = await run()
  t.ok(brief(frames).includes('retrying 1 50 SOURCES_UNREACHABLE'))
  t.equal(brief(frames).at(-1), 'completed 2 100')
  t.equal(service.calls.length, 2)
})

t.test('a call to a hanging service is aborted and retried', async (t) => {
  const { service, run } = await setUp(
    t,
    inTurn(ndjson([{ type: 'heartbeat' }], { end: false }), succeed()),
    { STAGE_HEARTBEAT_TIMEOUT_MS: '200' },
  )
  const { frames } = await run()
  await (await service.call(0)).hungUp
  t.ok(brief(frames).includes('retrying 1 20 STAGE_SILENT'))
  t.equal(brief(frames).at(-1), 'completed 2 100')
})

t.test('a Retry-After longer than the back-off is obeyed, a shorter one is not needed', async (t) => {
  const times: number[] = []
  const answers = [
    fail(503, 'BUSY', { 'retry-after': '1' }),
    fail(429, 'SLOW_DOWN', { 'retry-after': '0' }),
    succeed(),
  ]
  const { run } = await setUp(t, (call) => {
    times.push(Date.now())
    return (answers[times.length - 1] as Answer)(call)
  })
  const { frames } = await run()
  t.equal(brief(frames).at(-1), 'completed 3 100')
  const [first = 0, second = 0, third = 0] = times
  t.ok(second - first >= 1000, `${second - first} ms`)
  t.ok(third - second >= 50, `${third - second} ms`)
})

t.test('with one attempt there is no retry', async (t) => {
  const { service, url } = await setUp(t, fail(500, 'BROKEN'), { STAGE_JOB_ATTEMPTS: '1' })
  const state = await finished(url, await enqueue(url))
  t.match(state, { status: 'failed', attempt: 1, max_attempts: 1, error: { code: 'BROKEN' } })
  t.equal(service.calls.length, 1)
})

t.test('no back-off at all', async (t) => {
  const { url } = await setUp(t, inTurn(fail(500, 'BROKEN'), succeed()), { STAGE_JOB_BACKOFF_MS: '0' })
  t.match(await finished(url, await enqueue(url)), { status: 'completed', attempt: 2 })
})

t.test("the worker's log has ids and codes, and no text of a user", async (t) => {
  const service = await fakeStageService(
    t,
    inTurn(fail(500, 'BROKEN'), succeed({ results: { secret: 'ANSWER-WORD' } })),
  )
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  const worker = startWorker(t, env)
  const job = await enqueue(url, { body: { research_question: 'Does CANARY-WORD show in a log?' } })
  t.match(await finished(url, job), { status: 'completed' })
  const log = worker.logs.join('')
  t.match(log, job.job_id)
  t.match(log, 'BROKEN')
  t.notMatch(log, 'CANARY-WORD')
  t.notMatch(log, 'ANSWER-WORD')
})

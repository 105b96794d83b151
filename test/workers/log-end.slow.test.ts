/** The log line at the end of each attempt has the reason, and no user data. */
import t, { type Test } from 'tap'
import { type Env, enqueue, QUESTION, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { cancel, finished } from '../helpers/jobs.ts'
import { type Answer, fail, fakeStageService, json, silence, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const [INFO, WARN] = [30, 40]

async function setUp(t: Test, answer: Answer, overrides: Env = {}) {
  const service = await fakeStageService(t, answer)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_JOB_ATTEMPTS: '2', ...overrides })
  const { url } = await startApi(t, env)
  const { logs } = startWorker(t, env)
  const lines = () => logs.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'attempt ended')
  /** The lines of one job, once there are `count` of them. */
  const linesOf = (jobId: string, count: number) =>
    eventually(`${count} lines`, () => {
      const found = lines().filter((line) => line.jobId === jobId)
      return found.length >= count ? found : null
    })
  return { url, service, logs, linesOf }
}

t.test('job, stage, attempt, outcome, code, reason, duration and the actual delay', async (t) => {
  const { url, service, linesOf, logs } = await setUp(t, succeed())
  const run = async (answer: Answer, count = 1, overrides = {}) => {
    service.answer = answer
    const job = await enqueue(url, overrides)
    await finished(url, job)
    return linesOf(job.job_id, count)
  }
  const common = { job: 'stage-2-execute', stage: 2, attempt: 1, durationMs: Number }
  const [done] = await run(succeed())
  t.match(done, { ...common, level: INFO, kind: 'completed' })
  const [refused] = await run(fail(422, 'NO_GOOD'))
  t.match(refused, { ...common, level: WARN, kind: 'failed', code: 'NO_GOOD', reason: /422/ })
  t.notOk('serviceSays' in refused, 'what the service says may be anything')
  t.notOk('delayMs' in refused)

  const [wrong] = await run(json(200, { success: true, artifacts: 'x' }))
  t.match(wrong, { kind: 'failed', code: 'STAGE_ANSWER_INVALID', reason: /artifacts/ })

  let calls = 0
  const [later, again] = await run((call) => {
    calls += 1
    return (calls === 1 ? fail(503, 'BUSY', { 'retry-after': '1' }) : succeed())(call)
  }, 2)
  t.match(later, { level: INFO, attempt: 1, kind: 'retry', code: 'BUSY', reason: /503/, delayMs: 1000 })
  t.match(again, { attempt: 2, kind: 'completed' })
  t.ok(again.time - later.time >= 1000, 'as long as the service asked for, not the back-off of 50 ms')

  const [reset, given] = await run(({ response }) => void response.socket?.resetAndDestroy(), 2)
  t.match(reset, { kind: 'retry', code: 'STAGE_UNREACHABLE', reason: /ECONNRESET|closed/, delayMs: 50 })
  t.match(given, { level: WARN, attempt: 2, kind: 'failed', code: 'STAGE_UNREACHABLE' })
  t.notOk(
    logs.some((line) => line.includes(QUESTION) || line.includes('the service says')),
    'no question, no answer, at any level',
  )
})

t.test('a cancel is not logged as a warning', async (t) => {
  const { url, service, linesOf } = await setUp(t, silence)
  const job = await enqueue(url)
  await service.call(0)
  await cancel(url, job)
  t.match((await linesOf(job.job_id, 1))[0], { level: INFO, kind: 'cancelled', code: 'CANCELLED' })
})

t.test("LOG_SERVICE_ERRORS adds the service's own message", async (t) => {
  const { url, linesOf } = await setUp(t, fail(422, 'NO_GOOD'), { LOG_SERVICE_ERRORS: 'true' })
  const job = await enqueue(url)
  await finished(url, job)
  t.match((await linesOf(job.job_id, 1))[0], { code: 'NO_GOOD', serviceSays: 'the service says NO_GOOD' })
})

/** The whole path of one job: accepted, queued, executed, streamed, polled. */
import t from 'tap'
import { enqueue, get, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService, ndjson, success } from '../helpers/stage-service.ts'

t.test('a job is accepted, executed, streamed and polled', async (t) => {
  const service = await fakeStageService(t, (call) =>
    ndjson([
      { type: 'progress', percent: 0, message: 'reading' },
      { type: 'heartbeat' },
      { type: 'progress', percent: 50, message: 'half way' },
      { type: 'result', ...success(call, { artifacts: ['review.json'], results: { papers: 3 } }) },
    ])(call),
  )
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const job = await enqueue(api.url)
  startWorker(t, env)

  const stream = await openStream(api.url + job.urls.events)
  t.equal(stream.response.status, 200)
  const frames = await stream.rest()
  t.same(
    frames.map(({ event, data }) => [event, data.progress, data.attempt]),
    [
      ['queued', 0, 0],
      ['active', 0, 1],
      ['progress', 10, 1],
      ['progress', 20, 1],
      ['progress', 20, 1],
      ['progress', 50, 1],
      ['progress', 80, 1],
      ['progress', 100, 1],
      ['completed', 100, 1],
    ],
  )
  const ids = frames.map(({ id }) => id as string)
  t.same(ids, [...new Set(ids)].sort(), 'ids strictly increase')

  const status = await get<Record<string, unknown>>(api.url + job.urls.status)
  t.match(status, { status: 'completed', progress: 100, attempt: 1, max_attempts: 3, error: null })
  t.same(status.result, {
    success: true,
    artifacts: ['review.json'],
    version: '',
    duration_ms: 5,
    results: { papers: 3 },
  })
  t.same(frames.at(-1)?.data.result, status.result)
  t.equal(status.cursor, ids.at(-1))
  t.match((await service.call(0)).headers, {
    'x-request-id': job.job_id,
    'idempotency-key': job.job_id,
    'x-attempt': '1',
  })
})

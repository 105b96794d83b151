/** The estimate of a job's end in its status. */
import t from 'tap'
import { authorization, enqueue, get, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { finished, statusWhen } from '../helpers/jobs.ts'
import { runningJob, scriptJob } from '../helpers/scripted-job.ts'
import { fakeStageService, silence } from '../helpers/stage-service.ts'

t.test('the estimate uses the newest completed jobs of the stage, once there are 20', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const { redis, journal } = api.app.stagecast
  const early = await scriptJob(api)
  t.equal((await get(api.url + early.urls.status)).estimate, null, 'there is no estimate yet')
  const first = await runningJob(api)
  await first.complete()
  t.equal(await redis.llen(journal.keys.took(2)), 1, 'a completed job is counted')
  const failed = await runningJob(api)
  await failed.fail()
  t.equal(await redis.llen(journal.keys.took(2)), 1, 'a failed job is not counted')
  await redis.del(journal.keys.took(4))
  await redis.rpush(journal.keys.took(4), ...Array.from({ length: 20 }, (_, i) => 1000 * (i + 101)))
  await redis.rpush(journal.keys.took(5), ...Array.from({ length: 19 }, () => 1000))

  const job = await runningJob(api, 3, { stage: 4 })
  const answer = await fetch(api.url + job.urls.status, { headers: authorization() })
  const state = (await answer.json()) as { created_at: number; cursor: string }
  t.match(state, {
    estimate: { ends_at: { p50: state.created_at + 110_000, p90: state.created_at + 118_000 } },
  })
  t.equal(answer.headers.get('etag'), `"${state.cursor}"`, 'the ETag does not depend on the estimate')
  const few = await scriptJob(api, { stage: 5 })
  t.equal((await get(api.url + few.urls.status)).estimate, null, '19 are too few')
  await job.complete()
  t.equal((await get(api.url + job.urls.status)).estimate, null, 'the job has finished')
})

t.test('the estimated end is never in the past', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const { redis, journal } = api.app.stagecast
  await redis.rpush(journal.keys.took(2), ...Array.from({ length: 20 }, () => 0))
  startWorker(t, env)
  const job = await enqueue(api.url)
  const before = Date.now()
  const state = await statusWhen(api.url, job, ({ status }) => status === 'active')
  t.ok((state.estimate?.ends_at.p50 ?? 0) >= before)
  await fetch(api.url + job.urls.cancel, { method: 'POST', headers: authorization() })
  await finished(api.url, job)
})

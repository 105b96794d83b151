/** Reading jobs from Redis. */
import t from 'tap'
import { startApi, testEnv } from '../helpers/app.ts'
import { privateRedis } from '../helpers/redis.ts'
import { runningJob, scriptJob } from '../helpers/scripted-job.ts'

t.test('records of several jobs are read in one round trip and returned in order', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const { journal, redis } = api.app.stagecast
  const jobs = [await runningJob(api, 2), await scriptJob(api), await runningJob(api, 1)]
  await jobs[2]?.complete()
  const gone = '00000000-0000-4000-8000-000000000000'
  let sent = 0
  const { sendCommand } = redis
  redis.sendCommand = (...args) => {
    sent += 1
    return sendCommand.apply(redis, args)
  }
  const read = journal.records([jobs[2]?.id ?? '', gone, jobs[0]?.id ?? '', jobs[1]?.id ?? ''])
  const atOnce = sent
  const records = await read
  t.ok(atOnce >= 4)
  t.equal(sent, atOnce, 'no command waits for the answer to another')
  t.match(records, [
    { snapshot: { job_id: jobs[2]?.id, status: 'completed' } },
    null,
    { snapshot: { job_id: jobs[0]?.id, status: 'active' } },
    { snapshot: { job_id: jobs[1]?.id, status: 'queued' } },
  ])
  for (const record of records) {
    if (record) t.equal(record.events.at(-1)?.id, record.snapshot.cursor, 'the newest event is the cursor')
  }
  t.same(await journal.records([]), [])
})

t.test('a job is found only under its stage and owner', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await scriptJob(api)
  const { journal } = api.app.stagecast
  t.equal((await journal.find(job.id, 2, 'alice')).job_id, job.id)
  t.equal((await journal.find(job.id, 2, null)).job_id, job.id)
  await t.rejects(journal.find(job.id, 3, 'alice'), { code: 'JOB_NOT_FOUND' })
  await t.rejects(journal.find(job.id, 2, 'bob'), { code: 'JOB_NOT_FOUND' })
})

t.test('a finished job can be read after the queue has removed it', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await runningJob(api, 2)
  await job.complete({ papers: 1 })
  await api.app.stagecast.redis.del(job.keys.job(job.id))
  const [record] = await api.app.stagecast.journal.records([job.id])
  t.match(record?.snapshot, { status: 'completed', result: { results: { papers: 1 } } })
  t.same(
    record?.events.map(({ id }) => id),
    job.ids,
  )
})

t.test('a job that is only left in the queue after its result has expired is not found', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await runningJob(api, 2)
  await job.complete()
  await api.app.stagecast.redis.del(job.keys.end(job.id), job.keys.log(job.id))
  t.equal(await api.app.stagecast.journal.snapshot(job.id), null)
  t.same(await api.app.stagecast.journal.records([job.id]), [null])
})

t.test('a job that outlives its log keeps its newest entry', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await runningJob(api, 2)
  await api.app.stagecast.redis.del(job.keys.log(job.id))
  const [record] = await api.app.stagecast.journal.records([job.id])
  t.same(
    record?.events.map(({ id }) => id),
    [job.head],
  )
  t.equal(record?.snapshot.cursor, job.head)
})

t.test('without Redis every read is a 503', async (t) => {
  const redis = await privateRedis(t)
  const api = await startApi(t, await testEnv(t, { REDIS_URL: redis.url }))
  const job = await runningJob(api, 2)
  await redis.stop()
  const { journal } = api.app.stagecast
  const asked: (() => Promise<unknown>)[] = [
    () => journal.snapshot(job.id),
    () => journal.find(job.id, 2, 'alice'),
    () => journal.records([job.id]),
    () => journal.cancel({ job_id: job.id, stage: 2, workflow_id: job.id, user_id: 'alice' }),
    () => journal.summaries([job.id]),
  ]
  for (const ask of asked) await t.rejects(ask(), { code: 'QUEUE_UNAVAILABLE' })
})

t.test('an entry that is appended during a read belongs to the next read', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await runningJob(api, 2)
  const { redis, journal } = api.app.stagecast
  // The hash is one entry older than the log.
  const [line = ''] = await redis.lrange(journal.keys.log(job.id), -2, -2)
  const whole = await redis.hget(journal.keys.job(job.id), 'last')
  await redis.hset(journal.keys.job(job.id), 'last', line)
  const [record] = await journal.records([job.id])
  t.equal(record?.snapshot.cursor, job.ids.at(-2))
  t.same(
    record?.events.map(({ id }) => id),
    job.ids.slice(0, -1),
    'the cursor is the id of the last event',
  )
  await redis.hset(journal.keys.job(job.id), 'last', whole as string)
  t.same(
    (await journal.records([job.id]))[0]?.events.map(({ id }) => id),
    job.ids,
  )
})

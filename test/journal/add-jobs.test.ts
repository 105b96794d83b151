/** Jobs that arrive together share their round trips; each has its own outcome. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { FIRST_ID } from '../../contract/events.ts'
import type { JobData } from '../../contract/job.ts'
import { jobAdder, NotAdded } from '../../journal/add-jobs.ts'
import type { EnqueueRequest } from '../../journal/enqueue.ts'
import { parsePlace, workflowName } from '../../journal/order.ts'
import { Message } from '../../watch/tail.ts'
import { enqueue, QUESTION, startApi, testEnv } from '../helpers/app.ts'
import { openQueue } from '../helpers/queue.ts'

const request = (): EnqueueRequest => ({
  stage: 2,
  userId: 'alice',
  body: { workflow_id: randomUUID(), research_question: QUESTION },
})

t.test('of many jobs at once, each is queued once and in order', async (t) => {
  const env = await testEnv(t)
  const { app, url } = await startApi(t, env)
  // From here on, Redis knows the scripts and the code is warm.
  const { job_id } = await enqueue(url)
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, () => app.stagecast.queue.enqueue(request())),
  )
  t.ok(outcomes.every(({ kind }) => kind === 'queued'))
  const ids = outcomes.map((outcome) => (outcome.kind === 'queued' ? outcome.jobId : ''))
  const waiting = await openQueue(t, env).getPrioritized()
  t.same(
    waiting.map((job) => job.id),
    [job_id, ...ids],
  )
  for (const id of ids)
    t.ok(await app.stagecast.redis.hget(app.stagecast.journal.keys.job(id), 'placed'), 'the job is placed')
})

t.test('a job that cannot be added does not affect the others', async (t) => {
  const env = await testEnv(t)
  const { app } = await startApi(t, env)
  const { redis, journal } = app.stagecast
  const queue = openQueue(t, env)
  const placed: string[] = []
  const options = { open: async () => queue, optionsOf: () => ({ attempts: 1 }) }
  const add = jobAdder({
    ...options,
    place: async (jobs) => void placed.push(...jobs.map(({ job_id }) => job_id)),
  })
  const jobs = ['a', 'b', 'c'].map((): JobData => {
    const { stage, userId, body } = request()
    const job_id = randomUUID()
    const rest = { research_question: QUESTION, timestamp: Date.now(), inputs: {} }
    return { stage, job_id, user_id: userId, workflow_id: body.workflow_id, ...rest }
  })
  // Its key holds another type of value.
  const [first, broken, third] = jobs as [JobData, JobData, JobData]
  await redis.set(journal.keys.job(broken.job_id), 'not a hash')
  t.match(await add(jobs.map((data) => ({ data, priority: 1 }))), [null, NotAdded, null])
  t.same(placed, [first.job_id, third.job_id], 'a job that is not in the queue is not placed')
  const closed = jobAdder({
    ...options,
    open: () => Promise.reject(new Error('away')),
    place: async () => {},
  })
  t.match(await closed([{ data: first, priority: 1 }]), [NotAdded], 'nothing was sent')
})

t.test('an added job looks like one that BullMQ itself added', async (t) => {
  const env = await testEnv(t)
  const { app, url } = await startApi(t, env)
  await enqueue(url, { headers: {} })
  const outcome = await app.stagecast.queue.enqueue(request())
  const queue = openQueue(t, env)
  const ours = await queue.getJob(outcome.kind === 'queued' ? outcome.jobId : '')
  const theirs = await queue.add('stage-2-execute', ours?.data, { ...ours?.opts, jobId: randomUUID() })
  const hash = async (id: string | undefined) => {
    const {
      placed: _,
      timestamp: __,
      opts = '{}',
      ...rest
    } = await app.stagecast.redis.hgetall(app.stagecast.journal.keys.job(id ?? ''))
    const { jobId: ___, ...options } = JSON.parse(opts)
    return { ...rest, options }
  }
  t.same(await hash(ours?.id), await hash(theirs.id))
  t.equal(await ours?.getState(), 'prioritized')
})

t.test('a job that cannot be placed is queued all the same, and placed with its first entry', async (t) => {
  const env = await testEnv(t)
  const { app } = await startApi(t, env)
  const { keys } = app.stagecast.journal
  const asked = request()
  const order = keys.order('alice', asked.body.workflow_id)
  await app.stagecast.redis.set(order, 'not a list')
  const outcome = await app.stagecast.queue.enqueue(asked)
  const jobId = outcome.kind === 'queued' ? outcome.jobId : ''
  const queue = openQueue(t, env)
  t.equal(await (await queue.getJob(jobId))?.getState(), 'prioritized')
  t.equal(await app.stagecast.redis.hexists(keys.job(jobId), 'placed'), 0)
  await app.stagecast.redis.del(order)
  const job = { job_id: jobId, stage: 2, workflow_id: asked.body.workflow_id, user_id: 'alice' }
  t.equal(await app.stagecast.journal.place(job, '000100000010'), 'placed')
  const ids = (await app.stagecast.redis.lrange(order, 0, -1)).map((line) => parsePlace(line).eventId)
  t.same(ids, [FIRST_ID, '000100000010'])
})

t.test('the announcement contains the position', async (t) => {
  const env = await testEnv(t)
  const { app } = await startApi(t, env)
  const asked = request()
  await app.stagecast.queue.enqueue(asked)
  const stream = await app.stagecast.redis.xrange(app.stagecast.journal.keys.events, '-', '+')
  const told = stream.map(([, fields]) => new Message(fields))
  t.same(
    told.map(({ event }) => event),
    ['added', 'waiting', 'placed'],
  )
  const [line = ''] = await app.stagecast.redis.lrange(
    app.stagecast.journal.keys.order('alice', asked.body.workflow_id),
    0,
    -1,
  )
  t.equal(told[2]?.workflow, workflowName('alice', asked.body.workflow_id))
  t.equal(told[2]?.places, ` ${parsePlace(line).position}`, 'there is no earlier position')
})

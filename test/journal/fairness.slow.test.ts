/** The queue is fair by user: the order in which jobs start, whatever happens to them. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { digest } from '../../journal/ids.ts'
import { REBASE_AFTER, tidyQueue } from '../../journal/tidy.ts'
import {
  authorization,
  type Env,
  QUESTION,
  startApi,
  startWorker,
  type TestApi,
  testEnv,
} from '../helpers/app.ts'
import { openQueue } from '../helpers/queue.ts'
import {
  type Answer,
  type FakeStageService,
  fail,
  fakeStageService,
  succeed,
} from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const body = () => ({ workflow_id: randomUUID(), research_question: QUESTION })

async function ask(api: TestApi, userId: string, count = 1): Promise<string[]> {
  const requests = Array.from({ length: count }, () => ({ stage: 2, userId, body: body() }))
  const outcomes = await Promise.all(requests.map((one) => api.app.stagecast.queue.enqueue(one)))
  return outcomes.map((outcome) => (outcome.kind === 'queued' ? outcome.jobId : outcome.kind))
}

/** Users in the order in which their jobs were called. */
const users = (service: FakeStageService) => service.calls.map((call) => String(call.body.user_id))

/** Nothing that the turns need holds a name, or is there when nothing waits. */
async function namesLeft(api: TestApi, env: Env): Promise<string[]> {
  return api.app.stagecast.redis.keys(`${env.REDIS_PREFIX}:workflow-stages:queued:*`)
}

async function start(t: Test, answer: Answer = succeed(), over: Env = {}) {
  const service = await fakeStageService(t, answer)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_KEEP_COMPLETED: '5000', ...over })
  return { service, env, api: await startApi(t, env) }
}

t.test('1,000 jobs of one user, and one of each of twenty', async (t) => {
  // One job at a time: with more, a process keeps a place free for other stages, and puts jobs of this one off.
  const { service, env, api } = await start(t, succeed(), { STAGE_WORKER_CONCURRENCY: '1' })
  const many = await ask(api, 'many', 1000)
  const few = Array.from({ length: 20 }, (_, i) => `user-${i}`)
  for (const user of few) await ask(api, user)
  t.same(await api.app.stagecast.queue.depth().then(({ waiting }) => waiting), 1020)
  // A process that ends, and others that go on where it was.
  const first = startWorker(t, env)
  await service.call(3)
  // With time to hand over what it holds: a lost job is found when its lock has lapsed, not by its turn.
  await first.close(20_000)
  startWorker(t, env)
  await eventually('every user was served', () => few.every((one) => users(service).includes(one)))
  const order = users(service)
  const last = Math.max(...few.map((one) => order.indexOf(one)))
  const others = order.slice(0, last).filter((one) => one === 'many').length
  t.ok(others <= 2 + 2 + 4, `${others} of the other user's jobs before the last of the twenty`)
  await service.call(60)
  const calls = service.calls.filter(({ body }) => body.user_id === 'many').map(({ body }) => body.job_id)
  const places = [...new Set(calls)].map((id) => many.indexOf(String(id)))
  t.same(
    places.slice(0, 8),
    [...places.slice(0, 8)].sort((a, b) => a - b),
    'in order within a user',
  )
  const names = await api.app.stagecast.redis.keys(`${env.REDIS_PREFIX}:*:queued:*`)
  t.same(names, [api.app.stagecast.journal.keys.queued('many')], 'only who has queued jobs is known')
  t.ok(names[0]?.endsWith(digest('many')), 'by a digest')
})

t.test('while a stage is at its limit, users who come late wait for one round', async (t) => {
  // The default concurrency: one place for this stage, one for the others.
  const { service, env, api } = await start(t, () => {}, { STAGE_WORKER_CONCURRENCY: '2' })
  const many = await ask(api, 'many', 1000)
  startWorker(t, env)
  const queue = openQueue(t, env)
  let served = 0
  const serve = async () => succeed()(await service.call(served++))
  for (let i = 0; i < 5; i += 1) await serve()
  await eventually('many are delayed', async () => (await queue.getDelayedCount()) > 50)
  const few = Array.from({ length: 20 }, (_, i) => `user-${i}`)
  for (const user of few) await ask(api, user)
  const from = served
  while (!few.every((one) => users(service).includes(one))) await serve()
  const others = users(service)
    .slice(from, -1)
    .filter((one) => one === 'many').length
  t.ok(others <= 2 + 2, `${others} of the other user's jobs before the last of the twenty`)
  for (let i = 0; i < 10; i += 1) await serve()
  const calls = service.calls.filter(({ body }) => body.user_id === 'many').map(({ body }) => body.job_id)
  t.same(calls, many.slice(0, calls.length), 'in order within a user')
})

t.test('a job that another worker started long before its turn does not hold back new users', async (t) => {
  const { service, env, api } = await start(t, () => {}, { STAGE_WORKER_CONCURRENCY: '2' })
  const { redis, journal } = api.app.stagecast
  await ask(api, 'many', 100)
  startWorker(t, env)
  const queue = openQueue(t, env)
  await service.call(0)
  await eventually('the others are delayed', async () => (await queue.getDelayedCount()) === 99)
  // As a worker leaves it that came late: it knows none of the delayed jobs.
  await redis.hset(journal.keys.turns, 'last', 90)
  const [late] = await ask(api, 'late')
  t.ok(((await queue.getJob(late as string))?.priority ?? 90) <= 3, 'its turn is one of the next')
  await ask(api, 'third')
  await eventually('they are delayed, too', async () => (await queue.getDelayedCount()) === 101)
  const other = await api.app.stagecast.queue.enqueue({ stage: 4, userId: 'other', body: body() })
  t.equal(other.kind, 'queued')
  const { jobId } = other as { jobId: string }
  t.equal((await queue.getJob(jobId))?.priority, 91, 'nothing waits for a place of this stage')
  for (let i = 0; i < 5; i += 1) succeed()(await service.call(i))
  await service.call(5)
  t.ok(users(service).slice(0, 6).includes('late'))
  // A worker ended before it removed these.
  const { keys } = journal
  await redis.zadd(keys.fronts(4), 1, 'gone', 2, jobId)
  await eventually('the job of the other stage has started', () => users(service).includes('other'))
  const last = Number(await redis.hget(keys.turns, 'last'))
  const next = await api.app.stagecast.queue.enqueue({ stage: 4, userId: 'next', body: body() })
  const { jobId: nextId } = next as { jobId: string }
  t.equal((await queue.getJob(nextId))?.priority, last + 1, 'only waiting jobs count')
})

t.test('with three workers at the limit of a stage, new users wait for about one round', async (t) => {
  const { service, env, api } = await start(t, () => {}, { STAGE_WORKER_CONCURRENCY: '2' })
  await ask(api, 'many', 300)
  for (let i = 0; i < 3; i += 1) startWorker(t, env)
  const queue = openQueue(t, env)
  let served = 0
  const serve = async () => succeed()(await service.call(served++))
  for (let i = 0; i < 9; i += 1) await serve()
  const delayed = (count: number) => async () => (await queue.getDelayedCount()) === count
  await eventually('all others are delayed', delayed(300 - 9 - 3))
  const few = Array.from({ length: 20 }, (_, i) => `user-${i}`)
  for (const user of few) await ask(api, user)
  await eventually('the new ones are delayed, too', delayed(300 - 9 - 3 + 20))
  const from = served
  while (!few.every((one) => users(service).includes(one))) await serve()
  const others = users(service)
    .slice(from, -1)
    .filter((one) => one === 'many').length
  // Usually 4 to 10: each worker starts what it put off itself, so one may run out of new users before the others.
  t.ok(others <= 3 * 8, `${others} of the other user's jobs before the last of the twenty`)
})

t.test('who comes later waits for one round, however long the others have been at it', async (t) => {
  const { service, env, api } = await start(t, () => {}, { STAGE_WORKER_CONCURRENCY: '1' })
  const answer = async (index: number) => succeed()(await service.call(index))
  await ask(api, 'a', 30)
  await ask(api, 'b', 30)
  startWorker(t, env)
  for (let i = 0; i < 20; i += 1) await answer(i)
  await service.call(20)
  await ask(api, 'late', 3)
  for (let i = 20; i < 30; i += 1) await answer(i)
  const after = users(service).slice(21, 30)
  for (const other of ['a', 'b']) {
    const before = after.slice(0, after.indexOf('late')).filter((one) => one === other).length
    t.ok(before <= 3, `${before} of ${other} first`)
  }
  t.ok(after.filter((one) => one === 'late').length >= 2, 'and its next ones take turns with theirs')
})

t.test('a retry keeps its turn, and goes before what came later', async (t) => {
  let fails = 1
  const { service, env, api } = await start(
    t,
    (call) => (call.body.user_id === 'ill' && fails-- > 0 ? fail(503, 'BUSY')(call) : succeed()(call)),
    { STAGE_WORKER_CONCURRENCY: '1', STAGE_JOB_BACKOFF_MS: '1', BREAKER_FAILURES: '50' },
  )
  await ask(api, 'ill')
  await ask(api, 'many', 300)
  startWorker(t, env)
  await eventually('it was called again', () => users(service).filter((one) => one === 'ill').length === 2)
  t.ok(users(service).lastIndexOf('ill') < 200, `call ${users(service).lastIndexOf('ill')}`)
})

t.test('what is handed over goes first', async (t) => {
  const { service, env, api } = await start(t, () => {}, { STAGE_WORKER_CONCURRENCY: '1' })
  const [held] = await ask(api, 'a')
  const worker = startWorker(t, env)
  await service.call(0)
  await ask(api, 'b', 5)
  await worker.close(100)
  startWorker(t, env)
  t.equal((await service.call(1)).body.job_id, held)
})

t.test('turns restart at 1 when the queue is empty, and no user is remembered', async (t) => {
  const { service, env, api } = await start(t)
  const { redis, journal } = api.app.stagecast
  await ask(api, 'a', 3)
  startWorker(t, env)
  await service.call(2)
  const queue = openQueue(t, env)
  await eventually(
    'the queue is empty',
    async () => (await queue.getJobCounts('active', 'prioritized')).active === 0,
  )
  t.same(await namesLeft(api, env), [])
  t.equal(await redis.zcard(journal.keys.adding), 0)
  const worker = await redis.hgetall(journal.keys.turns)
  t.equal(worker.last, '3')
  const [next] = await ask(api, 'b')
  const job = await queue.getJob(next as string)
  t.ok((job?.priority ?? 1) <= 1, 'counted from 1 again')
  t.equal((await redis.hgetall(journal.keys.turns)).base, '3')
})

t.test('cancelled jobs give their turns back', async (t) => {
  const { env, api } = await start(t)
  const ids = await ask(api, 'a', 5)
  for (const id of ids) {
    const { data } = await api.app.stagecast.journal.find(id, 2, 'a')
    t.equal(await api.app.stagecast.journal.cancel({ ...data, job_id: id }), 'cancelled')
    await api.app.stagecast.queue.discard(id)
  }
  t.same(await namesLeft(api, env), [])
  const [next] = await ask(api, 'a')
  t.equal((await openQueue(t, env).getJob(next as string))?.priority, 1)
})

t.test('priorities are counted from a new base long before they run out', async (t) => {
  const { env, api } = await start(t)
  const { redis, journal } = api.app.stagecast
  const queue = openQueue(t, env)
  const options = { redis, keys: journal.keys, queue, place: journal.placeQueued, resultTtlSeconds: 600 }
  // As after days in which something always waited.
  const old = await queue.add('stage-2-execute', { user_id: 'gone' }, { priority: 7, delay: 600_000 })
  await redis.hset(journal.keys.turns, 'last', REBASE_AFTER - 1)
  const before = await ask(api, 'a', 3)
  const other = await ask(api, 'b')
  const priorities = async (ids: string[]) =>
    Promise.all(ids.map(async (id) => (await queue.getJob(id))?.priority))
  t.same(await priorities(before), [REBASE_AFTER, REBASE_AFTER + 1, REBASE_AFTER + 2])
  const order = async () => (await queue.getPrioritized()).map(({ id }) => id)
  const expected = await order()
  await tidyQueue(options)
  t.same(await priorities(before), [REBASE_AFTER, REBASE_AFTER + 1, REBASE_AFTER + 2], 'not before it is due')
  await redis.hset(journal.keys.turns, 'last', REBASE_AFTER)
  // Cut short after the base was moved, it is done again.
  await redis.hset(journal.keys.turns, 'base', REBASE_AFTER, 'rebasing', 1)
  await tidyQueue(options)
  t.same(await priorities(before), [1, 1, 2])
  t.same(await priorities(other), [1])
  t.same(await priorities([old.id as string]), [1], 'a delayed job goes before what comes later')
  t.same(new Set((await order()).slice(0, 3)), new Set(expected.slice(0, 3)))
  t.same(
    (await order()).filter((id) => before.includes(id as string)),
    before,
  )
  const [later] = await ask(api, 'a')
  t.same(await priorities([later as string]), [3])
  t.equal(await redis.hexists(journal.keys.turns, 'rebasing'), 0)
})

t.test('a user may have so many queued jobs, and no more under any race', async (t) => {
  const { service, env, api } = await start(t, () => {}, {
    MAX_WAITING_PER_USER: '3',
    STAGE_WORKER_CONCURRENCY: '1',
  })
  const second = await startApi(t, env)
  const outcomes = await Promise.all([ask(api, 'a', 20), ask(second, 'a', 20)])
  t.equal(outcomes.flat().filter((one) => one !== 'full').length, 3)
  t.notMatch(await ask(api, 'b'), ['full'], 'another user')
  const keyed = { stage: 2, userId: 'c', body: body(), idempotencyKey: 'k' }
  const { enqueue } = api.app.stagecast.queue
  t.equal((await enqueue(keyed)).kind, 'queued')
  await ask(api, 'c', 2)
  t.equal((await enqueue(keyed)).kind, 'replayed', 'a repeat passes')
  t.equal((await enqueue({ ...keyed, idempotencyKey: 'l' })).kind, 'full')
  const answer = await fetch(`${api.url}/api/workflow/stages/2/execute`, {
    method: 'POST',
    headers: { ...authorization('a'), 'content-type': 'application/json' },
    body: JSON.stringify(body()),
  })
  t.equal(answer.status, 429)
  t.ok(Number(answer.headers.get('retry-after')) > 0)
  t.match(await answer.json(), { code: 'TOO_MANY_JOBS' })
  startWorker(t, env)
  await service.call(0)
  const [user] = users(service)
  t.notMatch(await ask(api, user as string), ['full'], 'one has started: there is room again')
  // Somebody removed the others by hand.
  const queue = openQueue(t, env)
  for (const job of await queue.getPrioritized()) if (job.data.user_id === 'b') await job.remove()
  t.notMatch(await ask(api, 'b', 3), ['full'])
})

t.test('a job whose process ended before it was placed is listed all the same', async (t) => {
  const { env, api } = await start(t)
  const { redis, journal, jobs } = api.app.stagecast
  const [id = ''] = await ask(api, 'a')
  const { data } = await journal.find(id, 2, 'a')
  // As that process leaves it; and another one that was never added.
  await redis.hdel(journal.keys.job(id), 'placed')
  await redis.del(journal.keys.jobs('a'), journal.keys.order('a', data.workflow_id))
  await redis.zadd(journal.keys.adding, 1, `${id} ${digest('a')}`, 1, `never ${digest('b')}`)
  await redis.zadd(journal.keys.queued('b'), 1, 'never')
  t.same((await jobs.page('a', {}, 10)).jobs, [])
  await tidyQueue({
    redis,
    keys: journal.keys,
    queue: openQueue(t, env),
    place: journal.placeQueued,
    resultTtlSeconds: 600,
  })
  t.same(
    (await jobs.page('a', {}, 10)).jobs.map(({ job_id }) => job_id),
    [id],
  )
  t.equal(await redis.llen(journal.keys.order('a', data.workflow_id)), 1)
  t.equal(
    await redis.exists(journal.keys.adding, journal.keys.queued('b')),
    0,
    'nothing is left of the other',
  )
})

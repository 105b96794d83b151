/** A key determines its job: whatever is lost between two writes, a repeat returns the same job, which runs once. */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { keyedJobId } from '../../journal/reserve.ts'
import {
  type Env,
  execute,
  type Queued,
  startApi,
  startWorker,
  type TestApi,
  testEnv,
} from '../helpers/app.ts'
import { finished } from '../helpers/jobs.ts'
import { becomesReady } from '../helpers/outage.ts'
import { openQueue } from '../helpers/queue.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'
import { CaseRedis } from './suite/redis.ts'

/** What has happened after each round trip of an execute, when the fault strikes Redis. */
const MOMENTS = ['the key is remembered', 'the job is added', 'it has its place']

interface Fault {
  name: string
  /** Causes the fault. Returns a function that ends it. */
  strike(redis: CaseRedis, admin: Redis): Promise<() => unknown>
}

const FAULTS: Fault[] = [
  { name: 'frozen', strike: (redis) => redis.freeze() },
  {
    name: 'full',
    async strike(_, admin) {
      await admin.config('SET', 'maxmemory', '1')
      return () => admin.config('SET', 'maxmemory', '0')
    },
  },
  {
    name: 'read-only',
    async strike(_, admin) {
      await admin.call('REPLICAOF', '127.0.0.1', '1')
      return () => admin.call('REPLICAOF', 'NO', 'ONE')
    },
  },
  {
    name: 'killed',
    async strike(redis) {
      await redis.crash()
      return () => redis.start()
    },
  },
  {
    name: 'restarted empty',
    async strike(redis) {
      await redis.restartEmpty()
      return () => {}
    },
  },
]

for (const fault of FAULTS)
  for (const [moment, name] of MOMENTS.entries())
    t.test(`${fault.name} when ${name}`, async (t) => {
      const redis = await (await CaseRedis.create(t)).start()
      const admin = redis.admin()
      await admin.config('SET', 'appendfsync', 'always')
      const service = await fakeStageService(t, succeed())
      const env = await testEnv(t, { REDIS_URL: `unix://${redis.path}`, WORKER_URL: service.url })
      const api = await startApi(t, env)
      await becomesReady(api.url)
      const jobId = keyedJobId([env.REDIS_PREFIX as string, ''], 'alice', 'the-same')
      const request = { headers: { 'idempotency-key': 'the-same' }, body: { workflow_id: randomUUID() } }
      const other = { ...request, body: { workflow_id: randomUUID() } }

      const struck = strikeAfter(t, api, moment, () => fault.strike(redis, admin))
      const answer = await execute(api.url, request)
      const heal = await struck
      const told = (await answer.json()) as { job_id?: string }
      t.ok(answer.status === 202 || answer.status === 503, `${answer.status}`)
      if (told.job_id) t.equal(told.job_id, jobId)
      else t.equal(moment, 0, 'no job was added, so the 503 names none')

      await heal()
      await becomesReady(api.url)
      const again = await accepted(api, request)
      t.equal(again.job_id, jobId, 'the same job')
      t.equal((await execute(api.url, other)).status, 422, 'the key with another body is refused')
      const queue = openQueue(t, env)
      t.same(
        (await queue.getJobs()).map(({ id }) => id),
        [jobId],
        'queued once',
      )
      startWorker(t, env)
      t.equal((await finished(api.url, again)).status, 'completed')
      t.equal(service.calls.length, 1, 'the job ran once')
      t.equal((await accepted(api, request)).job_id, jobId)
    })

/** Calls `act` after the nth round trip of the first execute; resolves with its result. */
function strikeAfter<T>(t: Test, { app }: TestApi, nth: number, act: () => Promise<T>): Promise<T> {
  const { redis } = app.stagecast
  const { defineCommand } = redis
  let left = nth
  t.teardown(() => Object.assign(redis, { defineCommand }))
  return new Promise((resolve, reject) => {
    const counted =
      (send: Send): Send =>
      async (...args) => {
        const answers = await send(...args)
        if (left-- === 0) await act().then(resolve, reject)
        return answers
      }
    const commands = redis as unknown as Record<string, Send>
    const count = (name: string) => {
      commands[name] = counted(commands[name]?.bind(redis) as Send)
    }
    // One of BullMQ's scripts adds the job. Two of ours do the rest; they become commands of the connection on first use.
    const [add = ''] = Object.keys(redis).filter((name) => /^addPrioritizedJob:[\d.]+$/.test(name))
    count(add)
    redis.defineCommand = (name, definition) => {
      defineCommand.call(redis, name, definition)
      if (/:(reserve|place)$/.test(name)) count(name)
    }
  })
}

type Send = (...args: unknown[]) => Promise<unknown>

async function accepted(api: TestApi, request: object) {
  for (let left = 20; ; left -= 1) {
    const answer = await execute(api.url, request)
    if (answer.status === 202) return answer.json() as Promise<Queued>
    if (left === 0) throw new Error(`execute answered ${answer.status}`)
    await becomesReady(api.url)
  }
}

t.test('a key is remembered for a day after the end, longer than the result', async (t) => {
  const service = await fakeStageService(t, succeed())
  const env: Env = await testEnv(t, {
    WORKER_URL: service.url,
    RESULT_TTL_SECONDS: '1',
    STAGE_KEEP_COMPLETED: '0',
  })
  const api = await startApi(t, env)
  const { redis, journal } = api.app.stagecast
  const request = { headers: { 'idempotency-key': 'k' }, body: { workflow_id: randomUUID(), inputs: {} } }
  const job = await accepted(api, request)
  startWorker(t, env)
  await finished(api.url, job)
  const key = journal.keys.asked(job.job_id)
  const ttl = await redis.ttl(key)
  t.ok(ttl > 86_000 && ttl <= 86_400, `${ttl} s`)
  await redis.del(journal.keys.end(job.job_id))
  t.equal(await journal.snapshot(job.job_id), null)
  const { inputs: _, ...body } = request.body
  t.equal((await accepted(api, { ...request, body })).job_id, job.job_id, 'absent inputs equal empty inputs')
  t.equal((await execute(api.url, { ...request, stage: 4 })).status, 422)
  await redis.setrange(key, 0, 'd')
  const deleted = await execute(api.url, request)
  t.match([deleted.status, await deleted.json()], [410, { code: 'JOB_DELETED' }])

  // The job is queued again by hand. It ends without a call and leaves nothing behind.
  const queue = openQueue(t, env)
  await queue.add(
    'stage-2-execute',
    { ...body, stage: 2, job_id: job.job_id, user_id: 'alice' },
    { jobId: job.job_id },
  )
  while (await queue.getJob(job.job_id)) await new Promise((resolve) => setImmediate(resolve))
  t.equal(service.calls.length, 1)
  t.equal(await journal.snapshot(job.job_id), null, 'its status is 404 as before')
})

t.test('keys that the previous release stored are honoured', async (t) => {
  const env = await testEnv(t)
  const api = await startApi(t, env)
  const { redis, journal } = api.app.stagecast
  // The previous release wrote the SHA-256 of `alice\nold` and of the request.
  const { createHash } = await import('node:crypto')
  const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
  const body = { research_question: 'Does sleep change memory?', workflow_id: randomUUID() }
  const claim = { job_id: randomUUID(), fingerprint: digest(JSON.stringify({ body, stage: 2 })) }
  await redis.set(journal.keys.own('idem', digest('alice\nold')), JSON.stringify(claim), 'EX', 1000)
  const request = { headers: { 'idempotency-key': 'old' }, body }
  t.equal((await accepted(api, request)).job_id, claim.job_id, 'a job that had not been added')
  t.same(
    (await openQueue(t, env).getJobs()).map(({ id }) => id),
    [claim.job_id],
  )
  const repeat = await execute(api.url, request)
  t.equal(repeat.headers.get('idempotent-replayed'), 'true')
  t.equal((await execute(api.url, { ...request, stage: 4 })).status, 422)
})

t.test('deployment, caller and key determine the job ID', async (t) => {
  const ids = [
    keyedJobId(['bull', ''], 'alice', 'k'),
    keyedJobId(['bull', 'x'], 'alice', 'k'),
    keyedJobId(['bul', 'l'], 'alice', 'k'),
    keyedJobId(['bull', ''], 'alic', 'ek'),
    keyedJobId(['bull', ''], 'alice', 'K'),
  ]
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

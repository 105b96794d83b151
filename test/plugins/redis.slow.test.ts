/** While Redis is in trouble, the API answers 503 quickly, loses nothing, does nothing twice, and recovers by itself. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { authorization, type Env, enqueue, execute, startApi, type TestApi, testEnv } from '../helpers/app.ts'
import { absentRedis, adminOf, becomesReady, freeze } from '../helpers/outage.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { openQueue } from '../helpers/queue.ts'
import { privateRedis } from '../helpers/redis.ts'

/** The command time-out of 2 s, and a margin for a busy machine. */
const SOON_MS = 3500
const KEY = { 'idempotency-key': 'the-same' }
const BODY = { workflow_id: '123e4567-e89b-12d3-a456-426614174000' }

t.test('unavailable at the start', async (t) => {
  const redis = await absentRedis(t)
  const env = await limitedEnv(t, redis.url)
  const api = await startApi(t, env)
  await isDown(t, api, { knowsJob: null })

  await redis.start()
  await becomesReady(api.url)
  await repeatIsOneJob(t, api, env)
})

t.test('stopped later', async (t) => {
  const redis = await absentRedis(t)
  await redis.start()
  const env = await limitedEnv(t, redis.url)
  const api = await startApi(t, env)
  const job = await enqueue(api.url)
  await redis.stop()
  await isDown(t, api, { knowsJob: null, statusUrl: job.urls.status })

  await redis.start()
  await becomesReady(api.url)
  await repeatIsOneJob(t, api, env, 1)
  t.equal(
    (await fetch(api.url + job.urls.status, { headers: authorization() })).status,
    200,
    'nothing was lost',
  )
})

t.test('frozen', async (t) => {
  const redis = await privateRedis(t)
  const env = await limitedEnv(t, redis.url)
  const limited = await startApi(t, env)
  const unlimited = await startApi(t, { ...env, RATE_LIMIT_PER_MINUTE: '0' })
  const job = await enqueue(limited.url)
  await enqueue(unlimited.url, { user: 'bob' })
  const thaw = await freeze(t, adminOf(t, redis))
  await Promise.all([
    // If counting the request already times out, adding a job is not tried.
    isDown(t, limited, { statusUrl: job.urls.status }),
    isDown(t, unlimited, { knowsJob: null, statusUrl: job.urls.status }),
  ])
  isProblem(t, await soon(t, ask(unlimited), 1000), 'QUEUE_UNAVAILABLE', 'the next one, at once')
  thaw()
  await Promise.all([becomesReady(limited.url), becomesReady(unlimited.url)])
  await repeatIsOneJob(t, unlimited, env, 2)
  await repeatIsOneJob(t, limited, env, 2)
})

t.test('out of memory', async (t) => {
  const redis = await privateRedis(t)
  const admin = adminOf(t, redis)
  const env = await limitedEnv(t, redis.url)
  const api = await startApi(t, env)
  const job = await enqueue(api.url)
  await admin.config('SET', 'maxmemory', '1')
  await isDown(t, api, { knowsJob: null })
  t.equal(
    (await fetch(api.url + job.urls.status, { headers: authorization() })).status,
    200,
    'reading still works',
  )
  const page = { headers: { accept: 'application/json' } }
  t.equal((await fetch(api.url + job.urls.events, page)).status, 200, 'tickets work too')
  await admin.config('SET', 'maxmemory', '0')
  await becomesReady(api.url)
  await repeatIsOneJob(t, api, env, 1)
})

t.test('a read-only replica', async (t) => {
  const redis = await privateRedis(t)
  const admin = adminOf(t, redis)
  const env = await limitedEnv(t, redis.url)
  const api = await startApi(t, env)
  await enqueue(api.url)
  await admin.call('REPLICAOF', '127.0.0.1', '1')
  await isDown(t, api, { knowsJob: null })
  await admin.call('REPLICAOF', 'NO', 'ONE')
  await becomesReady(api.url)
  await repeatIsOneJob(t, api, env, 1)
})

t.test('a primary without the replicas that it requires', async (t) => {
  const redis = await privateRedis(t)
  const admin = adminOf(t, redis)
  const env = await limitedEnv(t, redis.url)
  const api = await startApi(t, env)
  await becomesReady(api.url)
  await admin.config('SET', 'min-replicas-to-write', '1')
  await isDown(t, api, { knowsJob: null })
  await admin.config('SET', 'min-replicas-to-write', '0')
  await becomesReady(api.url)
  await repeatIsOneJob(t, api, env)
})

t.test('a connection that is cut while the queue checks it for the first time', async (t) => {
  const redis = await privateRedis(t)
  const proxy = await startProxy(t, redis.url.slice('unix://'.length))
  // ioredis sends the first INFO, to check readiness; BullMQ sends the second, to get the version.
  proxy.cutAt('info', 2)
  const env = await limitedEnv(t, proxy.url)
  const api = await startApi(t, env)
  await becomesReady(api.url)
  t.ok(proxy.cuts > 0, 'it was cut')
  const answers = [await execute(api.url), await execute(api.url)]
  t.equal(answers.at(-1)?.status, 202, 'it recovers without a restart')
})

interface Down {
  /** Whether the 503 contains a job ID; absent if both are allowed. */
  knowsJob?: null
  statusUrl?: string
}

/** Requires the responses that an API must give while Redis is unusable, all of them quickly. */
async function isDown(t: Test, api: TestApi, { knowsJob, statusUrl }: Down): Promise<void> {
  const headers = authorization()
  const [executed, live, ready, status] = await Promise.all([
    soon(t, ask(api)),
    soon(t, answered(fetch(`${api.url}/health/live`))),
    soon(t, answered(fetch(`${api.url}/health/ready`))),
    statusUrl && soon(t, answered(fetch(api.url + statusUrl, { headers }))),
  ])
  const problem = isProblem(t, executed, 'QUEUE_UNAVAILABLE', 'execute')
  if (knowsJob === null) t.equal(problem.job_id, undefined, 'nothing was queued')
  t.equal(live.status, 200, 'live')
  isProblem(t, ready, 'QUEUE_UNAVAILABLE', 'ready')
  if (status) isProblem(t, status, 'QUEUE_UNAVAILABLE', 'status')
}

/** Repeats the request of `isDown` twice: both get a 202 with the same ID, and the queue has one more job. */
async function repeatIsOneJob(t: Test, api: TestApi, env: Env, others = 0): Promise<string> {
  const [first, second] = [await enqueue(api.url, request), await enqueue(api.url, request)]
  t.equal(first.job_id, second.job_id)
  const jobs = await openQueue(t, env).getJobs()
  t.equal(jobs.length, others + 1, 'one job')
  t.ok(jobs.some((job) => job.id === first.job_id))
  return first.job_id
}

const request = { headers: KEY, body: BODY }

function ask(api: TestApi) {
  return answered(execute(api.url, request))
}

async function soon<T>(t: Test, answer: Promise<T>, limitMs = SOON_MS): Promise<T> {
  const startedAt = performance.now()
  const value = await answer
  const ms = Math.round(performance.now() - startedAt)
  t.ok(ms < limitMs, `answered after ${ms} ms`)
  return value
}

/** The rate limit is on, so that its call to Redis is part of the time. */
function limitedEnv(t: Test, REDIS_URL: string): Promise<Env> {
  return testEnv(t, { REDIS_URL, RATE_LIMIT_PER_MINUTE: '600' })
}

/** A proxy between client and Redis that cuts a connection at the nth command with this name. */
async function startProxy(t: Test, path: string) {
  let left = Number.POSITIVE_INFINITY
  let word = ''
  const proxy = {
    url: '',
    cuts: 0,
    cutAt(command: string, nth: number) {
      word = command
      left = nth
    },
  }
  const sockets = new Set<Socket>()
  const server: Server = createServer((client) => {
    const redis = connect(path)
    for (const socket of [client, redis]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        redis.destroy()
      })
    }
    client.on('data', (chunk) => {
      left -= chunk.toString().toLowerCase().split(`\r\n${word}\r\n`).length - 1
      if (left <= 0) {
        left = Number.POSITIVE_INFINITY
        proxy.cuts += 1
        client.destroy()
      } else redis.write(chunk)
    })
    redis.on('data', (chunk) => client.write(chunk))
  })
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-test-'))
  const socketPath = join(dir, 'proxy.sock')
  server.listen(socketPath)
  await once(server, 'listening')
  proxy.url = `unix://${socketPath}`
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
    await rm(dir, { recursive: true, force: true })
  })
  return proxy
}

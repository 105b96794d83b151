/** The rate limit: per caller, across all processes, and without Redis. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { digest } from '../../journal/ids.ts'
import { authorization, type Env, startApi, type TestApi, testEnv } from '../helpers/app.ts'
import { absentRedis } from '../helpers/outage.ts'
import { injected, isProblem } from '../helpers/problem.ts'

t.test('the limit applies per caller across all processes', async (t) => {
  const env = await testEnv(t, { RATE_LIMIT_PER_MINUTE: '5' })
  const apis = [await startApi(t, env), await startApi(t, env)] as const
  for (let i = 0; i < 5; i += 1) t.equal((await ask(apis[i % 2] as TestApi)).status, 200, `request ${i + 1}`)
  for (const api of apis) {
    const answer = await ask(api)
    const { detail } = isProblem(t, answer, 'RATE_LIMITED')
    t.match(detail, /5 requests a minute/)
    const after = Number(answer.header('retry-after'))
    t.ok(after >= 1 && after <= 60, `come back in ${after} s`)
  }
  for (const [method, url] of [
    ['POST', '/api/workflow/stages/2/execute'],
    ['POST', '/api/workflow/stages/99/execute'],
    ['GET', `/api/workflow/stages/2/jobs/${randomUUID()}/status`],
    ['GET', `/api/workflow/stages/2/jobs/${randomUUID()}/events`],
    ['POST', `/api/workflow/stages/2/jobs/${randomUUID()}/cancel`],
    ['POST', `/api/workflow/stages/2/jobs/${randomUUID()}/tickets`],
    ['GET', `/api/workflow/stages/2/jobs/${randomUUID()}/artifacts/a`],
  ] as const) {
    const answer = await apis[0].app.inject({ method, url, headers: authorization() })
    isProblem(t, injected(answer), 'RATE_LIMITED', `${method} ${url}`)
  }
  t.equal((await ask(apis[0], 'bob')).status, 200, 'another caller is not limited')
  isProblem(
    t,
    injected(await apis[0].app.inject('/api/workflow/stages')),
    'UNAUTHENTICATED',
    'a request without a token is a 401 and is not counted',
  )
  t.equal((await apis[0].app.inject('/health/live')).statusCode, 200, 'health has no limit')
})

t.test('requests are reserved a few at a time, and never exceed the limit', async (t) => {
  const limit = 1000
  const env = await testEnv(t, { RATE_LIMIT_PER_MINUTE: String(limit) })
  const apis = [await startApi(t, env), await startApi(t, env)] as const
  let looks = 0
  for (const { app } of apis) {
    const { sendCommand } = app.stagecast.redis
    app.stagecast.redis.sendCommand = (...args: Parameters<typeof sendCommand>) => {
      // Ignore other commands that the process sends meanwhile.
      if (args[0].args.some((one) => String(one).includes(':rate:'))) looks += 1
      return sendCommand.apply(app.stagecast.redis, args)
    }
  }
  let passed = 0
  for (let i = 0; i < 1040; i += 1) if ((await ask(apis[i % 2] as TestApi)).status === 200) passed += 1
  t.ok(passed <= limit, `${passed} were let through`)
  t.ok(passed >= limit - 2 * 10, 'all except those that a process had reserved')
  t.ok(looks > 50 && looks < 200, `${looks} looks at Redis`)
})

t.test('0 means no limit', async (t) => {
  const api = await startApi(t, await testEnv(t, { RATE_LIMIT_PER_MINUTE: '0' }))
  for (let i = 0; i < 30; i += 1) {
    const answer = await ask(api)
    t.equal(answer.status, 200)
    t.equal(answer.header('x-ratelimit-limit'), undefined)
  }
})

t.test('without Redis each process limits alone; when Redis is back, they limit together', async (t) => {
  const redis = await absentRedis(t)
  await redis.start()
  const api = await startApi(t, await testEnv(t, { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '4' }))
  t.equal((await ask(api)).status, 200, 'counted in Redis')
  await redis.stop()
  t.same(await statuses(api, 6), [200, 200, 200, 200, 429, 429], 'counted here')
  isProblem(t, await ask(api), 'RATE_LIMITED')

  await redis.start()
  await ready(api)
  const before = Number((await ask(api, 'carol')).header('x-ratelimit-remaining'))
  const after = Number((await ask(api, 'carol')).header('x-ratelimit-remaining'))
  t.equal(before - after, 1)
  t.equal(
    (await api.app.stagecast.redis.keys(`${api.config.REDIS_PREFIX}:*:rate:${digest('carol')}`)).length,
    1,
    'counted in Redis again',
  )
})

t.test('a counter in Redis expires with its minute', async (t) => {
  const env: Env = await testEnv(t, { RATE_LIMIT_PER_MINUTE: '2' })
  const api = await startApi(t, env)
  await ask(api)
  const [name = ''] = await api.app.stagecast.redis.keys(`${env.REDIS_PREFIX}:*:rate:*`)
  const left = await api.app.stagecast.redis.pttl(name)
  t.ok(left > 0 && left <= 60_000, `${left} ms left`)
  await ask(api)
  t.ok((await api.app.stagecast.redis.pttl(name)) <= left, 'a further request does not prolong it')
  isProblem(t, await ask(api), 'RATE_LIMITED')
  // End the minute as Redis would.
  await api.app.stagecast.redis.pexpire(name, 1)
  await gone(t, api, name)
  t.equal((await ask(api)).status, 200)
})

async function ask({ app }: TestApi, user?: string) {
  return injected(await app.inject({ url: '/api/workflow/stages', headers: authorization(user) }))
}

async function statuses(api: TestApi, count: number): Promise<number[]> {
  const seen: number[] = []
  for (let i = 0; i < count; i += 1) seen.push((await ask(api)).status)
  return seen
}

async function ready({ app }: TestApi): Promise<void> {
  while (app.stagecast.redis.status !== 'ready')
    await new Promise((resolve) => app.stagecast.redis.once('ready', resolve))
}

async function gone(t: Test, { app }: TestApi, name: string): Promise<void> {
  for (let i = 0; i < 1000; i += 1) if ((await app.stagecast.redis.exists(name)) === 0) return
  t.fail('the counter stays')
}

/** Health: liveness and readiness. */
import t from 'tap'
import { startApi, testEnv } from '../helpers/app.ts'
import { adminOf, becomesReady } from '../helpers/outage.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { privateRedis } from '../helpers/redis.ts'

t.test('live and ready', async (t) => {
  const api = await startApi(t, await testEnv(t))
  await becomesReady(api.url)
  for (const [url, status] of [
    ['/health/live', 'live'],
    ['/health/ready', 'ready'],
  ] as const) {
    const answer = await answered(fetch(api.url + url))
    t.equal(answer.status, 200)
    t.equal(answer.text, `{"status":"${status}"}`)
    t.match(answer.header('content-type'), 'application/json')
  }
})

t.test('a Redis that may evict jobs is refused in production, and tolerated in development', async (t) => {
  const redis = await privateRedis(t)
  const admin = adminOf(t, redis)
  const env = await testEnv(t, { REDIS_URL: redis.url })
  const development = await startApi(t, env)
  const production = await startApi(t, { ...env, NODE_ENV: 'production' })
  await Promise.all([becomesReady(development.url), becomesReady(production.url)])

  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
  t.equal((await fetch(`${development.url}/health/ready`)).status, 200)
  const answer = await answered(fetch(`${production.url}/health/ready`))
  const problem = isProblem(t, answer, 'QUEUE_UNAVAILABLE')
  t.notMatch(problem.detail, /maxmemory|evict/, 'the reason is for the log')
  t.ok(production.logs.some((line) => line.includes('set maxmemory-policy to noeviction')))
  t.equal((await fetch(`${production.url}/health/live`)).status, 200)

  await admin.config('SET', 'maxmemory-policy', 'noeviction')
  t.equal((await fetch(`${production.url}/health/ready`)).status, 200)
})

/** Metrics of a process, as a scrape returns them. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { mock } from 'node:test'
import { Redis } from 'ioredis'
import t from 'tap'
import { Stagecast } from '../../packages/client/index.ts'
import { BLOCKED_MS } from '../../watch/stream.ts'
import { enqueue, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { parseMetrics, sampleOf } from '../helpers/metrics.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { RawClient } from '../helpers/raw-socket.ts'
import { privateRedis } from '../helpers/redis.ts'
import { runningJob } from '../helpers/scripted-job.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'
import { eventually, take } from '../helpers/waiting.ts'

const ADMIN = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }

async function scrape(url: string) {
  const answer = await fetch(`${url}/metrics`, { headers: ADMIN })
  return parseMetrics(await answer.text())
}

t.test('a client that reads nothing is disconnected and counted', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t, { SSE_HEARTBEAT_MS: '50' })))
  const dropped = async () => sampleOf(await scrape(api.url), 'stagecast_slow_clients_dropped_total')
  const job = await runningJob(api, 1)
  const asked = once(api.app.server, 'request')
  const slow = new RawClient(t, job.events, { connection: 'close' })
  const [, response] = (await asked) as [unknown, ServerResponse]
  const quick = await openStream(job.events)
  await take(quick, job.ids.length)
  while (!response.writableNeedDrain) {
    await job.write(Array.from({ length: 20 }, () => ({ type: 'progress', message: 'x'.repeat(100_000) })))
    await take(quick, 20)
  }
  t.equal(await dropped(), 0, 'the time limit has not passed')

  const closed = once(response, 'close')
  mock.timers.enable({ apis: ['Date'], now: Date.now() + BLOCKED_MS + 1000 })
  t.teardown(() => mock.timers.reset())
  await closed
  t.equal(await dropped(), 1)
  slow.read()
  await slow.closed

  await job.steps(1)
  t.match(await take(quick, 1), [{ event: 'progress' }], 'a client that reads stays connected')
  t.equal(await dropped(), 1)
})

t.test('cut connections to Redis are counted when they reconnect', async (t) => {
  const redis = await privateRedis(t)
  const api = closeQuickly(t, await startApi(t, await testEnv(t, { REDIS_URL: redis.url })))
  const made = async () => {
    const metrics = await scrape(api.url)
    const name = 'stagecast_redis_reconnects_total'
    return ['commands', 'reader'].map((connection) => sampleOf(metrics, name, { connection }))
  }
  const job = await runningJob(api, 1)
  const stream = await openStream(job.events)
  await take(stream, job.ids.length)
  t.same(await made(), [0, 0])

  const other = new Redis(redis.url.replace('unix://', ''))
  t.teardown(() => other.disconnect())
  for (const times of [1, 2]) {
    await other.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await eventually('all are back', async () => (await made()).every((count) => count >= times))
    t.same(await made(), [times, times], 'each once')
    await job.steps(1)
    t.match(await take(stream, 1), [{ id: job.head }], 'and nothing was lost')
  }
})

t.test("response times of all stages' routes are one series", async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  for (const stage of [2, 3, 20])
    await enqueue(api.url, {
      stage,
      body: { research_question: 'Does better sleep improve memory in adults?' },
    })
  const samples = (await scrape(api.url)).get('stagecast_http_request_duration_seconds')?.samples ?? []
  const own = samples.filter(({ labels }) => labels.route === '/api/workflow/stages/:stage/execute')
  const counts = own.filter(({ name }) => name.endsWith('_count'))
  t.match(counts, [{ labels: { method: 'POST', status: '202' }, value: 3 }])
  t.equal(counts.length, 1)
  const buckets = own.filter(({ name }) => name.endsWith('_bucket'))
  t.equal(new Set(buckets.map(({ labels }) => labels.le)).size, buckets.length, 'each bound once')
  t.match(buckets.at(-1), { labels: { le: '+Inf' }, value: 3 })
  t.same(
    buckets.map(({ value }) => value),
    buckets.map(({ value }) => value).sort((a, b) => a - b),
    'cumulative',
  )
})

t.test('runs by state, and how long sign-offs have waited', async (t) => {
  const service = await fakeStageService(t, succeed())
  const stages = await stagesFile(t, [{ stage: 1 }, { stage: 2, needs: [1], sign_off: true }])
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: stages })
  const api = closeQuickly(t, await startApi(t, env))
  const { runs } = new Stagecast({ baseUrl: api.url, token: token() })
  /** A scrape may show a state that is up to a second old. */
  const shows = (what: Record<string, number>) =>
    eventually(`a scrape shows ${JSON.stringify(what)}`, async () => {
      const metrics = await scrape(api.url)
      const live = ['running', 'waiting', 'cancelling'].map((state) => ['stagecast_runs', { state }] as const)
      const ended = ['completed', 'failed', 'rejected', 'cancelled', 'superseded'].map(
        (outcome) => ['stagecast_runs_total', { outcome }] as const,
      )
      const seen = [...live, ...ended].flatMap(([name, labels]) => {
        const value = sampleOf(metrics, name, labels)
        return value === 0 ? [] : [[Object.values(labels)[0], value]]
      })
      const signOffs = sampleOf(metrics, 'stagecast_sign_offs_waiting')
      const age = sampleOf(metrics, 'stagecast_sign_offs_oldest_waiting_seconds')
      const told = { ...Object.fromEntries(seen), ...(signOffs > 0 && { signOffs }) }
      return JSON.stringify(told) === JSON.stringify(what) ? { age } : null
    })

  t.same(await shows({}), { age: 0 }, 'all series exist before the first run')
  const first = await runs.start(randomUUID(), { stages: [1, 2] })
  await shows({ running: 1 })
  startWorker(t, env)
  await shows({ waiting: 1, signOffs: 1 })
  const [gate] = (await runs.signOffs()).sign_offs
  if (!gate) throw new Error('nothing waits')
  const second = await runs.start(randomUUID(), { stages: [1, 2] })
  const askedAt = Date.now()
  const { age } = await shows({ waiting: 2, signOffs: 2 })
  const ageMs = Math.round(1000 * age)
  t.ok(ageMs >= askedAt - gate.since && ageMs <= Date.now() - gate.since, 'the age of the older one')

  await runs.signOff(first, 2, { verdict: 'approved', digest: gate.digest })
  await shows({ waiting: 1, completed: 1, signOffs: 1 })
  await runs.cancel(second)
  t.same(await shows({ completed: 1, cancelled: 1 }), { age: 0 })
})

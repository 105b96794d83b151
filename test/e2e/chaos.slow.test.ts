/**
 * Hundreds of clients watch while everything breaks: no event may be missing, repeated or out of order. Two API
 * processes and two workers are killed, the event readers' connections are cut, and the event stream is trimmed.
 */
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { journalKeys } from '../../journal/journal.ts'
import { connectRedis } from '../../journal/redis.ts'
import { type Door, type Queued, startDoor, testEnv } from '../helpers/app.ts'
import { killReaders, persistently, repeat, talkative } from '../helpers/chaos.ts'
import { privateRedis } from '../helpers/redis.ts'
import { compare, RestlessClient } from '../helpers/restless-client.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const JOBS = 60
const CLIENTS_PER_JOB = 4
/** Time limit for all events, in ms after the first job. */
const DEADLINE_MS = 40_000

t.test('clients see every event once and in order, whatever breaks', async (t) => {
  const redis = await privateRedis(t)
  const service = await fakeStageService(t, talkative)
  const env = await testEnv(t, {
    REDIS_URL: redis.url,
    WORKER_URL: service.url,
    STAGE_WORKER_CONCURRENCY: '5',
    STAGE_JOB_ATTEMPTS: '20',
    WORKER_LOCK_MS: '1000',
    WORKER_STALLED_CHECK_MS: '300',
    BREAKER_FAILURES: '1000',
    SSE_MAX_PER_USER: '0',
    LOG_LEVEL: 'info',
  })
  const [apiA, apiB, workerA] = await Promise.all(
    ['server/api.ts', 'server/api.ts', 'server/worker.ts', 'server/worker.ts'].map((file) =>
      startDoor(t, file, env),
    ),
  )
  const apis = [apiA as Door, apiB as Door]
  const origins = () => apis.map(({ url }) => url)

  const trouble = new AbortController()
  const admin = connectRedis(redis.url, 'commands', '')
  t.teardown(() => {
    trouble.abort()
    admin.disconnect()
  })
  await eventually('Redis is connected', () => admin.status === 'ready')
  const { events } = journalKeys(env.REDIS_PREFIX as string)
  let readersKilled = 0
  let trims = 0
  const troubled = Promise.all([
    repeat(trouble.signal, 700, async () => {
      readersKilled += await killReaders(admin)
    }),
    repeat(trouble.signal, 450, async () => {
      await admin.xtrim(events, 'MAXLEN', 0)
      trims += 1
    }),
  ])

  const startedAt = performance.now()
  const over = AbortSignal.timeout(DEADLINE_MS)
  const jobs: Queued[] = []
  const following: Promise<RestlessClient>[] = []
  const killing = kill()
  for (let i = 0; i < JOBS; i += 1) {
    const job = await persistently(origins)
    jobs.push(job)
    for (let n = 0; n < CLIENTS_PER_JOB; n += 1) {
      const patience = () =>
        Math.random() < 0.7 ? 1 + Math.floor(Math.random() * 8) : Number.POSITIVE_INFINITY
      following.push(new RestlessClient({ origins, path: job.urls.events, patience }).run(over))
    }
    await delay(120)
  }
  const clients = await Promise.all(following)
  const took = Math.round(performance.now() - startedAt)
  await killing
  trouble.abort()
  await troubled

  const total = { events: 0, missing: 0, doubled: 0, disordered: 0, oddities: 0, connections: 0, broken: 0 }
  let lost = 0
  for (const [i, job] of jobs.entries()) {
    const log = await pageOf(apis[0]?.url as string, job)
    t.equal(log.at(-1)?.event, 'completed')
    if (log.some(({ data }) => data.error?.code === 'WORKER_LOST')) lost += 1
    const ids = log.map(({ id }) => id)
    for (const client of clients.slice(i * CLIENTS_PER_JOB, (i + 1) * CLIENTS_PER_JOB)) {
      const faults = compare(
        client.events.map(({ id }) => id),
        ids,
      )
      total.events += client.events.length
      total.connections += client.connections
      total.broken += client.broken
      total.oddities += client.oddities.length
      for (const key of ['missing', 'doubled', 'disordered'] as const) total[key] += faults[key]
      if (client.refusals.length > 0) t.comment(`refusals: ${client.refusals}`)
    }
  }
  t.comment(
    `chaos: ${jobs.length} jobs, ${clients.length} clients, ${total.events} events in ${took} ms, ` +
      `${total.connections} connections (${total.broken} broken), ${readersKilled} readers killed, ${trims} trims, ` +
      `${lost} jobs lost a worker, 1 API process killed: ` +
      `${total.missing} missing, ${total.doubled} doubled, ${total.disordered} out of order, ${total.oddities} gaps`,
  )
  t.match(total, { missing: 0, doubled: 0, disordered: 0, oddities: 0 })
  t.ok(
    clients.every(({ ended }) => ended),
    'every client has seen the end',
  )
  t.ok(lost > 0, 'a worker was killed in the middle of a job')
  t.ok(readersKilled > 10 && trims > 10, 'the event readers were disturbed')
  t.ok(total.connections > 2 * clients.length, 'clients reconnected')

  async function kill(): Promise<void> {
    await eventually('jobs run', () => service.calls.length > JOBS / 4)
    workerA?.child.kill('SIGKILL')
    await workerA?.exited
    await startDoor(t, 'server/worker.ts', env)
    await eventually('more jobs run', () => service.calls.length > JOBS / 2)
    const [killed] = apis as [Door]
    killed.child.kill('SIGKILL')
    await killed.exited
    apis[0] = await startDoor(t, 'server/api.ts', { ...env, PORT: new URL(killed.url).port })
  }
})

interface PageEvent {
  id: string
  event: string
  data: { error?: { code: string } }
}

async function pageOf(url: string, job: Queued): Promise<PageEvent[]> {
  const response = await fetch(url + job.urls.events, { headers: { accept: 'application/json' } })
  return ((await response.json()) as { events: PageEvent[] }).events
}

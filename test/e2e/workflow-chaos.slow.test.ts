/**
 * Clients watch whole workflows over one connection each while everything breaks: no event may be missing, repeated or
 * out of order. All clients see the same order, which agrees with the log of every job.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { JobEventData } from '../../contract/job-event.ts'
import { journalKeys } from '../../journal/journal.ts'
import { connectRedis } from '../../journal/redis.ts'
import { authorization, type Door, get, type Queued, startDoor, testEnv } from '../helpers/app.ts'
import { killReaders, persistently, repeat, talkative } from '../helpers/chaos.ts'
import { privateRedis } from '../helpers/redis.ts'
import { compare, RestlessClient } from '../helpers/restless-client.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'
import type { WorkflowPage } from '../helpers/workflow.ts'

/** Jobs of each workflow. */
const WORKFLOWS = [20, 20, 13, 7, 1]
const CLIENTS_PER_WORKFLOW = 6
const CANCELLED_EVERY = 9
/** Time limit for all events, in ms after the first job. */
const DEADLINE_MS = 60_000

t.test('clients of a workflow see every event once and in order, whatever breaks', async (t) => {
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
    SSE_HEARTBEAT_MS: '500',
    LOG_LEVEL: 'info',
  })
  const [apiA, apiB, workerA] = await Promise.all(
    ['server/api.ts', 'server/api.ts', 'server/worker.ts', 'server/worker.ts'].map((file) =>
      startDoor(t, file, env),
    ),
  )
  const apis = [apiA as Door, apiB as Door]
  const origins = () => apis.map(({ url }) => url)
  const anyOrigin = () => origins()[Math.floor(Math.random() * 2)] as string

  const trouble = new AbortController()
  const admin = connectRedis(redis.url, 'commands', env.REDIS_PREFIX as string)
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
  const killing = kill()
  const followed = await Promise.all(WORKFLOWS.map((jobs) => followWorkflow(jobs)))
  const took = Math.round(performance.now() - startedAt)
  await killing
  trouble.abort()
  await troubled

  const total = { events: 0, missing: 0, doubled: 0, disordered: 0, oddities: 0, connections: 0, broken: 0 }
  let lost = 0
  for (const { jobs, path, clients } of followed) {
    const log = await wholePage(path)
    const ids = log.map(({ id }) => id)
    t.same([...new Set(ids)].sort(), ids, 'positions increase')
    if (log.some(({ data }) => 'error' in data && data.error.code === 'WORKER_LOST')) lost += 1
    for (const job of jobs) {
      const own = log.filter(({ data }) => data.job_id === job.job_id)
      const { events } = await pageOf(job.urls.events)
      t.same(
        own.map(({ event, data }) => ({ event, data })),
        events.map(({ event, data }) => ({ event, data })),
      )
    }
    for (const client of clients) {
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
  const clients = followed.flatMap(({ clients }) => clients)
  t.comment(
    `workflow chaos: ${WORKFLOWS} jobs, ${clients.length} clients, ${total.events} events in ${took} ms, ` +
      `${total.connections} connections (${total.broken} broken), ${readersKilled} readers killed, ${trims} trims, ` +
      `${lost} workflows lost a worker, 1 API process killed: ` +
      `${total.missing} missing, ${total.doubled} doubled, ${total.disordered} out of order, ${total.oddities} gaps`,
  )
  t.match(total, { missing: 0, doubled: 0, disordered: 0, oddities: 0 })
  t.notOk(over.aborted, 'every client has seen everything in time')
  t.ok(lost > 0, 'a worker was killed in the middle of a job')
  t.ok(readersKilled > 10 && trims > 10, 'the event readers were disturbed')
  t.ok(total.connections > 2 * clients.length, 'clients reconnected')

  /** One workflow and its clients, from its first job to the last event of all jobs. */
  async function followWorkflow(count: number) {
    const body = { workflow_id: randomUUID() }
    const path = `/api/workflow/workflows/${body.workflow_id}/events`
    const jobs: Queued[] = [await persistently(origins, { stage: 1, body })]
    const made = await persistentTicket(path.replace('events', 'tickets'))
    let end = '~'
    const following = Array.from({ length: CLIENTS_PER_WORKFLOW }, () => {
      const patience = () =>
        Math.random() < 0.8 ? 1 + Math.floor(Math.random() * 30) : Number.POSITIVE_INFINITY
      const isOver = (lastId: string) => lastId >= end
      return new RestlessClient({ origins, path: made, patience, isOver }).run(over)
    })
    for (let stage = 2; stage <= count; stage += 1) {
      const job = await persistently(origins, { stage, body })
      jobs.push(job)
      if (stage % CANCELLED_EVERY === 0) void cancel(job)
      await delay(60 + 120 * Math.random())
    }
    for (const job of jobs) await ended(job)
    // No event can follow, so clients that have seen the last event are done. They reconnect once more.
    end = (await wholePage(path)).at(-1)?.id ?? ''
    return { jobs, path, clients: await Promise.all(following) }
  }

  async function cancel(job: Queued): Promise<void> {
    await delay(500 * Math.random())
    await fetch(anyOrigin() + job.urls.cancel, { method: 'POST', headers: authorization() }).catch(() => {})
  }

  async function ended(job: Queued): Promise<void> {
    while (!over.aborted) {
      const state = await get<{ status: string }>(`${anyOrigin()}${job.urls.status}`).catch(() => null)
      if (/^(completed|failed|cancelled)$/.test(state?.status ?? '')) return
      await delay(100)
    }
  }

  /** Every event of a workflow, page by page. */
  async function wholePage(path: string): Promise<WorkflowPage['events']> {
    const events: WorkflowPage['events'] = []
    for (let cursor = ''; ; ) {
      const query = cursor && `?after=${cursor}`
      const page = await get<WorkflowPage>(`${anyOrigin()}${path}${query}`, 'alice', {
        accept: 'application/json',
      }).catch(() => null)
      if (!page?.events) continue
      events.push(...page.events)
      if (!page.more) return events
      cursor = page.cursor
    }
  }

  async function pageOf(path: string) {
    const response = await fetch(anyOrigin() + path, { headers: { accept: 'application/json' } })
    return (await response.json()) as { events: { event: string; data: JobEventData }[] }
  }

  async function persistentTicket(path: string): Promise<string> {
    for (;;) {
      const response = await fetch(anyOrigin() + path, { method: 'POST', headers: authorization() }).catch(
        () => null,
      )
      if (response?.status === 201) return ((await response.json()) as { events_url: string }).events_url
      await delay(20)
    }
  }

  async function kill(): Promise<void> {
    await eventually('jobs run', () => service.calls.length > 10)
    workerA?.child.kill('SIGKILL')
    await workerA?.exited
    await startDoor(t, 'server/worker.ts', env)
    await eventually('more jobs run', () => service.calls.length > 30)
    const [killed] = apis as [Door]
    killed.child.kill('SIGKILL')
    await killed.exited
    apis[0] = await startDoor(t, 'server/api.ts', { ...env, PORT: new URL(killed.url).port })
  }
})

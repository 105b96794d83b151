/** Faults for the chaos tests, and work that takes long enough to be interrupted. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import { journalKeys } from '../../journal/journal.ts'
import { connectRedis } from '../../journal/redis.ts'
import { type Door, type Env, type Execute, execute, type Queued, startDoor, testEnv } from './app.ts'
import { privateRedis } from './redis.ts'
import { compare, type RestlessClient } from './restless-client.ts'
import { type Answer, fakeStageService, success } from './stage-service.ts'
import { eventually } from './waiting.ts'

const LINES = 12

/** Answers with a dozen lines at a realistic pace. Sometimes the attempt fails and is retried. */
export const talkative: Answer = async (call) => {
  const { response } = call
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const tell = (line: unknown) => response.write(`${JSON.stringify(line)}\n`)
  const failing = Math.random() < 0.15
  for (let i = 1; i <= LINES && !response.destroyed; i += 1) {
    tell({ type: 'progress', percent: (100 * i) / LINES, message: `line ${i}` })
    if (failing && i === LINES / 2) {
      response.end(`${JSON.stringify({ type: 'error', code: 'SHAKY', message: 'again', retryable: true })}\n`)
      return
    }
    await delay(20 + 80 * Math.random())
  }
  response.end(`${JSON.stringify({ type: 'result', ...success(call) })}\n`)
}

/** Breaks the connections that read event streams; returns how many. */
export async function killReaders(admin: Redis): Promise<number> {
  const list = (await admin.client('LIST')) as string
  const ids = list
    .split('\n')
    .flatMap((line) => (/ cmd=xread /.test(line) ? (/^id=(\d+)/.exec(line)?.[1] ?? []) : []))
  for (const id of ids) await admin.client('KILL', 'ID', id)
  return ids.length
}

/** Enqueues a job, and repeats the request if the process dies while it answers. The key makes the repeat harmless. */
export async function persistently(origins: () => string[], options: Execute = {}): Promise<Queued> {
  const headers = { 'idempotency-key': randomUUID() }
  const body = { workflow_id: randomUUID(), ...options.body }
  for (;;) {
    const origin = origins()[Math.floor(Math.random() * 2)] as string
    const response = await execute(origin, { ...options, headers, body }).catch(() => null)
    if (response?.status === 202) return (await response.json()) as Queued
    await delay(20)
  }
}

/** Calls `act` repeatedly at random intervals. */
export async function repeat(signal: AbortSignal, everyMs: number, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act()
    await delay(everyMs * (0.5 + Math.random()), null, { signal }).catch(() => {})
  }
}

/**
 * Two API processes and two workers with a Redis of their own. Until `calm` is called, the connections of the event readers
 * are cut and the event stream is trimmed, at random intervals.
 */
export async function troubledFleet(t: Test, over: Env = {}) {
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
    ...over,
  })
  const files = ['server/api.ts', 'server/api.ts', 'server/worker.ts', 'server/worker.ts']
  const [apiA, apiB, worker] = await Promise.all(files.map((file) => startDoor(t, file, env)))
  const apis = [apiA as Door, apiB as Door]

  const trouble = new AbortController()
  const admin = connectRedis(redis.url, 'commands', '')
  t.teardown(() => {
    trouble.abort()
    admin.disconnect()
  })
  await eventually('Redis is connected', () => admin.status === 'ready')
  const { events } = journalKeys(env.REDIS_PREFIX as string)
  const counts = { readersKilled: 0, trims: 0 }
  const troubled = Promise.all([
    repeat(trouble.signal, 700, async () => {
      counts.readersKilled += await killReaders(admin)
    }),
    repeat(trouble.signal, 450, async () => {
      await admin.xtrim(events, 'MAXLEN', 0)
      counts.trims += 1
    }),
  ])

  return {
    origins: () => apis.map(({ url }) => url),
    /** Kills a worker after so many calls of the service, and an API process after so many; starts others. */
    async kill(workerAfter: number, apiAfter: number): Promise<void> {
      await eventually('jobs run', () => service.calls.length > workerAfter)
      worker?.child.kill('SIGKILL')
      await worker?.exited
      await startDoor(t, 'server/worker.ts', env)
      await eventually('more jobs run', () => service.calls.length > apiAfter)
      const [killed] = apis as [Door]
      killed.child.kill('SIGKILL')
      await killed.exited
      apis[0] = await startDoor(t, 'server/api.ts', { ...env, PORT: new URL(killed.url).port })
    },
    /** Ends the trouble, and checks that there was some. */
    async calm(): Promise<typeof counts> {
      trouble.abort()
      await troubled
      t.ok(counts.readersKilled > 10 && counts.trims > 10, 'the event readers were disturbed')
      return counts
    },
  }
}

/** What clients received, compared with the logs. */
export class Comparison {
  readonly total = {
    ...{ events: 0, missing: 0, doubled: 0, disordered: 0, oddities: 0 },
    ...{ connections: 0, broken: 0 },
  }
  private clients = 0

  /** `ids`: the events that the client should have received, in this order. */
  add(t: Test, client: RestlessClient, ids: string[]): void {
    const { total } = this
    const received = client.events.map(({ id }) => id)
    const faults = compare(received, ids)
    this.clients += 1
    total.events += received.length
    total.connections += client.connections
    total.broken += client.broken
    total.oddities += client.oddities.length
    for (const key of ['missing', 'doubled', 'disordered'] as const) total[key] += faults[key]
    if (client.refusals.length > 0) t.comment(`refusals: ${client.refusals}`)
  }

  judge(t: Test, label: string): void {
    const { total, clients } = this
    t.comment(`${label}: ${clients} clients, ${JSON.stringify(total)}`)
    t.match(total, { missing: 0, doubled: 0, disordered: 0, oddities: 0 })
    t.ok(total.connections > 2 * clients, 'clients reconnected')
  }
}

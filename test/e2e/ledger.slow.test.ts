/**
 * Compares metrics and overview with the state of each job. 500 jobs complete, fail, are retried and are cancelled; a
 * worker is killed and another one is shut down, each while all its slots are in use.
 */
import { EventEmitter, once } from 'node:events'
import t, { type Test } from 'tap'
import type { JobSnapshot } from '../../contract/job.ts'
import type { JobEvent } from '../../contract/job-event.ts'
import { BUCKETS_MS, quantile } from '../../journal/tally.ts'
import { enqueue, type Queued, startApi, startDoor, testEnv, token } from '../helpers/app.ts'
import { cancel, finished, statusWhen } from '../helpers/jobs.ts'
import { type Family, parseMetrics, sampleOf } from '../helpers/metrics.ts'
import { end } from '../helpers/processes.ts'
import { fail, fakeStageService, type StageCallSeen, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const JOBS = 500
const STAGES = [1, 3, 4, 12, 20]
const CONCURRENCY = 8
/** What happens to a job, by its number. */
const KINDS = [
  ...['well', 'well', 'well', 'well', 'once more', 'no good', 'never'],
  ...['cancelled at once', 'cancelled in a call', 'cancelled between'],
]

t.test('metrics and jobs agree, whatever dies when', async (t) => {
  const run = await setUp(t)
  await run.enqueueAll()
  // Both workers end while calls without an answer use all their slots.
  const killed = await run.workUntil(150)
  await end(killed, 'SIGKILL')
  const stopped = await run.workUntil(350)
  await end(stopped, 'SIGTERM')
  await run.workUntil(Number.POSITIVE_INFINITY)
  const ledger = await run.readLedger()

  const outcomes = countBy(ledger, ({ snapshot }) => snapshot.status)
  t.ok((outcomes.completed ?? 0) >= 200 && (outcomes.failed ?? 0) >= 50 && (outcomes.cancelled ?? 0) >= 100)
  const codes = countBy(ledger.flatMap(retriesOf), ({ data }) => data.error.code)
  // A cancel may have ended one of these calls first.
  t.match(codes, { WORKER_LOST: Number, WORKER_SHUTDOWN: Number, PASSING: Number })

  const { overview, metrics } = await run.readFigures()
  for (const { stage, ...told } of overview.stages) {
    const mine = ledger.filter(({ snapshot }) => snapshot.stage === stage)
    const figures = figuresOf(mine)
    const { completed, failed, cancelled, retried, success_rate, duration_ms, waiting_ms } = told
    t.same(
      { completed, failed, cancelled, retried },
      pick(figures, 'completed', 'failed', 'cancelled', 'retried'),
    )
    t.equal(success_rate, mine.length > 0 ? figures.completed / (figures.completed + figures.failed) : null)
    t.same(duration_ms, spread(figures.durations), `stage ${stage}: durations`)
    t.same(waiting_ms, spread(figures.waits), `stage ${stage}: waits`)
    sameMetrics(t, metrics, stage, figures)
  }
})

type Figures = ReturnType<typeof figuresOf>
interface Entry {
  snapshot: JobSnapshot
  events: JobEvent[]
}
interface Overview {
  stages: { stage: number; completed: number; failed: number; cancelled: number; [figure: string]: unknown }[]
}

async function setUp(t: Test) {
  const held = new EventEmitter()
  const jobs = new Map<string, Queued & { kind: string }>()
  const cancelling: Promise<unknown>[] = []
  const failedOnce = new Set<string>()
  let answersLeft = 0
  let unanswered = 0
  const service = await fakeStageService(t, async (call) => {
    answersLeft -= 1
    if (answersLeft >= 0) return answer(call)
    unanswered += 1
    if (unanswered === CONCURRENCY) held.emit('full')
  })
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_WORKER_CONCURRENCY: String(CONCURRENCY),
    BREAKER_FAILURES: '100000',
    STAGE_JOB_BACKOFF_MS: '20',
    SHUTDOWN_GRACE_MS: '1000',
    LOG_LEVEL: 'warn',
  })
  // The worker logs its address.
  const workerEnv = { ...env, LOG_LEVEL: 'info' }
  const { url } = await startApi(t, env)

  async function answer(call: StageCallSeen): Promise<void> {
    const id = String(call.body.job_id)
    const job = jobs.get(id) as Queued & { kind: string }
    const first = !failedOnce.has(id)
    failedOnce.add(id)
    if (job.kind === 'no good') return fail(422, 'NO_GOOD')(call)
    if (job.kind === 'never' || (job.kind === 'once more' && first)) return fail(503, 'PASSING')(call)
    if (job.kind === 'cancelled in a call') return void cancelling.push(cancel(url, job))
    if (job.kind !== 'cancelled between') return succeed()(call)
    await fail(503, 'PASSING', { 'retry-after': '60' })(call)
    cancelling.push(statusWhen(url, job, ({ status }) => status === 'retrying').then(() => cancel(url, job)))
  }

  return {
    async enqueueAll() {
      await inBatches(JOBS, async (i) => {
        const kind = KINDS[i % KINDS.length] as string
        const job = await enqueue(url, { stage: STAGES[i % STAGES.length] as number })
        jobs.set(job.job_id, { ...job, kind })
        if (kind === 'cancelled at once') await cancel(url, job)
      })
    },
    /** A worker that runs until the service has given `answers` answers in all, and all its slots are in use. */
    async workUntil(answers: number) {
      const full = once(held, 'full')
      answersLeft = answers - service.calls.length
      unanswered = 0
      const worker = await startDoor(t, 'server/worker.ts', workerEnv)
      if (Number.isFinite(answers)) await full
      return worker
    },
    async readLedger() {
      const ledger: Entry[] = []
      const queued = [...jobs.values()]
      await inBatches(JOBS, async (i) => {
        const job = queued[i] as Queued
        const snapshot = await finished(url, job)
        const page = await fetch(url + job.urls.events, { headers: { accept: 'application/json' } })
        ledger.push({ snapshot, events: ((await page.json()) as { events: JobEvent[] }).events })
      })
      await Promise.all(cancelling)
      return ledger
    },
    /** Metrics and overview, once they cover all jobs; they may be a second old. */
    async readFigures() {
      const headers = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }
      const overview = await eventually('an overview of all jobs', async () => {
        const read = (await (await fetch(`${url}/api/admin/overview`, { headers })).json()) as Overview
        const ended = read.stages.reduce((sum, one) => sum + one.completed + one.failed + one.cancelled, 0)
        return ended >= JOBS && read
      })
      const metrics = parseMetrics(await (await fetch(`${url}/metrics`, { headers })).text())
      return { overview: overview as Overview, metrics }
    },
  }
}

/** The counts of one stage from the states of its jobs. */
function figuresOf(entries: Entry[]) {
  const { completed = 0, failed = 0, cancelled = 0 } = countBy(entries, ({ snapshot }) => snapshot.status)
  const starts = entries.map(({ events }) => events.filter(({ event }) => event === 'active'))
  const retries = entries.flatMap(retriesOf)
  const { WORKER_LOST: lost = 0, WORKER_SHUTDOWN: handedOver = 0 } = countBy(
    retries,
    ({ data }) => data.error.code,
  )
  return {
    ...{ completed, failed, cancelled, retried: retries.length, lost, handedOver },
    attempts: starts.flat().length,
    waits: entries.flatMap(({ snapshot }, i) => {
      const first = starts[i]?.[0]
      return first ? [first.data.at - snapshot.created_at] : []
    }),
    durations: entries.flatMap(({ snapshot: { status, finished_at, processed_at } }) =>
      status === 'completed' ? [(finished_at as number) - (processed_at as number)] : [],
    ),
  }
}

function sameMetrics(t: Test, metrics: Map<string, Family>, number: number, figures: Figures): void {
  const stage = String(number)
  const sample = (name: string, labels = {}) => sampleOf(metrics, `stagecast_${name}`, { stage, ...labels })
  for (const outcome of ['completed', 'failed', 'cancelled'] as const)
    t.equal(sample('jobs_total', { outcome }), figures[outcome], `stage ${stage}: ${outcome}`)
  t.equal(sample('attempts_total'), figures.attempts, `stage ${stage}: attempts`)
  const { retried, lost, handedOver } = figures
  t.equal(sample('retries_total', { reason: 'lost' }), lost)
  t.equal(sample('retries_total', { reason: 'handed_over' }), handedOver)
  t.equal(sample('retries_total', { reason: 'failed' }), retried - lost - handedOver)
  for (const [name, times] of [
    ['job_duration_seconds', figures.durations],
    ['job_waiting_seconds', figures.waits],
  ] as const) {
    if (times.length === 0) continue
    t.equal(sample(`${name}_count`), times.length)
    t.ok(Math.abs(sample(`${name}_sum`) - sum(times) / 1000) < 1e-6, `stage ${stage}: sum of ${name}`)
    for (const bound of BUCKETS_MS) {
      const below = times.filter((ms) => ms <= bound).length
      t.equal(sample(`${name}_bucket`, { le: String(bound / 1000) }), below, `${name} up to ${bound} ms`)
    }
    t.equal(sample(`${name}_bucket`, { le: '+Inf' }), times.length)
  }
}

function spread(times: number[]) {
  const upTo = (bound: number) => times.filter((ms) => ms <= bound).length
  const counts = BUCKETS_MS.map((bound, i) => upTo(bound) - upTo(BUCKETS_MS[i - 1] ?? -1))
  const histogram = { counts: [...counts, times.length - upTo(BUCKETS_MS.at(-1) as number)], sumMs: 0 }
  return times.length > 0 ? { p50: quantile(histogram, 0.5), p95: quantile(histogram, 0.95) } : null
}

function retriesOf({ events }: Entry) {
  return events.filter((one) => one.event === 'retrying')
}

function countBy<T>(items: T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1
  return counts
}

function pick<T extends object, K extends keyof T>(from: T, ...keys: K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

/** Calls `work` for 0 up to `count`, a few at a time. */
async function inBatches(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const runner = async () => {
    while (next < count) {
      const i = next
      next += 1
      await work(i)
    }
  }
  await Promise.all(Array.from({ length: 25 }, runner))
}

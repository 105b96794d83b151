/** Plans, starts, shows, cancels and signs off workflow runs. */
import fp from 'fastify-plugin'
import { isTerminal } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import type { PlanStep, Run, RunBody, RunStatus, RunStep } from '../contract/run.ts'
import { type JobSettings, jobOptionsOf } from '../journal/add-jobs.ts'
import { userDigest, uuidOf } from '../journal/ids.ts'
import { workflowName } from '../journal/order.ts'
import { logOncePerSecond } from '../journal/redis.ts'
import { cancel, type DecideOutcome, decide, type SignOff, supersede } from '../runs/acts.ts'
import { advance } from '../runs/advance.ts'
import { sha256 } from '../runs/canonical.ts'
import { isFinished, isLive, type RunDocument } from '../runs/document.ts'
import { type Act, RunEngine } from '../runs/engine.ts'
import { knownResults } from '../runs/known.ts'
import { planOf } from '../runs/plan.ts'
import { type Carrier, RunQueue } from '../runs/queue.ts'
import { newRun } from '../runs/request.ts'
import type { KnownResult } from '../runs/result.ts'
import { type Memory, type RunOrigin, RunStore, type StoredRun } from '../runs/store.ts'

export interface RunsPluginOptions {
  prefix: string
  queueId: string
  workflowTtlSeconds: number
  /** Maximum queued jobs of a user; at the limit no run starts. 0 = no limit. */
  maxWaiting: number
  jobs: JobSettings
}

/** A request for a run. */
export interface AskedRun {
  userId: string
  workflowId: string
  body: RunBody
  idempotencyKey?: string | undefined
}

export type StartOutcome =
  | { kind: 'started' | 'replayed'; run: StoredRun }
  | { kind: 'active' }
  | { kind: 'full' }
  | { kind: 'mismatch' }
  | { kind: 'missing'; missing: { stage: number; needs: number }[] }

export interface RunFilter {
  limit: number
  /** The `next` of the previous page. */
  after?: string | undefined
  status?: RunStatus | undefined
}

export interface RunPage {
  /** Each with its owner. */
  runs: Run[]
  /** Where the next page begins, null at the end of the list. */
  next: string | null
}

/** Maximum runs to read for one page, even if the filter matches none. */
const WINDOW = 200

declare module './core.ts' {
  interface Stagecast {
    runs: {
      store: RunStore
      plan(asked: AskedRun): Promise<{ steps: PlanStep[] } | { missing: { stage: number; needs: number }[] }>
      start(asked: AskedRun): Promise<StartOutcome>
      /** The run as the API shows it; a live step has the state of its job. Null if the run no longer exists. */
      show(run: StoredRun): Promise<Run | null>
      /** The same for several runs, without reading the newest positions of their workflows. */
      showAll(runs: readonly StoredRun[]): Promise<Run[]>
      /** Runs of one or all workflows, newest first; without a user, of all users. The number of calls is bounded. */
      page(userId: string | null, workflowId: string | undefined, filter: RunFilter): Promise<RunPage>
      /** Null if it has finished. */
      cancel(origin: RunOrigin): Promise<StoredRun | null>
      decide(origin: RunOrigin, stage: number, signOff: SignOff): Promise<DecideOutcome['kind'] | null>
    }
  }
}

export default fp<RunsPluginOptions>(
  async (app, { prefix, queueId, workflowTtlSeconds, maxWaiting, jobs }) => {
    const { catalogue, fromRedis, journal, redis } = app.stagecast
    const { keys } = journal
    const store = new RunStore(redis, keys, workflowTtlSeconds)
    const queue = new RunQueue({
      redis,
      prefix,
      keys,
      journal,
      jobOptions: (stage) => jobOptionsOf(jobs, catalogue.get(stage)?.limits),
      onError: logOncePerSecond((err: Error) => app.log.warn({ err }, 'run queue error')),
    })
    const engine = new RunEngine({ store, queue, journal, discard: app.stagecast.queue.discard })
    app.addHook('onClose', () => queue.close())

    app.stagecast.runs = {
      store,
      async plan(asked) {
        const draft = await fromRedis(prepare(asked, uuidOf('plan'), ''))
        if ('missing' in draft) return draft
        const stages = draft.run.steps.map(({ stage }) => stage)
        const takes = await Promise.all(stages.map(app.stagecast.duration))
        const estimates = new Map(stages.map((stage, i) => [stage, takes[i] ?? null]))
        return { steps: planOf(draft.run, draft.results, (stage) => estimates.get(stage) ?? null) }
      },
      start: (asked) => fromRedis(start(asked)),
      async show({ document }) {
        const order = keys.order(document.user_id, document.workflow_id)
        // Read the position first, so that the run is at least as new.
        const [newest] = await fromRedis(redis.lrange(order, -1, -1))
        const run = await fromRedis(store.run(document.run_id))
        if (!run) return null
        const [shown] = await showAll([run])
        if (!shown || !run.document.steps.some(isLive)) return shown ?? null
        return { ...shown, cursor: newest?.slice(0, 16) ?? shown.cursor }
      },
      showAll,
      async page(userId, workflowId, { limit, after, status }) {
        const key =
          userId === null
            ? keys.own('runs-of-all')
            : workflowId === undefined
              ? keys.own('runs-of', userDigest(userId))
              : keys.own('runs-in', workflowName(userId, workflowId))
        const window = status === undefined ? limit : WINDOW
        const from = after ? `(${after}` : '+inf'
        const listed = await fromRedis(
          redis.zrevrangebyscore(key, from, '-inf', 'WITHSCORES', 'LIMIT', 0, window),
        )
        const ids = listed.filter((_, i) => i % 2 === 0)
        const stored = await fromRedis(store.runs(ids))
        const found: StoredRun[] = []
        let next: string | null = null
        for (const [i, run] of stored.entries()) {
          if (found.length === limit) break
          next = String(listed[2 * i + 1])
          if (run && (status === undefined || run.document.status === status)) found.push(run)
        }
        const gone = ids.filter((_, i) => !stored[i])
        if (gone.length > 0) void redis.zrem(key, ...gone).catch(() => {})
        const isLast = ids.length < window && String(listed.at(-1) ?? next) === String(next)
        const shown = await showAll(found)
        const runs = shown.map((run, i) => ({ ...run, owner: found[i]?.document.user_id ?? '' }))
        return { runs, next: isLast ? null : next }
      },
      async cancel(origin) {
        let finished = false
        const run = await act(origin, ({ cancelled_at, ...run }) => {
          const document = cancel({ cancelled_at, ...run }, Date.now())
          finished = document === null
          return document && cancelled_at === null ? { document, results: [] } : null
        })
        return finished ? null : run
      },
      async decide(origin, stage, signOff) {
        let kind: DecideOutcome['kind'] | null = null
        await act(origin, (run, { results }) => {
          const outcome = decide(run, stage, signOff, results)
          kind = outcome.kind
          return outcome.kind === 'decided' ? outcome : null
        })
        return kind
      },
    }

    /** First adds a job that continues the run if this process dies. */
    function act(origin: RunOrigin, what: Act): Promise<StoredRun | null> {
      return fromRedis(
        (async () => {
          const carrier = await queue.carry(origin)
          const run = await engine.goOn(origin, carrier.key, { act: what })
          await carrier.drop().catch(() => {})
          return run
        })(),
      )
    }

    async function start({ userId, workflowId, body, idempotencyKey }: AskedRun): Promise<StartOutcome> {
      const asked = { userId, workflowId, body }
      const fingerprint = sha256({ workflowId, ...body, inputs: filled(body.inputs) })
      const runId = uuidOf('run', prefix, queueId, userId, idempotencyKey ?? crypto.randomUUID())
      const origin: RunOrigin = { run_id: runId, workflow_id: workflowId, user_id: userId }
      let carrier: Carrier | null = null
      for (;;) {
        const known = idempotencyKey === undefined ? null : await store.run(runId)
        if (known)
          return known.document.fingerprint === fingerprint
            ? { kind: 'replayed', run: known }
            : { kind: 'mismatch' }
        const draft = await prepare(asked, runId, fingerprint)
        const { previous, memory } = draft
        if (previous && !isFinished(previous) && previous.status !== 'waiting') return { kind: 'active' }
        if ('missing' in draft) return { kind: 'missing', missing: draft.missing }
        const now = Date.now()
        const next = advance(draft.run, { results: draft.results, ends: new Map(), now })
        const first = next.document.steps.find(isLive)
        if (
          first?.job_id &&
          maxWaiting > 0 &&
          !(await queue.takeTurn(userId, first.job_id, first.stage, maxWaiting))
        )
          return { kind: 'full' }
        const changes = [{ before: null, after: next.document }]
        const superseded =
          previous && !isFinished(previous) ? [{ before: previous, after: supersede(previous, now) }] : []
        const results = unique([...draft.fresh, ...next.results])
        const carried: Carrier = carrier ?? (await queue.carry(origin))
        carrier = carried
        const [reply] = await store.write(memory, [...superseded, ...changes], results, carried.key, now)
        if (reply === 'uncarried') carrier = null
        if (reply !== 'ok') continue
        // The run and its backup job are stored, so the run starts now or within seconds.
        await engine
          .goOn(origin, carried.key)
          .then(() => carried.drop())
          .catch((err: Error) =>
            app.log.warn({ err, runId }, 'could not start a run in this process; a worker starts it'),
          )
        const run = await store.run(runId)
        if (run) return { kind: 'started', run }
      }
    }

    /** Prepares the requested run from stored data only. */
    async function prepare({ userId, workflowId, body }: AskedRun, runId: string, fingerprint: string) {
      const origin: RunOrigin = { run_id: runId, workflow_id: workflowId, user_id: userId }
      const memory: Memory = await store.memory(origin)
      const previous = memory.runId ? ((await store.run(memory.runId))?.document ?? null) : null
      const stages = body.stages.flatMap((stage) => {
        const { needs = [], uses = [] } = catalogue.get(stage) ?? {}
        return [stage, ...needs, ...uses]
      })
      const known = await knownResults(redis, keys, origin, memory, [...new Set(stages)])
      const versions = await catalogue.versions()
      const draft = newRun(body, catalogue, known, {
        ...origin,
        fingerprint,
        previous,
        now: Date.now(),
        versionOf: (stage) => versions.get(stage) ?? '',
      })
      if ('missing' in draft) return { ...draft, previous, memory }
      const results = unique([...known, ...draft.voided])
      const stored = new Set(memory.results.map(({ job_id }) => job_id))
      const fresh = [...known.filter(({ job_id }) => !stored.has(job_id)), ...draft.voided]
      return { run: draft.run, previous, memory, results, fresh }
    }

    async function showAll(runs: readonly StoredRun[]): Promise<Run[]> {
      const ids = runs.flatMap(({ document: { steps } }) =>
        steps.flatMap((step) => (isLive(step) && step.job_id ? [step.job_id] : [])),
      )
      const found = await Promise.all(ids.map((id) => journal.snapshot(id)))
      const byId = new Map(ids.map((id, i) => [id, found[i] ?? null]))
      return runs.map((run) => toRun(run, byId))
    }
  },
  { name: 'runs', dependencies: ['catalogue', 'estimates', 'journal', 'queue', 'workflows'] },
)

function toRun({ document, cursor }: StoredRun, jobs: ReadonlyMap<string, JobSnapshot | null>): Run {
  const { run_id, workflow_id, name, status, steps, created_at, finished_at } = document
  const shown = steps.map((step) => toStep(step, jobs.get(step.job_id ?? '') ?? null))
  return { run_id, workflow_id, name, status, steps: shown, cursor, created_at, finished_at }
}

function toStep(step: RunDocument['steps'][0], job: JobSnapshot | null): RunStep {
  const { stage, status, job_id, attempt, progress, because, sign_off, error } = step
  const shown = { stage, status, job_id, attempt, progress, because, sign_off, error }
  if (!isLive(step) || !job) return shown
  // A job counts as ended once the run has stored its end.
  const live = isTerminal(job.status) ? 'active' : job.status
  return { ...shown, status: live, attempt: job.attempt, progress: job.progress, error: job.error }
}

/** Absent and empty inputs are the same. */
function filled(inputs: RunBody['inputs'] = {}): object {
  return Object.fromEntries(Object.entries(inputs).filter(([, one]) => Object.keys(one).length > 0))
}

function unique(results: readonly KnownResult[]): KnownResult[] {
  return [...new Map(results.map((one) => [one.job_id, one])).values()]
}

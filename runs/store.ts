/** Reads runs from Redis and changes them with one script, which rejects a writer with an old version. */
import type { Redis } from 'ioredis'
import { userDigest } from '../journal/ids.ts'
import { type JournalKeys, STREAM_LENGTH } from '../journal/journal.ts'
import { IDLE_SECONDS, ORDER_CAPACITY, workflowName } from '../journal/order.ts'
import { loadScript } from '../journal/scripts.ts'
import { isFinished, type RunDocument } from './document.ts'
import { eventsBetween } from './events.ts'
import type { KnownResult } from './result.ts'

/** Maximum runs in the list of a user or workflow; older ones can still be read by ID. */
const RUNS_CAPACITY = 10_000
/** Maximum runs in the list of all users' runs. */
const ALL_CAPACITY = 100_000

/** A run, its workflow and its user. */
export type RunOrigin = Pick<RunDocument, 'run_id' | 'workflow_id' | 'user_id'>

export interface StoredRun {
  document: RunDocument
  /** The position in the workflow's order before its first event, and that of its newest one. */
  origin: string
  cursor: string
}

/** The stored results of a workflow, and their version. A write based on an old version is rejected. */
export interface Memory {
  version: string
  /** Its newest run. */
  runId: string | null
  results: KnownResult[]
}

/** A change of a run; a new run has no `before`. */
export interface Change {
  before: RunDocument | null
  after: RunDocument
}

type WriteReply = ['ok'] | ['moved'] | ['uncarried'] | ['gone', jobId: string]

const writeRun = loadScript<WriteReply>('write-run', {
  ORDER_CAPACITY,
  STREAM_LENGTH,
  RUNS_CAPACITY,
  ALL_CAPACITY,
})

export class RunStore {
  private readonly redis: Redis
  private readonly keys: JournalKeys
  private readonly ttlSeconds: number

  constructor(redis: Redis, keys: JournalKeys, ttlSeconds: number) {
    this.redis = redis
    this.keys = keys
    this.ttlSeconds = ttlSeconds
  }

  /** Reads a run and the stored results of its workflow. */
  async read(origin: RunOrigin): Promise<{ memory: Memory; run: StoredRun | null }> {
    // Read the version first: if the run changes afterwards, the write is rejected.
    const [memory, run] = await Promise.all([this.memory(origin), this.run(origin.run_id)])
    return { memory, run }
  }

  /** Null if the run does not exist. */
  async run(runId: string): Promise<StoredRun | null> {
    return toRun(await this.redis.hmget(this.keys.own('run', runId), ...FIELDS))
  }

  /** In the order of `runIds`; null for a run that does not exist. */
  async runs(runIds: readonly string[]): Promise<(StoredRun | null)[]> {
    return Promise.all(runIds.map((id) => this.run(id)))
  }

  async memory(origin: Omit<RunOrigin, 'run_id'>): Promise<Memory> {
    return toMemory(await this.redis.hgetall(this.keys.own('memory', nameOf(origin))))
  }

  /** Whether an unfinished run uses the result of the job. */
  async holds(jobId: string): Promise<boolean> {
    const found = await this.runs(await this.redis.smembers(this.keys.own('held', jobId)))
    return found.some((run) => run && !isFinished(run.document))
  }

  /** Marks the steps of a deleted job. The runs that used it have finished, so no other process changes them. */
  async forgetJob(jobId: string): Promise<void> {
    const held = this.keys.own('held', jobId)
    for (const run of await this.runs(await this.redis.smembers(held))) {
      if (!run) continue
      const { document } = run
      const steps = document.steps.map((step) =>
        step.job_id === jobId ? { ...step, status: 'deleted' as const } : step,
      )
      const text = JSON.stringify({ ...document, steps })
      await this.redis
        .multi()
        .hset(this.keys.own('run', document.run_id), 'document', text)
        .hdel(this.keys.own('memory', nameOf(document)), `result:${jobId}`)
        .exec()
    }
    await this.redis.del(held)
  }

  /** Removes all runs of a workflow and its stored results, unless a run is unfinished. */
  async forgetWorkflow(origin: Omit<RunOrigin, 'run_id'>): Promise<void> {
    const { redis, keys } = this
    const list = keys.own('runs-in', nameOf(origin))
    const ids = await redis.zrange(list, '0', '-1')
    const found = await this.runs(ids)
    // If a run has just started, nothing is removed.
    if (found.some((run) => run && !isFinished(run.document))) return
    for (const id of ids)
      await redis
        .multi()
        .del(keys.own('run', id), keys.own('run', id, 'log'))
        .zrem(keys.own('runs-of', userDigest(origin.user_id)), id)
        .zrem(keys.own('runs-of-all'), id)
        .exec()
    await redis.del(list, keys.own('memory', nameOf(origin)))
  }

  /** `carrier`: key of the job that continues the run if this process dies. */
  write(
    { version }: Memory,
    changes: readonly Change[],
    results: readonly KnownResult[],
    carrier: string,
    now: number,
  ): Promise<WriteReply> {
    const { keys } = this
    const origin = (changes.at(-1) as Change).after
    const change = {
      runs: changes.map((one) => toWrite(one, now)),
      results: Object.fromEntries(results.map((one) => [one.job_id, JSON.stringify(one)])),
    }
    return writeRun.run(this.redis, {
      memory: keys.own('memory', nameOf(origin)),
      carrier,
      order: keys.order(origin.user_id, origin.workflow_id),
      events: keys.events,
      inWorkflow: keys.own('runs-in', nameOf(origin)),
      ofUser: keys.own('runs-of', userDigest(origin.user_id)),
      ofAll: keys.own('runs-of-all'),
      live: keys.own('runs-live', userDigest(origin.user_id)),
      waiting: keys.own('runs-waiting'),
      waitingOf: keys.own('runs-waiting-of', userDigest(origin.user_id)),
      tally: keys.own('runs-tally'),
      version,
      workflow: nameOf(origin),
      ttl: this.ttlSeconds,
      idle: IDLE_SECONDS,
      runPrefix: keys.own('run', ''),
      jobPrefix: keys.job(''),
      heldPrefix: keys.own('held', ''),
      change: JSON.stringify(change),
    })
  }
}

const FIELDS = ['document', 'origin', 'cursor'] as const
type Fields = (string | null)[]

function nameOf({ user_id, workflow_id }: Omit<RunOrigin, 'run_id'>): string {
  return workflowName(user_id, workflow_id)
}

function toRun([document, origin, cursor]: Fields): StoredRun | null {
  if (!document) return null
  return { document: JSON.parse(document), origin: origin ?? '', cursor: cursor ?? '' }
}

function toMemory(fields: Record<string, string>): Memory {
  const results = Object.entries(fields).flatMap(([name, value]): KnownResult[] =>
    name.startsWith('result:') ? [JSON.parse(value)] : [],
  )
  return { version: fields.version ?? '0', runId: fields.run ?? null, results }
}

function toWrite({ before, after }: Change, now: number) {
  const finished = isFinished(after)
  const used = usesOf(after)
  const known = new Set(before ? usesOf(before) : [])
  const waits = waitsOf(after)
  const waited = before ? waitsOf(before) : []
  return {
    id: after.run_id,
    was: before?.status ?? '',
    status: after.status,
    isFinished: finished,
    isCancelled: after.cancelled_at !== null,
    document: JSON.stringify(after),
    events: eventsBetween(before, after, now).map((event) => JSON.stringify(event)),
    uses: finished ? used : used.filter((jobId) => !known.has(jobId)),
    waits: waits.filter((one) => !waited.includes(one)),
    stops: waited.filter((one) => !waits.includes(one)),
  }
}

/** Jobs whose results the run uses. */
function usesOf({ steps, given }: RunDocument): string[] {
  const own = steps.flatMap(({ job_id, content }) => (job_id !== null && content !== null ? [job_id] : []))
  return [...new Set([...own, ...given.map(({ job_id }) => job_id)])]
}

/** `<since> <run id> <stage>` for each waiting gate. */
function waitsOf({ run_id, steps }: RunDocument): string[] {
  return steps.flatMap(({ stage, status, sign_off }) =>
    status === 'awaiting_sign_off' ? [`${sign_off?.since ?? 0} ${run_id} ${stage}`] : [],
  )
}

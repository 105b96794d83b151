/** A job whose log the test writes entry by entry, instead of a worker. */
import { randomUUID } from 'node:crypto'
import { eventId, type LogEntry } from '../../contract/events.ts'
import type { JobData, JobResult, JobSnapshot } from '../../contract/job.ts'
import { record, recordCall } from '../../journal/journal.ts'
import { JOB_FIELDS, type Journal, parseJournal, toEndRecord } from '../../journal/snapshot.ts'
import { type Execute, enqueue, type Queued, type TestApi } from './app.ts'

type Line = Partial<LogEntry> & Pick<LogEntry, 'type'>

export class ScriptedJob {
  readonly id: string
  readonly urls: Queued['urls']
  /** Absolute URL of the events, with its ticket. */
  readonly events: string
  /** IDs of all events so far, beginning with `queued`. */
  readonly ids = ['000000000000']
  private readonly api: TestApi
  private readonly token = randomUUID()
  private attempt = 0
  private seq = 0
  private progress = 0

  constructor(api: TestApi, { job_id, urls }: Queued) {
    this.api = api
    this.id = job_id
    this.urls = urls
    this.events = api.url + urls.events
  }

  get keys() {
    return this.api.app.stagecast.journal.keys
  }

  get head(): string {
    return this.ids.at(-1) as string
  }

  /** Takes the lock and begins the next attempt. */
  async begin(): Promise<void> {
    await this.api.app.stagecast.redis.set(this.keys.lock(this.id), this.token)
    this.attempt += 1
    this.seq = 0
    await this.write([{ type: 'active', progress: 0 }])
  }

  async steps(count: number, message = 'a step'): Promise<void> {
    for (let i = 0; i < count; i += 1) await this.write([{ type: 'progress', message }])
  }

  /** Appends lines in one write, as a worker does. */
  async write(lines: Line[], end: JobSnapshot | null = null): Promise<void> {
    const { redis } = this.api.app.stagecast
    const expected = this.seq === 0 && this.attempt === 1 ? '' : this.head
    const entries = lines.map((line) => this.next(line))
    const reply = await record.run(
      redis,
      recordCall(this.keys, {
        journal: { data: await this.origin(), createdAt: Date.now(), processedAt: null },
        ...{ token: this.token, expected, entries, end },
        ...{ logTtlSeconds: 600, resultTtlSeconds: 600 },
      }),
    )
    if (reply !== 'ok') throw new Error(`RECORD answered ${reply}`)
    this.ids.push(...entries.map(eventId))
  }

  async complete(results?: Record<string, unknown>): Promise<void> {
    const result: JobResult = { success: true, artifacts: [], duration_ms: 5, ...(results && { results }) }
    await this.settle({ type: 'completed', progress: 100 }, result)
  }

  async fail(): Promise<void> {
    const error = { code: 'BROKEN', message: 'it broke', retryable: false, attempt: this.attempt }
    await this.settle({ type: 'failed', error })
  }

  private async settle(line: Line, result: JobResult | null = null): Promise<void> {
    const fields = await this.api.app.stagecast.redis.hmget(this.keys.job(this.id), ...JOB_FIELDS)
    const place = { seq: this.seq, progress: this.progress }
    const end = toEndRecord(parseJournal(fields) as Journal, this.next(line), result)
    Object.assign(this, place)
    await this.write([line], end)
  }

  private async origin(): Promise<JobData> {
    return JSON.parse((await this.api.app.stagecast.redis.hget(this.keys.job(this.id), 'data')) as string)
  }

  private next(line: Line): LogEntry {
    this.seq += 1
    this.progress = line.progress ?? this.progress
    const { attempt, seq, progress } = this
    return { attempt, max: 3, seq, message: line.type, at: Date.now(), ...line, progress }
  }
}

/** A job that was accepted over HTTP; no worker may run. */
export async function scriptJob(api: TestApi, options?: Execute): Promise<ScriptedJob> {
  return new ScriptedJob(api, await enqueue(api.url, options))
}

/** A job that has run `steps` steps of its first attempt. */
export async function runningJob(api: TestApi, steps = 3, options?: Execute): Promise<ScriptedJob> {
  const job = await scriptJob(api, options)
  await job.begin()
  await job.steps(steps)
  return job
}

/** A workflow of scripted jobs, and clients that watch it. */
import { randomUUID } from 'node:crypto'
import type { JobEventData } from '../../contract/job-event.ts'
import { authorization, get, type TestApi } from './app.ts'
import { runningJob, type ScriptedJob, scriptJob } from './scripted-job.ts'
import { openStream, type Stream } from './sse.ts'

export interface WorkflowPage {
  events: { id: string; event: string; data: JobEventData }[]
  cursor: string
  more: boolean
  gap?: { jobs: { job_id: string; status: string }[] }
}

export class ScriptedWorkflow {
  readonly id = randomUUID()
  readonly path = `/api/workflow/workflows/${this.id}`
  private readonly api: TestApi
  private readonly user: string

  constructor(api: TestApi, user = 'alice') {
    this.api = api
    this.user = user
  }

  /** Key of the workflow's order in Redis. */
  get order(): string {
    return this.api.app.stagecast.journal.keys.order(this.user, this.id)
  }

  queued(stage = 2): Promise<ScriptedJob> {
    return scriptJob(this.api, { stage, user: this.user, body: { workflow_id: this.id } })
  }

  running(steps: number, stage = 2): Promise<ScriptedJob> {
    return runningJob(this.api, steps, { stage, user: this.user, body: { workflow_id: this.id } })
  }

  watch(lastEventId?: string, url = this.api.url): Promise<Stream> {
    return openStream(`${url}${this.path}/events`, { lastEventId, headers: authorization(this.user) })
  }

  page(after = '', url = this.api.url): Promise<WorkflowPage> {
    const query = after && `?after=${after}`
    return get<WorkflowPage>(`${url}${this.path}/events${query}`, this.user, { accept: 'application/json' })
  }
}

/** The job and event behind each position. */
export function lines(events: { event?: string; data?: unknown }[]): string[] {
  return events.map(({ event, data }) => {
    const { job_id, attempt, message } = data as JobEventData
    return `${job_id.slice(0, 8)} ${event} ${attempt} ${message}`
  })
}

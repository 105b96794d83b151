/** A stand-in for the first-party client: fetch streaming, with its interface. */
import type { JobSnapshot, JobSummary } from '../../stages/job.ts'

export interface JobRef {
  stage: number
  job_id: string
}
export interface WatchEvent {
  id?: string | undefined
  event: string
  // biome-ignore lint/suspicious/noExplicitAny: stand-in
  data: any
}
interface WatchOptions {
  after?: string
  signal?: AbortSignal
  onTransport?: (transport: 'sse' | 'polling') => void
}

export class StagecastError extends Error {
  code: string
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: stand-in
  problem: any
  retryAfter?: number
  // biome-ignore lint/suspicious/noExplicitAny: stand-in
  constructor(status: number, problem: any) {
    super(problem.detail)
    this.status = status
    this.code = problem.code
    this.problem = problem
  }
}

export class Stagecast {
  options: { baseUrl: string; token?: () => string; fetch: typeof fetch }
  constructor(options: { baseUrl: string; token?: () => string; fetch: typeof fetch }) {
    this.options = options
  }
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const token = this.options.token?.()
    const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(init.headers as object) }
    const answer = await this.options.fetch(this.options.baseUrl + path, { ...init, headers })
    if (answer.ok) return answer
    throw new StagecastError(
      answer.status,
      await answer.json().catch(() => ({ code: 'HTTP', detail: answer.statusText })),
    )
  }
  private path({ stage, job_id }: JobRef) {
    return `/api/workflow/stages/${stage}/jobs/${job_id}`
  }
  async stages() {
    return ((await (await this.request('/api/workflow/stages')).json()) as { stages: [] }).stages
  }
  async execute(
    stage: number,
    body: unknown,
    { idempotencyKey = '' } = {},
  ): Promise<JobRef & { workflow_id: string }> {
    const headers = {
      'content-type': 'application/json',
      ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
    }
    const init = { method: 'POST', body: JSON.stringify(body), headers }
    return (await this.request(`/api/workflow/stages/${stage}/execute`, init)).json()
  }
  async status(job: JobRef): Promise<JobSnapshot> {
    return (await this.request(`${this.path(job)}/status`)).json()
  }
  async cancel(job: JobRef): Promise<{ status: string }> {
    return (await this.request(`${this.path(job)}/cancel`, { method: 'POST' })).json()
  }
  async jobs(query: Record<string, string> = {}): Promise<{ jobs: JobSummary[]; next: string | null }> {
    return (await this.request(`/api/workflow/jobs?${new URLSearchParams(query)}`)).json()
  }
  async artifact(job: JobRef, name: string): Promise<Response> {
    return this.request(`${this.path(job)}/artifacts/${encodeURIComponent(name)}`)
  }
  watch(job: JobRef, options: WatchOptions = {}) {
    return this.follow(`${this.path(job)}/events`, options)
  }
  watchWorkflow(id: string, options: WatchOptions = {}) {
    return this.follow(`/api/workflow/workflows/${id}/events`, options)
  }
  async *follow(path: string, { after = '', signal, onTransport }: WatchOptions): AsyncGenerator<WatchEvent> {
    for (;;) {
      try {
        const answer = await this.request(path, {
          headers: { accept: 'text/event-stream', ...(after && { 'last-event-id': after }) },
          ...(signal && { signal }),
        })
        if (answer.status === 204 || !answer.body) return
        onTransport?.('sse')
        let text = ''
        for await (const chunk of answer.body.pipeThrough(
          new TextDecoderStream(),
        ) as unknown as AsyncIterable<string>) {
          text += chunk
          const frames = text.split('\n\n')
          text = frames.pop() ?? ''
          for (const frame of frames) {
            const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1]
            const event = field('event')
            if (!event) continue
            after = field('id') ?? after
            yield { id: field('id'), event, data: JSON.parse(field('data') ?? 'null') }
            if (['completed', 'failed', 'cancelled', 'gone'].includes(event) && path.includes('/jobs/'))
              return
          }
        }
      } catch (error) {
        if (
          signal?.aborted ||
          (error instanceof StagecastError && error.status < 500 && error.status !== 429)
        )
          throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}

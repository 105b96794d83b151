/** The demo's view of the API: nothing but HTTP, as any client has it. */
import { EventSource } from 'eventsource'
import type { Problem } from '../stages/errors.ts'
import { isTerminal, JobStatus } from '../stages/events.ts'
import type { JobEvent } from '../stages/job.ts'

/** What an event of a job carries. */
export type News = JobEvent['data']

const EVENT_TYPES = [...JobStatus.anyOf.map((status) => status.const), 'progress']
const AUTHORIZATION = { authorization: 'Bearer test-token' }

export interface Accepted {
  job_id: string
  urls: { status: string; events: string; cancel: string }
}

/** Asks for stage 2. Throws what the API says against it, readably. */
export async function execute(base: string, workflowId: string, question: string): Promise<Accepted> {
  const answer = await fetch(new URL('/api/workflow/stages/2/execute', base), {
    method: 'POST',
    headers: { ...AUTHORIZATION, 'content-type': 'application/json' },
    body: JSON.stringify({ workflow_id: workflowId, research_question: question }),
  })
  if (answer.status !== 202) throw await refusal(answer)
  return (await answer.json()) as Accepted
}

/** Follows the job's events over as many connections as it takes; resolves to the last event. */
export async function watch(events: URL, onEvent: (event: News) => void, signal: AbortSignal): Promise<News> {
  signal.throwIfAborted()
  const source = new EventSource(events)
  return new Promise<News>((done, failed) => {
    signal.addEventListener('abort', () => failed(signal.reason))
    for (const type of EVENT_TYPES) {
      source.addEventListener(type, ({ data }) => {
        const news: News = JSON.parse(data)
        onEvent(news)
        if (isTerminal(type)) done(news)
      })
    }
    source.addEventListener('gone', () => failed(new Error('The job disappeared from the queue.')))
    source.addEventListener('error', ({ code, message }) => {
      // While it is connecting again, this is no failure.
      if (source.readyState !== source.CLOSED) return
      failed(new Error(`The event stream was refused${code ? ` with status ${code}` : ''}: ${message ?? ''}`))
    })
  }).finally(() => source.close())
}

/** One of the files the job made. */
export async function fetchArtifact(base: string, path: string): Promise<unknown> {
  const answer = await fetch(new URL(path, base), { headers: AUTHORIZATION })
  if (!answer.ok) throw await refusal(answer)
  return answer.json()
}

async function refusal(answer: Response): Promise<Error> {
  const text = await answer.text()
  if (!answer.headers.get('content-type')?.includes('json')) return new Error(`${answer.status}: ${text}`)
  const { title, detail, errors = [] } = JSON.parse(text) as Problem
  const faults = errors.map(({ path, message }) => `\n  ${path}: ${message}`)
  return new Error(`The API answered ${answer.status}: ${title}. ${detail}${faults.join('')}`)
}

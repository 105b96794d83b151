/** A client of a stage service, like the worker. */
import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import type { ServiceLine, StageRequest } from '../../../contract/service.ts'

export const QUESTION = 'What are the effects of intermittent fasting on cardiovascular health?'
export const WORKER_ACCEPT = 'application/x-ndjson, application/json'

export function stageRequest(change: Partial<StageRequest> = {}): StageRequest {
  return {
    workflow_id: '123e4567-e89b-12d3-a456-426614174000',
    research_question: QUESTION,
    user_id: 'user-1',
    job_id: randomUUID(),
    inputs: {},
    ...change,
  }
}

interface Options {
  stage?: number | string
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** POSTs a body, text or JSON. Without `accept` it behaves like a plain client. */
export function post(
  url: string,
  body: unknown,
  { stage = 2, headers = {}, signal }: Options = {},
): Promise<Response> {
  return fetch(`${url}/api/workflow/stages/${stage}/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })
}

/** The body of an answer, which must be a JSON object. */
export async function json(response: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await response).json()) as Record<string, unknown>
}

/** A call in the NDJSON form, read line by line. */
export async function stream(url: string, request: StageRequest) {
  const controller = new AbortController()
  const headers = { accept: WORKER_ACCEPT, 'idempotency-key': request.job_id }
  const response = await post(url, request, { headers, signal: controller.signal })
  const lines = parseLines(response)
  return {
    response,
    hangUp: () => controller.abort(),
    /** The next line, or undefined after the last. */
    next: async () => (await lines.next()).value as ServiceLine | undefined,
    async rest(): Promise<ServiceLine[]> {
      const all: ServiceLine[] = []
      for await (const line of lines) all.push(line)
      return all
    },
  }
}

async function* parseLines(response: Response): AsyncGenerator<ServiceLine> {
  let open = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const parts = `${open}${decoder.decode(chunk, { stream: true })}`.split('\n')
    open = parts.pop() ?? ''
    for (const part of parts) yield JSON.parse(part)
  }
  if (open !== '') throw new Error('the last line has no end')
}

export interface RawAnswer {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

/** Sends the path unchanged, which `fetch` would normalise. Rejects only if no answer arrives. */
export function raw(
  url: string,
  path: string,
  options: http.RequestOptions = {},
  body = '',
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path, agent: false, ...options }, (response) => {
      const { statusCode: status = 0, headers } = response
      text(response).then((body) => resolve({ status, headers, body }), reject)
    })
    // After an early answer, writing the rest of the body may fail; the promise is already settled then.
    request.on('error', reject)
    request.end(body)
  })
}

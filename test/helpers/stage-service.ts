/** A stage service that records every call and answers as the test sets. */
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface StageCallSeen {
  stage: number
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
  response: ServerResponse
  /** Resolves if the caller disconnects before the answer is complete. */
  hungUp: Promise<void>
}

export type Answer = (call: StageCallSeen) => void | Promise<void>

export class FakeStageService {
  readonly calls: StageCallSeen[] = []
  private readonly events = new EventEmitter()
  private readonly server = createServer(async (request, response) => {
    if (request.method === 'GET') return this.onGet(request.url ?? '', response)
    if (request.method === 'DELETE') return this.onDelete(request.url ?? '', response)
    let text = ''
    for await (const chunk of request) text += chunk
    const hungUp = new Promise<void>((resolve) =>
      response.once('close', () => {
        if (!response.writableFinished) resolve()
      }),
    )
    const stage = Number(/stages\/(\d+)\//.exec(request.url ?? '')?.[1])
    const call = { stage, headers: request.headers, body: JSON.parse(text), response, hungUp }
    this.calls.push(call)
    this.events.emit('call')
    await this.answer(call)
  })
  answer: Answer
  onGet: (url: string, response: ServerResponse) => void = (_url, response) =>
    void response.writeHead(404).end()

  /** By default deletes nothing, like a service without files. */
  onDelete: (url: string, response: ServerResponse) => void = (_url, response) =>
    void response.writeHead(404).end()

  constructor(answer: Answer) {
    this.answer = answer
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Listens; `port` 0 takes a free one. */
  async open(port = 0): Promise<this> {
    this.server.listen(port, '127.0.0.1')
    await once(this.server, 'listening')
    return this
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  /** Resolves with the nth call, counted from 0, once it has arrived. */
  async call(index: number): Promise<StageCallSeen> {
    while (!this.calls[index]) await once(this.events, 'call')
    return this.calls[index] as StageCallSeen
  }
}

/** A fake service, closed with the test. By default it answers with success as JSON. */
export async function fakeStageService(t: Test, answer: Answer = succeed()): Promise<FakeStageService> {
  const service = await new FakeStageService(answer).open()
  t.teardown(() => service.close())
  return service
}

/** Answers JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

export function succeed(fields: Record<string, unknown> = {}): Answer {
  return (call) => json(200, success(call, fields))(call)
}

export function fail(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return json(status, { detail: { code, message: `the service says ${code}` } }, headers)
}

/** Answers NDJSON: writes the lines at once, and ends unless told to stay open. */
export function ndjson(lines: unknown[], { end = true } = {}): Answer {
  return ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(
      lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
    )
    if (end) response.end()
  }
}

/** The body of a successful answer to `call`. */
export function success(call: StageCallSeen, fields: Record<string, unknown> = {}): Record<string, unknown> {
  const { job_id, workflow_id } = call.body
  return { success: true, stage: call.stage, workflow_id, job_id, artifacts: [], duration_ms: 5, ...fields }
}

/** Never answers. */
export const silence: Answer = () => {}

/**
 * A stage service that honours the Idempotency-Key and records its effects: it does the work of each key once, and repeats
 * its answer for a repeated key. Each case decides how it behaves otherwise.
 */
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Owner } from '../../helpers/owner.ts'

export interface Call {
  /** The client's order, which is the same for every job and key made for it. */
  order: string
  key: string
  attempt: number
  body: Record<string, unknown>
  headers: IncomingHttpHeaders
  response: ServerResponse
  /** How often the order has been called, including this call. */
  nth: number
}

export type Behaviour = (call: Call, service: RecordingService) => void | Promise<void>

export class RecordingService {
  /** All calls received. */
  readonly calls: Call[] = []
  /** Every time the work of an order was done. */
  readonly effects: { order: string; key: string }[] = []
  behaviour: Behaviour
  private readonly answers = new Map<string, object>()
  private readonly events = new EventEmitter()
  private readonly server = createServer((request, response) => void this.take(request, response))

  private constructor(behaviour: Behaviour) {
    this.behaviour = behaviour
  }

  static async open(owner: Owner, behaviour: Behaviour): Promise<RecordingService> {
    const service = new RecordingService(behaviour)
    await service.start()
    owner.teardown(() => service.stop())
    return service
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  async start(port = 0): Promise<void> {
    this.server.listen(port, '127.0.0.1')
    await once(this.server, 'listening')
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }

  /** The next call that matches `is`, including past ones. */
  async call(is: (call: Call) => boolean): Promise<Call> {
    for (;;) {
      const found = this.calls.find(is)
      if (found) return found
      await once(this.events, 'call')
    }
  }

  /** Does the call's work, once per key, and returns its answer. */
  perform({ order, key, body }: Call): object {
    const known = this.answers.get(key)
    if (known) return known
    this.effects.push({ order, key })
    const { stage, workflow_id, job_id } = body
    const answer = { success: true, stage, workflow_id, job_id, artifacts: [`${order}.json`], duration_ms: 1 }
    this.answers.set(key, answer)
    return answer
  }

  /** Whether the key's work is already done. */
  knows({ key }: Call): boolean {
    return this.answers.has(key)
  }

  private async take(request: import('node:http').IncomingMessage, response: ServerResponse): Promise<void> {
    // This service lists no stages.
    if (request.method === 'GET') return void response.writeHead(404).end()
    let text = ''
    try {
      for await (const piece of request) text += piece
    } catch {
      return
    }
    const body = JSON.parse(text)
    const order = String(body.inputs.order)
    const nth = this.calls.filter((call) => call.order === order).length + 1
    const key = String(request.headers['idempotency-key'])
    const call = {
      order,
      key,
      attempt: Number(request.headers['x-attempt']),
      body,
      headers: request.headers,
      response,
      nth,
    }
    this.calls.push(call)
    this.events.emit('call')
    // Cases throw if what they wait for does not come; a caller that disconnects does not concern them.
    await Promise.resolve(this.behaviour(call, this)).catch(() => response.destroy())
  }
}

/** Works through `lines` lines of progress, `everyMs` apart; then the effect, then the answer. Stops when the caller disconnects. */
export function work(lines = 4, everyMs = 20): Behaviour {
  return async (call, service) => {
    const { response } = call
    if (service.knows(call)) return answer(call, service)
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    for (let i = 1; i <= lines; i += 1) {
      tell(call, { type: 'progress', percent: (100 * i) / lines, message: `line ${i}` })
      await delay(everyMs * (0.5 + Math.random()))
      // A closed connection is the signal to stop.
      if (response.destroyed) return
    }
    tell(call, { type: 'result', ...service.perform(call) })
    response.end()
  }
}

/** Sends heartbeats until the promise resolves, then answers. Stops when the caller disconnects. */
export function held(until: Promise<unknown> = new Promise(() => {})): Behaviour {
  return async (call, service) => {
    const { response } = call
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const beat = setInterval(() => tell(call, { type: 'heartbeat' }), 500)
    await Promise.race([until, once(response, 'close')])
    clearInterval(beat)
    if (response.destroyed) return
    tell(call, { type: 'result', ...service.perform(call) })
    response.end()
  }
}

/** Answers at once, in one JSON object. */
export const answer: Behaviour = (call, service) =>
  void call.response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify(service.perform(call)))

/** Refuses with a status. */
export function refuse(status: number, headers: Record<string, string> = {}): Behaviour {
  return ({ response }) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ detail: { code: `SAYS_${status}`, message: 'so it is told' } }))
}

/** Misbehaves for the first `times` calls of an order, then works. */
export function first(times: number, badly: Behaviour, well: Behaviour = answer): Behaviour {
  return (call, service) => (call.nth <= times ? badly : well)(call, service)
}

export function tell({ response }: Call, line: object | string): void {
  response.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
}

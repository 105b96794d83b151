/** Calls the stage service over HTTP and reads both forms of its answer, within limits of time and size. */
import type { Readable } from 'node:stream'
import { DecoratorHandler, type Dispatcher } from 'undici'
import type { JobData } from '../contract/job.ts'
import type {
  ProgressLine,
  ServiceLine,
  StageAnswer,
  StageRequest,
  Unchecked,
  Upstream,
} from '../contract/service.ts'
import type { TraceContext } from '../contract/trace.ts'
import type { Span, SpanDescription, Tracing } from '../contract/tracing.ts'
import { openDispatcher, type ProxySettings } from '../outgoing/outgoing.ts'
import { decoded, failureOfDecoding } from './decoded.ts'
import { failureOfStatus, StageFailure } from './failure.ts'
import { readLines } from './ndjson.ts'
import { isProgramFault } from './program-fault.ts'
import { clip } from './reason.ts'
import { judge, parse, throwReported, tooLarge, unusable } from './stage-answer.ts'
import { Watchdog } from './watchdog.ts'

export interface StageClientOptions {
  url: string
  /** Headers that the service requires; secrets. */
  headers?: Readonly<Record<string, string>>
  /** Longest call, in ms. */
  timeoutMs: number
  /** Longest silence once the answer has begun, in ms. */
  silenceMs: number
  maxResultBytes: number
  /** Default none. */
  proxy?: ProxySettings
  tracing: Tracing
}

export interface StageCall {
  job: JobData
  /** The results of earlier stages. */
  upstream?: Upstream
  attempt: number
  /** The trace that the call belongs to. */
  trace: TraceContext | null
  /** Ends the call by closing the connection, which stops the service. */
  signal: AbortSignal
  /** Called for each line: the service is alive. */
  onAlive(): void
  /** The service's own progress, 0 to 100. The next line is read once it resolves. */
  onProgress(percent: number, message: string | undefined): Promise<void>
}

const TEMPLATE = '/api/workflow/stages/{stage}/execute'
const MAX_ERROR_BYTES = 65_536
/** The content types of NDJSON. */
const NDJSON: ReadonlySet<string | undefined> = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'application/jsonlines',
])

export class StageClient {
  private readonly agent: Dispatcher
  private readonly options: StageClientOptions
  private readonly base: URL

  constructor(options: StageClientOptions) {
    this.options = options
    this.base = new URL(options.url)
    this.agent = openDispatcher(options.proxy ?? {}, { connect: { timeout: 10_000 }, pipelining: 1 })
  }

  /** Returns the service's answer with `success: true`; otherwise throws a `StageFailure` or the abort reason. */
  async call(call: StageCall): Promise<StageAnswer> {
    const span = this.options.tracing.start(() => this.describe(call), call.trace)
    try {
      return await this.exchange(call, span)
    } catch (error) {
      // A user's cancel is not an error.
      if (call.signal.reason === 'cancel') span.set({ 'stagecast.stopped': 'cancel' })
      else
        span.end(
          error instanceof StageFailure ? error.code : call.signal.aborted ? call.signal.reason : 'OTHER',
        )
      throw error
    } finally {
      span.end()
    }
  }

  private async exchange(call: StageCall, span: Span): Promise<StageAnswer> {
    const watchdog = new Watchdog(this.options, call.signal)
    const sending = { begun: false }
    try {
      const answer = await this.send(call, span.context, watchdog, sending)
      span.set({ 'http.response.status_code': answer.statusCode })
      watchdog.listen()
      return await this.read(answer, call, watchdog)
    } catch (error) {
      if (call.signal.aborted) throw call.signal.reason
      if (error instanceof CallerError) throw error.cause
      if (isProgramFault(error)) throw error
      throw (
        watchdog.failure ?? (error instanceof StageFailure ? error : broken(error as Error, sending.begun))
      )
    } finally {
      watchdog.stop()
    }
  }

  close(): Promise<void> {
    return this.agent.destroy()
  }

  /** Follows OpenTelemetry's conventions for HTTP clients. */
  private describe({ job, attempt }: StageCall): SpanDescription {
    const { hostname, port, protocol } = this.base
    const attributes = {
      'http.request.method': 'POST',
      'url.template': TEMPLATE,
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'stagecast.job.id': job.job_id,
      'stagecast.stage': job.stage,
      'stagecast.attempt': attempt,
    }
    return { name: `POST ${TEMPLATE}`, kind: 'client', attributes }
  }

  private send(
    { job, attempt, upstream = {} }: StageCall,
    trace: TraceContext | null,
    signal: Watchdog,
    sending: { begun: boolean },
  ): Promise<Dispatcher.ResponseData> {
    const body: StageRequest = {
      workflow_id: job.workflow_id,
      research_question: job.research_question,
      user_id: job.user_id,
      job_id: job.job_id,
      inputs: job.inputs,
      run_id: job.run_id ?? null,
      upstream,
    }
    const prefix = this.base.pathname.replace(/\/+$/, '')
    const agent = this.agent.compose((dispatch) => (options, handler) => {
      return dispatch(options, new NotesStart(handler, sending))
    })
    return agent.request({
      origin: this.base.origin,
      path: `${prefix}/api/workflow/stages/${job.stage}/execute`,
      method: 'POST',
      headers: {
        ...this.options.headers,
        'content-type': 'application/json',
        accept: 'application/x-ndjson, application/json',
        'x-request-id': job.job_id,
        'idempotency-key': job.job_id,
        'x-attempt': String(attempt),
        ...trace,
      },
      body: JSON.stringify(body),
      // undici's own limits (300 s) are shorter than a stage may take; the watchdog checks silence and deadline.
      headersTimeout: 0,
      bodyTimeout: 0,
      signal,
    })
  }

  private async read(
    answer: Dispatcher.ResponseData,
    call: StageCall,
    watchdog: Watchdog,
  ): Promise<StageAnswer> {
    const { statusCode, headers } = answer
    const body = decoded(answer)
    if (statusCode >= 300) {
      const bytes = await readAll(body, MAX_ERROR_BYTES, watchdog).catch(() => '')
      throw failureOfStatus(statusCode, headers, bytes.toString())
    }
    const type = String(headers['content-type'] ?? '')
      .split(';')[0]
      ?.trim()
      .toLowerCase()
    if (NDJSON.has(type)) return this.readNdjson(body, call, watchdog)
    if (type !== 'application/json') {
      const bytes = await firstBytes(body)
      const fault = 'its content type must be application/json or application/x-ndjson'
      throw unusable(fault, { bytes, shown: `${fault}, but is ${clip(JSON.stringify(type))}` })
    }
    return judge(parse(await readAll(body, this.options.maxResultBytes, watchdog)))
  }

  private async readNdjson(body: Readable, call: StageCall, watchdog: Watchdog): Promise<StageAnswer> {
    let last: Record<string, unknown> | undefined
    try {
      for await (const bytes of readLines(body, this.options.maxResultBytes, tooLarge)) {
        if (last) break
        watchdog.listen()
        call.onAlive()
        const line = parse(bytes)
        if (isLine(line, 'result') || isLine(line, 'error')) {
          last = line
          watchdog.letEnd()
        } else if (isLine(line, 'progress')) await this.tellProgress(line, call, watchdog)
      }
    } catch (error) {
      if (!last) throw error
    }
    if (last) return isLine(last, 'error') ? throwReported(last) : judge(last)
    throw new StageFailure('STAGE_ANSWER_INCOMPLETE', 'The stage service ended its answer without a result', {
      retryable: true,
      ill: true,
    })
  }

  private async tellProgress(
    { percent, message }: Unchecked<ProgressLine>,
    call: StageCall,
    watchdog: Watchdog,
  ): Promise<void> {
    if (typeof percent !== 'number' || !Number.isFinite(percent)) return
    const words = typeof message === 'string' ? clip(message) : undefined
    // Time spent storing a step does not count as the service's silence.
    watchdog.pause()
    await call.onProgress(Math.min(100, Math.max(0, percent)), words).catch(throwAsCallerError)
    watchdog.listen()
  }
}

type Start = NonNullable<Dispatcher.DispatchHandler['onRequestStart']>

/** Notes when the request starts being written. If it fails earlier, nothing was sent. */
class NotesStart extends DecoratorHandler {
  private readonly sending: { begun: boolean }

  constructor(handler: Dispatcher.DispatchHandler, sending: { begun: boolean }) {
    super(handler)
    this.sending = sending
  }

  onRequestStart(...start: Parameters<Start>): void {
    this.sending.begun = true
    const { onRequestStart } = DecoratorHandler.prototype as Dispatcher.DispatchHandler
    onRequestStart?.apply(this, start)
  }
}

/** Lines of an unknown type are ignored, except that they show that the service is alive. */
function isLine({ type }: Unchecked<ServiceLine>, kind: ServiceLine['type']): boolean {
  return type === kind
}

/** An error from the caller's callback, as opposed to one from the connection. */
class CallerError extends Error {}

function throwAsCallerError(cause: unknown): never {
  throw new CallerError('', { cause })
}

function readAll(body: Readable, maxBytes: number, watchdog: Watchdog): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    body.on('data', (chunk: Buffer) => {
      watchdog.listen()
      size += chunk.length
      if (size > maxBytes) body.destroy(tooLarge(maxBytes))
      else chunks.push(chunk)
    })
    body.on('end', () => resolve(Buffer.concat(chunks)))
    body.on('error', reject)
  })
}

/** Reads only the beginning of an answer; reading the rest could hold the connection open for good. */
async function firstBytes(body: Readable): Promise<Buffer> {
  // Leaving the loop destroys the stream.
  for await (const chunk of body) return chunk
  return Buffer.alloc(0)
}

function broken(error: Error & { code?: string }, begun: boolean): StageFailure {
  const undecoded = failureOfDecoding(error)
  if (undecoded) return undecoded
  // undici's message if the proxy refused. The service has seen nothing of the request.
  const refused = /^Proxy\D+(\d{3})\)/.exec(error.message)?.[1]
  const { code = '' } = error
  const message =
    begun && !refused
      ? `The connection to the stage service failed${code && ` (${code})`}`
      : `Could not connect to the stage service: ${refused ? `the proxy refused with status ${refused}` : reasons(code)}`
  return new StageFailure('STAGE_UNREACHABLE', message, {
    retryable: true,
    ill: true,
    unmet: begun && !refused ? undefined : 'unsent',
  })
}

/** Recognises the codes of Node, OpenSSL and undici. */
function reasons(code: string): string {
  if (/CERT|SIGNED|ISSUER|SIGNATURE|CRL/.test(code)) return `its certificate is not accepted (${code})`
  if (/SSL|EPROTO|TLS/.test(code)) return `TLS failed (${code})`
  return code || 'it broke before the request was sent'
}

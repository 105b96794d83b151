/** Watches one call to the stage service: its deadline, and the silence between two signs of life. */
import { EventEmitter } from 'node:events'
import { StageFailure } from './failure.ts'

/** How long a service may take to close its answer after the last line. */
const ENDING_MS = 500

/** The signal of the call; `abort` ends it. undici also takes an emitter, which costs less than an AbortController. */
export class Watchdog extends EventEmitter<{ abort: [] }> {
  aborted = false
  /** Why the call was ended. */
  reason: unknown
  /** The failure, if the watchdog ended the call. */
  failure: StageFailure | undefined
  private readonly silenceMs: number
  private readonly caller: AbortSignal
  private readonly deadline: NodeJS.Timeout
  private silence: NodeJS.Timeout | undefined

  /** Ends the call when `caller` aborts. */
  constructor({ timeoutMs, silenceMs }: { timeoutMs: number; silenceMs: number }, caller: AbortSignal) {
    super()
    this.silenceMs = silenceMs
    this.caller = caller
    caller.addEventListener('abort', this.obey)
    if (caller.aborted) this.obey()
    const message = `The stage took longer than ${timeoutMs} ms`
    this.deadline = setTimeout(() => this.bark('STAGE_TIMEOUT', message), timeoutMs)
  }

  /** A sign of life: restarts the timer. */
  listen(): void {
    if (this.silence?.refresh()) return
    const message = `The stage service was silent for ${this.silenceMs} ms`
    this.silence = setTimeout(() => this.bark('STAGE_SILENT', message), this.silenceMs)
  }

  /** The answer is complete. Closing the connection now would look like a cancel, so let the service close it. */
  letEnd(): void {
    clearTimeout(this.deadline)
    this.pause()
    this.silence = setTimeout(() => this.abort(undefined), ENDING_MS)
  }

  pause(): void {
    clearTimeout(this.silence)
    this.silence = undefined
  }

  stop(): void {
    clearTimeout(this.deadline)
    this.pause()
    this.caller.removeEventListener('abort', this.obey)
  }

  private readonly obey = (): void => this.abort(this.caller.reason)

  private bark(code: string, message: string): void {
    this.failure = new StageFailure(code, message, { retryable: true, ill: true })
    this.abort(this.failure)
  }

  private abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.emit('abort')
  }
}

/** Watches one call of the stage service: its deadline, and the silence between two signs of life. */
import { StageFailure } from './failure.ts'

/** How long a service may take to end its answer after the last line of it. */
const ENDING_MS = 500

export class Watchdog {
  private readonly abort = new AbortController()
  private readonly silenceMs: number
  private readonly caller: AbortSignal
  private readonly deadline: NodeJS.Timeout
  private silence: NodeJS.Timeout | undefined
  /** Why it barked. */
  failure: StageFailure | undefined

  /** Its signal is aborted by the caller's too. Linked by hand: on Node 20 `AbortSignal.any` can be collected. */
  constructor({ timeoutMs, silenceMs }: { timeoutMs: number; silenceMs: number }, caller: AbortSignal) {
    this.silenceMs = silenceMs
    this.caller = caller
    caller.addEventListener('abort', this.obey)
    if (caller.aborted) this.obey()
    const message = `The stage took longer than ${timeoutMs} ms`
    this.deadline = setTimeout(() => this.bark('STAGE_TIMEOUT', message), timeoutMs)
  }

  get signal(): AbortSignal {
    return this.abort.signal
  }

  /** A sign of life: counts the silence anew. */
  listen(): void {
    if (this.silence?.refresh()) return
    const message = `The stage service was silent for ${this.silenceMs} ms`
    this.silence = setTimeout(() => this.bark('STAGE_SILENT', message), this.silenceMs)
  }

  /** The answer is known. A connection closed now would read as a cancel, so the service may end it by itself. */
  letEnd(): void {
    clearTimeout(this.deadline)
    this.pause()
    this.silence = setTimeout(() => this.abort.abort(), ENDING_MS)
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

  private readonly obey = (): void => this.abort.abort(this.caller.reason)

  private bark(code: string, message: string): void {
    this.failure = new StageFailure(code, message, { retryable: true, ill: true })
    this.abort.abort(this.failure)
  }
}

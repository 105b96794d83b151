/** One running job: its lines so far, its callers and its end. */
import { setMaxListeners } from 'node:events'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import type { ProgressLine, ServiceLine, StageAnswer } from '../../contract/service.ts'
import { asFailure } from './errors.ts'
import type { Job } from './job.ts'

/** Lines kept for slow callers; older ones are dropped, because progress is a state, not a ledger. */
const MAX_LINES = 256

export class Run {
  readonly job: Job
  readonly signal: AbortSignal
  /** Resolves once the request is accepted (or already answered); rejects if it is refused. */
  readonly opened: Promise<void>
  readonly answer: Promise<StageAnswer>
  ended = false

  readonly #controller = new AbortController()
  readonly #callers = new Set<symbol>()
  readonly #waiting = new Set<() => void>()
  readonly #lines: ProgressLine[] = []
  #dropped = 0

  /** `open` checks the request and may answer at once from the store; `work` runs the stage. */
  constructor(
    job: Job,
    open: (run: Run) => Promise<StageAnswer | undefined>,
    work: (run: Run) => Promise<StageAnswer>,
  ) {
    this.job = job
    this.signal = this.#controller.signal
    // A stage may pass the signal to any number of requests at a time; Node would warn about eleven.
    setMaxListeners(0, this.signal)
    const opening = open(this)
    this.opened = opening.then(() => undefined)
    this.answer = opening
      .then((stored) => stored ?? work(this))
      .finally(() => {
        this.ended = true
        this.#wake()
      })
    // With no callers left nobody handles a rejection; each remaining caller gets it through its own await.
    for (const promise of [this.opened, this.answer]) promise.catch(() => undefined)
  }

  get stopping(): boolean {
    return this.signal.aborted
  }

  stop(reason: Error): void {
    this.#controller.abort(reason)
  }

  /** Adds a caller that waits for the answer. Calls `abandoned` if the last caller leaves before the answer. */
  join(abandoned: () => void): () => void {
    const caller = Symbol('caller')
    this.#callers.add(caller)
    return () => {
      if (this.#callers.delete(caller) && this.#callers.size === 0 && !this.ended) abandoned()
    }
  }

  /** Adds a line; progress never goes back. Then yields to the readers, or waits `paceMs`. */
  async progress(percent: number, message: string, paceMs: number): Promise<void> {
    this.signal.throwIfAborted()
    const before = this.#lines.at(-1)?.percent ?? 0
    this.#lines.push({ type: 'progress', percent: Math.min(100, Math.max(before, percent)), message })
    if (this.#lines.length > MAX_LINES) {
      this.#lines.shift()
      this.#dropped++
    }
    this.#wake()
    await (paceMs > 0 ? pause(paceMs, undefined, { signal: this.signal }) : turn())
    this.signal.throwIfAborted()
  }

  /** The lines for one caller: the newest and all that follow, heartbeats during silence, then the end. */
  async *lines(heartbeatMs: number, left: AbortSignal): AsyncGenerator<ServiceLine> {
    let next = this.#dropped + Math.max(0, this.#lines.length - 1)
    while (!left.aborted) {
      next = Math.max(next, this.#dropped)
      const line = this.#lines[next - this.#dropped]
      if (line) {
        next++
        yield line
      } else if (this.ended) {
        yield await this.#lastLine()
        return
      } else if ((await this.#news(heartbeatMs, left)) === 'quiet') {
        yield { type: 'heartbeat' }
      }
    }
  }

  async #lastLine(): Promise<ServiceLine> {
    try {
      return { type: 'result', ...(await this.answer) }
    } catch (error) {
      const { code, message, retryable } = asFailure(error)
      return { type: 'error', code, message, retryable }
    }
  }

  #wake(): void {
    for (const waiter of [...this.#waiting]) waiter()
  }

  #news(ms: number, left: AbortSignal): Promise<'news' | 'quiet'> {
    return new Promise((resolve) => {
      const end = (outcome: 'news' | 'quiet') => {
        clearTimeout(timer)
        left.removeEventListener('abort', news)
        this.#waiting.delete(news)
        resolve(outcome)
      }
      const news = () => end('news')
      const timer = setTimeout(() => end('quiet'), ms)
      left.addEventListener('abort', news, { once: true })
      this.#waiting.add(news)
    })
  }
}

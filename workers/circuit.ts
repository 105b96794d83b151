/**
 * The circuit to the service of one stage, in one process. It opens after a number of unhealthy answers in a row. While
 * it is open the service is not called. Then one job is let through as a probe, and its verdict closes or reopens it.
 */
export type CircuitState = 'closed' | 'open' | 'half-open'

/** What a call says about the health of the stage service; `none` if it was stopped too early to say. */
export type Verdict = 'well' | 'ill' | 'none'

/** Permission to start. Its verdict must be reported exactly once. */
export interface Passage {
  end(verdict: Verdict): void
}

export class Circuit {
  private current: CircuitState = 'closed'
  private failuresInARow = 0
  private probe: Passage | null = null
  private timer: NodeJS.Timeout | undefined
  private readonly failures: number
  private readonly resetMs: number
  private readonly changed: (state: CircuitState) => void

  constructor(failures: number, resetMs: number, changed: (state: CircuitState) => void) {
    this.failures = failures
    this.resetMs = resetMs
    this.changed = changed
  }

  get state(): CircuitState {
    return this.current
  }

  /** Whether work may start now. */
  get admits(): boolean {
    return this.current === 'closed' || (this.current === 'half-open' && this.probe === null)
  }

  /** Lets a job start, or returns null. */
  enter(): Passage | null {
    if (!this.admits) return null
    const passage: Passage = { end: (verdict) => this.judge(passage, verdict) }
    if (this.current === 'half-open') this.probe = passage
    return passage
  }

  /** A sign of life during a probe closes the circuit at once: the stage may still run for an hour. */
  alive(): void {
    if (this.current === 'half-open') this.become('closed')
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  private judge(passage: Passage, verdict: Verdict): void {
    const isProbe = this.probe === passage
    if (verdict === 'well') {
      this.failuresInARow = 0
      this.alive()
    } else if (verdict === 'ill') {
      this.failuresInARow += 1
      const isFull = this.failuresInARow >= this.failures
      if (this.current === 'half-open' || (this.current === 'closed' && isFull)) this.become('open')
    } else if (isProbe && this.current === 'half-open') {
      // A probe that was stopped before its verdict proves nothing.
      this.become('open')
    }
    if (isProbe) this.probe = null
  }

  private become(state: CircuitState): void {
    this.current = state
    this.probe = null
    if (state === 'closed') this.failuresInARow = 0
    if (state === 'open') {
      this.timer = setTimeout(() => this.become('half-open'), this.resetMs).unref()
    }
    this.changed(state)
  }
}

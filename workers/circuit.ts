/**
 * The circuit to the service of one stage, in one process. It opens after a number of ill answers in a row. While it is
 * open nothing is called; then one job is let through as a probe, and its verdict closes or opens it.
 */
export type CircuitState = 'closed' | 'open' | 'half-open'

/** What a piece of work tells about the stage service: nothing when it was stopped before it could. */
export type Verdict = 'well' | 'ill' | 'none'

/** A start that was allowed. Its verdict has to be told once. */
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

  /** Lets work start, or null. */
  enter(): Passage | null {
    if (!this.admits) return null
    const passage: Passage = { end: (verdict) => this.judge(passage, verdict) }
    if (this.current === 'half-open') this.probe = passage
    return passage
  }

  /** A sign of life while a probe is under way closes the circuit: a stage may take an hour, its verdict need not. */
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
      // A probe that was stopped before its verdict has proved nothing.
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

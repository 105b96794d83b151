/**
 * The circuit to the stage service, one for all jobs of a process. It opens after a number of ill answers in a row.
 * While it is open nothing is called; then one job is let through as a probe, and the others wait for its verdict.
 */
import { EventEmitter, once } from 'node:events'
import CircuitBreaker from 'opossum'

export type CircuitState = 'closed' | 'open' | 'half-open'

/** What a piece of work tells about the stage service: nothing when it was stopped before it could. */
export type Verdict = 'well' | 'ill' | 'none'

/** The job was not started: the circuit is open. */
export class CircuitOpen extends Error {
  override readonly name = 'CircuitOpen'
}

export class Circuit {
  /** `change` with the new state. */
  readonly events = new EventEmitter<{ change: [CircuitState] }>()
  private readonly breaker: CircuitBreaker<[() => Promise<unknown>]>
  private failuresInARow = 0

  constructor(failures: number, resetMs: number) {
    this.breaker = new CircuitBreaker((work: () => Promise<unknown>) => work(), {
      timeout: false,
      resetTimeout: resetMs,
      // Only an ill service is a failure; an error of our own says nothing about it.
      errorFilter: (error) => !(error instanceof Ill),
      // Opening by error rate is switched off: the rule is failures in a row.
      volumeThreshold: Number.MAX_SAFE_INTEGER,
      // Nobody reads its statistics.
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    })
    this.breaker.on('failure', () => {
      this.failuresInARow += 1
      if (this.failuresInARow >= failures && this.state === 'closed') this.breaker.open()
    })
    // opossum's own listener closes at whatever did not fail, also at work that never met the service.
    this.breaker.removeAllListeners('success')
    this.breaker.on('success', (outcome) => {
      if ((outcome as { verdict?: Verdict }).verdict !== 'well') return
      this.failuresInARow = 0
      this.alive()
    })
    this.breaker.on('open', () => this.events.emit('change', 'open'))
    this.breaker.on('halfOpen', () => this.events.emit('change', 'half-open'))
    this.breaker.on('close', () => {
      this.failuresInARow = 0
      this.events.emit('change', 'closed')
    })
    // Every job behind a probe is one.
    this.events.setMaxListeners(0)
  }

  get state(): CircuitState {
    return this.breaker.opened ? 'open' : this.breaker.halfOpen ? 'half-open' : 'closed'
  }

  /** Opens a closed circuit at once: there is no service to be met. */
  open(): void {
    if (this.state === 'closed') this.breaker.open()
  }

  /** A sign of life while a probe is under way closes the circuit: a stage may take an hour, its verdict need not. */
  alive(): void {
    if (this.breaker.halfOpen) this.breaker.close()
  }

  /** Runs `work` unless the circuit is open; behind a probe it waits for the verdict. Throws `CircuitOpen`. */
  async run<T extends { verdict: Verdict }>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      const probing = this.breaker.halfOpen && this.breaker.pendingClose
      try {
        return (await this.breaker.fire(() => failIfIll(work))) as T
      } catch (error) {
        if (error instanceof Ill) return error.outcome as T
        if ((error as { code?: string }).code !== 'EOPENBREAKER') throw error
        if (this.state === 'open') throw new CircuitOpen('the circuit to the stage service is open')
        // It may have changed since the refusal.
        if (this.breaker.halfOpen && !this.breaker.pendingClose) await once(this.events, 'change', { signal })
      } finally {
        // A probe that was stopped before its verdict has proved nothing.
        if (probing && this.breaker.halfOpen) this.breaker.open()
      }
    }
  }

  stop(): void {
    this.breaker.shutdown()
  }
}

/** How a circuit breaker, which knows results and errors only, is told that a result is bad news. */
class Ill extends Error {
  readonly outcome: { verdict: Verdict }
  constructor(outcome: { verdict: Verdict }) {
    super('the stage service is ill')
    this.outcome = outcome
  }
}

async function failIfIll<T extends { verdict: Verdict }>(work: () => Promise<T>): Promise<T> {
  const outcome = await work()
  if (outcome.verdict === 'ill') throw new Ill(outcome)
  return outcome
}

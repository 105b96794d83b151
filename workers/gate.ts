/**
 * Decides whether jobs of one stage may start in this process, by its circuit and its number of running jobs. A job that
 * may not start takes no slot: it is delayed, and joins the stage's line. A worker that may start a job calls back the first
 * of the line, so a new user's job does not wait for all delayed ones.
 */
import { Circuit, type CircuitState, type Passage, type Verdict } from './circuit.ts'
import type { Line } from './line.ts'

export interface GateOptions {
  /** Jobs that may run side by side; 0 for a stage that this worker does not serve. */
  places: number
  breakerFailures: number
  breakerResetMs: number
  line: Line
  /** Returns a delayed job to waiting; false if it is no longer delayed. */
  callBack(jobId: string): Promise<boolean>
  onCircuit(state: CircuitState): void
}

/** Longest and shortest delay of a job, in ms. It doubles each time the job comes back too early. */
const LONGEST_MS = 10_000
const SHORTEST_MS = 500
/** Delayed jobs come back this many ms apart. */
const SPREAD_MS = 10
/** How long a place is kept for a job that was called back, in ms: another process may have taken the job. */
const KEPT_MS = 100
/** How often to ask whether the line still is empty, when a job has ended, in ms. */
const ASK_MS = 1000
/** How often a job of an unknown stage is offered to the other workers at most, in ms. */
const OFFER_MS = 1000

export class Gate {
  readonly circuit: Circuit
  private running = 0
  /** Jobs of this process that joined the line and were not called back yet, roughly: others call them, too. */
  private behind = 0
  /** Whether the line may hold a job: other workers add to it, too. */
  private mayHoldJobs = true
  private askedAt = Number.NEGATIVE_INFINITY
  /** Jobs that were called back and have not arrived, and until when a place is kept for each. */
  private readonly called = new Map<string, number>()
  /** The question to the line that is under way. */
  private asking: Promise<string | null> | null = null
  private timer: NodeJS.Timeout | undefined
  private offeredAt = Number.NEGATIVE_INFINITY
  private readonly options: GateOptions

  constructor(options: GateOptions) {
    this.options = options
    this.circuit = new Circuit(options.breakerFailures, options.breakerResetMs, (state) => {
      options.onCircuit(state)
      void this.callNext()
    })
    void this.callNext()
  }

  /**
   * Lets a job start, or returns null: then delay it. A job that was not called back starts only if the line is empty, as far
   * as this process knows. `timesDelayed`: how often it was delayed before; then there may be a line.
   */
  async enter(jobId: string, timesDelayed: number): Promise<Passage | null> {
    if (timesDelayed > 0 && !this.called.has(jobId)) {
      this.mayHoldJobs = true
      void this.callNext()
    }
    await this.asking
    const passage = this.admit(jobId)
    if (!passage) this.mayHoldJobs = true
    return passage
  }

  private admit(jobId: string): Passage | null {
    const isCalled = this.called.delete(jobId)
    if (!isCalled && this.mayHoldJobs) return null
    const taken = this.running + (isCalled ? 0 : this.kept)
    const passage = taken < this.options.places ? this.circuit.enter() : null
    if (!passage) return null
    this.running += 1
    return {
      end: (verdict: Verdict) => {
        this.running -= 1
        passage.end(verdict)
        if (performance.now() - this.askedAt > ASK_MS) this.mayHoldJobs = true
        void this.callNext()
      },
    }
  }

  /**
   * How long to delay a job that may not start, in ms; 0 offers it to the other workers at once. Workers wake together when
   * a delay ends, in an order that can stay the same for minutes: without an offer, a worker that does not know a stage
   * could take its jobs every time before a worker that does.
   */
  delayMs(timesDelayed: number): number {
    const spread = this.behind * SPREAD_MS
    if (this.options.places > 0) return Math.min(LONGEST_MS, SHORTEST_MS * 2 ** timesDelayed + spread)
    const now = performance.now()
    if (timesDelayed === 0 || now - this.offeredAt < OFFER_MS)
      return Math.min(LONGEST_MS, SHORTEST_MS + spread)
    this.offeredAt = now
    return 0
  }

  /** Puts a job into the line once it is delayed. What it waits for may have happened meanwhile. */
  async join(jobId: string, priority: number): Promise<void> {
    if (this.options.places === 0) return
    this.behind += 1
    await this.options.line.add(jobId, priority)
    this.mayHoldJobs = true
    await this.callNext()
  }

  stop(): void {
    this.circuit.stop()
    clearTimeout(this.timer)
    this.mayHoldJobs = false
  }

  private get free(): number {
    const { circuit, running } = this
    if (!circuit.admits) return 0
    return (circuit.state === 'half-open' ? 1 : this.options.places - running) - this.kept
  }

  /** Places kept for jobs that were called back. */
  private get kept(): number {
    const now = performance.now()
    let kept = 0
    for (const [jobId, until] of this.called) {
      if (until > now) kept += 1
      else if (until + LONGEST_MS < now) this.called.delete(jobId)
    }
    return kept
  }

  /** Calls back as many jobs as may start, one after the other. */
  private async callNext(): Promise<void> {
    if (this.asking) return
    clearTimeout(this.timer)
    while (this.mayHoldJobs && this.free > 0) {
      // A job may join meanwhile.
      this.mayHoldJobs = false
      this.askedAt = performance.now()
      this.asking = this.options.line.takeFirst().catch(() => null)
      const jobId = await this.asking
      this.asking = null
      if (jobId === null) continue
      this.mayHoldJobs = true
      this.behind = Math.max(0, this.behind - 1)
      this.called.set(jobId, performance.now() + KEPT_MS)
      if (!(await this.options.callBack(jobId).catch(() => false))) this.called.delete(jobId)
    }
    if (this.mayHoldJobs && this.called.size > 0)
      this.timer = setTimeout(() => void this.callNext(), KEPT_MS + 1).unref()
  }
}

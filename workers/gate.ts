/**
 * Decides whether jobs of one stage may start in this process, by its circuit and its number of running jobs. A job that
 * may not start takes no slot: it is delayed, and called back as soon as it may start. Jobs are called back by priority, as
 * the queue would start them, so a new user's job does not wait for all delayed ones.
 */
import { Circuit, type CircuitState, type Passage, type Verdict } from './circuit.ts'
import type { Front } from './front.ts'

export interface GateOptions {
  /** Jobs that may run side by side; 0 for a stage that this worker does not serve. */
  places: number
  breakerFailures: number
  breakerResetMs: number
  /** Returns a delayed job to waiting; false if it is no longer delayed. */
  callBack(jobId: string): Promise<boolean>
  /** Reports the first of the delayed jobs, when it changes and when it was delayed again. */
  onFront(front: Front | null): void
  onCircuit(state: CircuitState): void
}

/** Longest and shortest delay of a job, in ms. It doubles each time the job comes back too early. */
const LONGEST_MS = 10_000
const SHORTEST_MS = 500
/** Delayed jobs come back this many ms apart. */
const SPREAD_MS = 10
/** How long a place is kept for a job that was called back, in ms: another process may have taken the job. */
const KEPT_MS = 100
/** How often a job of an unknown stage is offered to the other workers at most, in ms. */
const OFFER_MS = 1000
/** Delayed jobs to remember, by priority; the rest come back when their delay ends. */
export const MOST_REMEMBERED = 10_000

export class Gate {
  readonly circuit: Circuit
  private running = 0
  /** Delayed jobs in the order of their first arrival. */
  private readonly line = new Map<string, Delayed>()
  /** The first job of the line. */
  private front: string | undefined
  /** Jobs that were called back and have not arrived, and until when a place is kept for each. */
  private readonly called = new Map<string, number>()
  private calling = false
  private timer: NodeJS.Timeout | undefined
  private offeredAt = Number.NEGATIVE_INFINITY
  private readonly options: GateOptions

  constructor(options: GateOptions) {
    this.options = options
    this.circuit = new Circuit(options.breakerFailures, options.breakerResetMs, (state) => {
      options.onCircuit(state)
      void this.callNext()
    })
  }

  /** Lets a job start, or returns null: then delay it. */
  enter(jobId: string): Passage | null {
    const isCalled = this.called.delete(jobId)
    const taken = this.running + (isCalled ? 0 : this.kept)
    const passage = taken < this.options.places ? this.circuit.enter() : null
    if (!passage) return null
    this.forget(jobId)
    this.running += 1
    return {
      end: (verdict: Verdict) => {
        this.running -= 1
        passage.end(verdict)
        void this.callNext()
      },
    }
  }

  /**
   * How long to delay a job that may not start, in ms; 0 offers it to the other workers at once. Workers wake together when
   * a delay ends, in an order that can stay the same for minutes: without an offer, a worker that does not know a stage
   * could take its jobs every time before a worker that does.
   */
  delayMs(jobId: string): number {
    const times = this.line.get(jobId)?.times ?? 0
    const spread = this.line.size * SPREAD_MS
    if (this.options.places > 0) return Math.min(LONGEST_MS, SHORTEST_MS * 2 ** times + spread)
    const now = performance.now()
    if (times === 0 || now - this.offeredAt < OFFER_MS) return Math.min(LONGEST_MS, SHORTEST_MS + spread)
    this.offeredAt = now
    return 0
  }

  /** Remembers a job once it is delayed. If it may start by now, it is called back at once. */
  remember(jobId: string, priority: number): void {
    const times = (this.line.get(jobId)?.times ?? 0) + 1
    this.line.set(jobId, { priority, times })
    const front = this.front === undefined ? undefined : this.line.get(this.front)
    if (!front || priority < front.priority || jobId === this.front) this.moveFront(jobId)
    if (this.line.size > MOST_REMEMBERED) this.forget(this.first((a, b) => a > b) as string)
    void this.callNext()
  }

  stop(): void {
    this.circuit.stop()
    clearTimeout(this.timer)
    this.line.clear()
    this.called.clear()
  }

  private get free(): number {
    const { circuit, running } = this
    if (!circuit.admits) return 0
    return (circuit.state === 'half-open' ? 1 : this.options.places - running) - this.kept
  }

  /** Places kept for jobs that were called back. One that comes too late to find its place kept still counts as called. */
  private get kept(): number {
    const now = performance.now()
    let kept = 0
    for (const [jobId, until] of this.called) {
      if (until > now) kept += 1
      else if (until + LONGEST_MS < now) this.called.delete(jobId)
    }
    return kept
  }

  private forget(jobId: string): void {
    this.line.delete(jobId)
    if (jobId === this.front) this.moveFront(this.first((a, b) => a < b))
  }

  private moveFront(jobId: string | undefined): void {
    this.front = jobId
    const job = jobId === undefined ? undefined : this.line.get(jobId)
    this.options.onFront(jobId !== undefined && job ? { jobId, priority: job.priority } : null)
  }

  /** The delayed job whose priority comes before those of the others; of equal ones the first to arrive. */
  private first(isBefore: (a: number, b: number) => boolean): string | undefined {
    let found: [jobId: string, priority: number] | undefined
    for (const [jobId, { priority }] of this.line)
      if (!found || isBefore(priority, found[1])) found = [jobId, priority]
    return found?.[0]
  }

  /** Calls back as many jobs as may start, one after the other. */
  private async callNext(): Promise<void> {
    if (this.calling) return
    this.calling = true
    clearTimeout(this.timer)
    while (this.free > 0) {
      const jobId = this.front
      if (jobId === undefined) break
      this.forget(jobId)
      this.called.set(jobId, performance.now() + KEPT_MS)
      if (!(await this.options.callBack(jobId).catch(() => false))) this.called.delete(jobId)
    }
    this.calling = false
    if (this.line.size > 0 && this.kept > 0)
      this.timer = setTimeout(() => void this.callNext(), KEPT_MS + 1).unref()
  }
}

interface Delayed {
  /** BullMQ's priority; the lowest comes first. */
  priority: number
  /** How often it was delayed. */
  times: number
}

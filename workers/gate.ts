/**
 * Decides whether jobs of one stage may start in this process, by its circuit and by how many run. A job that may not
 * start takes no slot: it is delayed, and called back as soon as it may.
 */
import { Circuit, type CircuitState, type Passage, type Verdict } from './circuit.ts'

export interface GateOptions {
  /** Jobs that may run side by side; 0 for a stage that this worker does not serve. */
  places: number
  breakerFailures: number
  breakerResetMs: number
  /** Returns a delayed job to waiting; false if it is no longer delayed. */
  callBack(jobId: string): Promise<boolean>
  onCircuit(state: CircuitState): void
}

/** Longest and shortest delay of a job, in ms. It doubles each time the job comes back too early. */
const LONGEST_MS = 10_000
const SHORTEST_MS = 500
/** Delayed jobs come back this many ms apart. */
const SPREAD_MS = 10
/** How long to wait before calling the next job, in ms, because another process may take the one called back. */
const AGAIN_MS = 100
/** How often a job of an unknown stage is offered to the other workers at most, in ms. */
const OFFER_MS = 1000
/** Delayed jobs to remember; the rest come back when their delay ends. */
const MOST_REMEMBERED = 10_000

export class Gate {
  readonly circuit: Circuit
  private running = 0
  /** Delayed jobs in the order of their first arrival, and how often each was delayed. */
  private readonly line = new Map<string, number>()
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
    const passage = this.running < this.options.places ? this.circuit.enter() : null
    if (!passage) return null
    this.line.delete(jobId)
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
    const times = this.line.get(jobId) ?? 0
    const spread = this.line.size * SPREAD_MS
    if (this.options.places > 0) return Math.min(LONGEST_MS, SHORTEST_MS * 2 ** times + spread)
    const now = performance.now()
    if (times === 0 || now - this.offeredAt < OFFER_MS) return Math.min(LONGEST_MS, SHORTEST_MS + spread)
    this.offeredAt = now
    return 0
  }

  /** Remembers a job once it is delayed. What it waits for may have happened meanwhile. */
  remember(jobId: string): void {
    const times = this.line.get(jobId) ?? 0
    if (times > 0 || this.line.size < MOST_REMEMBERED) this.line.set(jobId, times + 1)
    void this.callNext()
  }

  stop(): void {
    this.circuit.stop()
    clearTimeout(this.timer)
    this.line.clear()
  }

  private get free(): number {
    const { circuit, running } = this
    if (!circuit.admits) return 0
    return circuit.state === 'half-open' ? 1 : this.options.places - running
  }

  /** Calls back as many jobs as may start, one after the other. */
  private async callNext(): Promise<void> {
    if (this.calling) return
    this.calling = true
    clearTimeout(this.timer)
    let called = 0
    while (called < this.free) {
      const [jobId] = this.line.keys()
      if (jobId === undefined) break
      this.line.delete(jobId)
      if (await this.options.callBack(jobId).catch(() => false)) called += 1
    }
    this.calling = false
    if (this.line.size > 0 && this.free > 0) {
      this.timer = setTimeout(() => void this.callNext(), AGAIN_MS).unref()
    }
  }
}

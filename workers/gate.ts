/**
 * Whether jobs of one stage may start in this process: its circuit, and how many run. A job that may not start now holds
 * no slot: it is delayed, and called back as soon as it may.
 */
import { Circuit, type CircuitState, type Passage, type Verdict } from './circuit.ts'

export interface GateOptions {
  /** Jobs that may run side by side; 0 for a stage that this worker does not know. */
  places: number
  breakerFailures: number
  breakerResetMs: number
  /** Makes a delayed job wait again; false when it is not delayed any more. */
  callBack(jobId: string): Promise<boolean>
  onCircuit(state: CircuitState): void
}

/** Longest and shortest time that a job is delayed at a time, in ms: twice as long each time that it comes in vain. */
const LONGEST_MS = 10_000
const SHORTEST_MS = 500
/** Bounds how often jobs that wait here come back by themselves: each so many ms. */
const SPREAD_MS = 10
/** A job that was called back may be taken by another process: then the next one is called after this time. */
const AGAIN_MS = 100
/** How often at most a job of an unknown stage is offered to the other workers, in ms. */
const OFFER_MS = 1000
/** Jobs remembered as put off; more come back by themselves. */
const MOST_REMEMBERED = 10_000

export class Gate {
  readonly circuit: Circuit
  private running = 0
  /** Jobs that were put off, in the order in which they came first, and how often each was. */
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

  /** Lets a job start, or null: then it is put off. */
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
   * For how long to delay a job that may not start, in ms; 0 offers it to the other workers at once. Workers wake
   * together when a delay ends, in an order that can stay the same for minutes: without an offer, a worker that does
   * not know a stage could take its jobs every time from those that do.
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

  /** Remembers a job that is delayed by now. What it waits for may have come meanwhile. */
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

  /** Calls back as many as may start, one after the other, until they have come. */
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

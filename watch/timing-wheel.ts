/** One timer for any number of items. Each is called at least every `periodMs`. */
const SLOTS = 256
/** Shorter steps would gain nothing, because timers are not more precise. */
const MIN_STEP_MS = 10
/** Share of the period to use, because timers fire late. */
const PUNCTUALITY = 0.8

export class TimingWheel<T> {
  /** Maximum lateness of a call in ms, unless the event loop is blocked. */
  readonly stepMs: number
  private readonly longestMs: number
  private readonly slots: Set<T>[] = Array.from({ length: SLOTS }, () => new Set())
  private readonly slotOf = new Map<T, number>()
  private readonly timer: NodeJS.Timeout
  private readonly call: (item: T) => number
  private readonly now: () => number
  private readonly startedAt: number
  /** Number of steps so far. */
  private turns = 0

  /**
   * `call` is called with an item when it is due and returns the delay until the next call, in ms. `now` is a monotonic
   * clock in ms.
   */
  constructor(periodMs: number, call: (item: T) => number, now = () => performance.now()) {
    this.call = call
    this.now = now
    this.startedAt = now()
    this.longestMs = periodMs * PUNCTUALITY
    this.stepMs = Math.max(MIN_STEP_MS, Math.ceil(this.longestMs / (SLOTS - 1)))
    this.timer = setInterval(() => this.catchUp(), this.stepMs)
    this.timer.unref()
  }

  /** The first call comes at a random time within `waitMs` and the period, so that items added together spread out. */
  add(item: T, waitMs: number): void {
    const phase = this.stepMs + Math.random() * (this.longestMs - this.stepMs)
    this.place(item, Math.min(waitMs, phase))
  }

  delete(item: T): void {
    const slot = this.slotOf.get(item)
    if (slot !== undefined) this.slots[slot]?.delete(item)
    this.slotOf.delete(item)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  /** Runs the slots that are due by the clock, because timers fire late. After a long pause each slot runs once. */
  private catchUp(): void {
    const due = Math.floor((this.now() - this.startedAt) / this.stepMs)
    const items: T[] = []
    for (let turn = Math.max(this.turns, due - SLOTS) + 1; turn <= due; turn += 1)
      items.push(...(this.slots[turn % SLOTS] as Set<T>))
    this.turns = due
    for (const item of items) {
      // A call may have deleted this item.
      if (!this.slotOf.has(item)) continue
      const wait = this.call(item)
      if (!this.slotOf.has(item)) continue
      this.delete(item)
      this.place(item, wait)
    }
  }

  private place(item: T, waitMs: number): void {
    const steps = Math.max(1, Math.floor(Math.min(waitMs, this.longestMs) / this.stepMs))
    const slot = (this.turns + steps) % SLOTS
    this.slots[slot]?.add(item)
    this.slotOf.set(item, slot)
  }
}

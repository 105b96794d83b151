/** One timer for any number of items that each want to be called now and then, at the latest every `periodMs`. */
const SLOTS = 256
/** Shorter steps would be as inexact as the timer itself. */
const MIN_STEP_MS = 10
/** The part of the period that is used: timers come late. */
const PUNCTUALITY = 0.8

export class TimingWheel<T> {
  /** How late a call may be at the most, in ms. */
  readonly stepMs: number
  private readonly longestMs: number
  private readonly slots: Set<T>[] = Array.from({ length: SLOTS }, () => new Set())
  private readonly slotOf = new Map<T, number>()
  private readonly timer: NodeJS.Timeout
  private readonly call: (item: T) => number
  private position = 0

  /** `call` gets an item when its turn has come and returns in how many ms it wants the next one at the latest. */
  constructor(periodMs: number, call: (item: T) => number) {
    this.call = call
    this.longestMs = periodMs * PUNCTUALITY
    this.stepMs = Math.max(MIN_STEP_MS, Math.ceil(this.longestMs / (SLOTS - 1)))
    this.timer = setInterval(() => this.turn(), this.stepMs)
    this.timer.unref()
  }

  /** The first call comes within `waitMs` and the period, at random: what is added together is spread out. */
  add(item: T, waitMs: number): void {
    this.place(item, Math.min(waitMs, Math.random() * this.longestMs))
  }

  delete(item: T): void {
    const slot = this.slotOf.get(item)
    if (slot !== undefined) this.slots[slot]?.delete(item)
    this.slotOf.delete(item)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private turn(): void {
    this.position = (this.position + 1) % SLOTS
    // No wait is so long that an item comes back into this very slot.
    for (const item of this.slots[this.position] as Set<T>) {
      const wait = this.call(item)
      // The call may have deleted it.
      if (!this.slotOf.has(item)) continue
      this.delete(item)
      this.place(item, wait)
    }
  }

  private place(item: T, waitMs: number): void {
    const steps = Math.max(1, Math.floor(Math.min(waitMs, this.longestMs) / this.stepMs))
    const slot = (this.position + steps) % SLOTS
    this.slots[slot]?.add(item)
    this.slotOf.set(item, slot)
  }
}

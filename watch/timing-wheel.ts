/** One timer for any number of items that each want to be called now and then, at the latest every `periodMs`. */
const SLOTS = 256
/** Shorter steps would be as inexact as the timer itself. */
const MIN_STEP_MS = 10
/** The part of the period that is used: timers come late. */
const PUNCTUALITY = 0.8

export class TimingWheel<T> {
  /** How late a call may be at the most, in ms, as long as nothing holds up the event loop. */
  readonly stepMs: number
  private readonly longestMs: number
  private readonly slots: Set<T>[] = Array.from({ length: SLOTS }, () => new Set())
  private readonly slotOf = new Map<T, number>()
  private readonly timer: NodeJS.Timeout
  private readonly call: (item: T) => number
  private readonly now: () => number
  private readonly startedAt: number
  /** Turns so far; the slots come round. */
  private turns = 0

  /**
   * `call` gets an item when its turn has come and returns in how many ms it wants the next one at the latest. `now` is
   * a clock in ms that nobody sets.
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

  /** The first call comes within `waitMs` and the period, at random: what is added together is spread out. */
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

  /** By the clock: timers come late, and what is missed is made up for. After a long halt each slot has one turn. */
  private catchUp(): void {
    const due = Math.floor((this.now() - this.startedAt) / this.stepMs)
    const items: T[] = []
    for (let turn = Math.max(this.turns, due - SLOTS) + 1; turn <= due; turn += 1)
      items.push(...(this.slots[turn % SLOTS] as Set<T>))
    this.turns = due
    for (const item of items) {
      // Another's call may have deleted it, and so may its own.
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

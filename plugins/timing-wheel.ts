/** One timer for any number of items that each want to be called now and then, at the latest every `periodMs`. */
const SLOTS = 32

export class TimingWheel<T> {
  private readonly slots: Set<T>[] = Array.from({ length: SLOTS }, () => new Set())
  private readonly slotOf = new Map<T, number>()
  private readonly timer: NodeJS.Timeout
  private readonly tickMs: number
  private readonly call: (item: T) => number
  private position = 0

  /** `call` gets an item when its turn has come and returns in how many ms it wants the next one at the latest. */
  constructor(periodMs: number, call: (item: T) => number) {
    this.call = call
    // A slot short of a full turn, so that a late timer does not exceed the period.
    this.tickMs = Math.max(5, Math.floor((periodMs * 0.9) / (SLOTS - 1)))
    this.timer = setInterval(() => this.turn(), this.tickMs)
    this.timer.unref()
  }

  /** The first call comes soon, to learn when the item wants its next. */
  add(item: T): void {
    this.place(item, this.tickMs)
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
    const due = this.slots[this.position] as Set<T>
    this.slots[this.position] = new Set()
    for (const item of due) {
      const wait = this.call(item)
      // The call may have deleted it.
      if (this.slotOf.has(item)) this.place(item, wait)
    }
  }

  private place(item: T, waitMs: number): void {
    const turns = Math.min(SLOTS - 1, Math.max(1, Math.floor(waitMs / this.tickMs)))
    const slot = (this.position + turns) % SLOTS
    this.slots[slot]?.add(item)
    this.slotOf.set(item, slot)
  }
}

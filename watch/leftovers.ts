/** Keeps unused items for a while, in case they are needed again. */
export interface LeftoversOptions<T> {
  /** How long to keep an item, in ms; at most a fifth longer. */
  keptMs: number
  /** Maximum number of items. */
  most: number
  /** Called when an item expires. */
  letGo(item: T): void
}

export class Leftovers<T> {
  private readonly options: LeftoversOptions<T>
  /** When each item was added, by `performance.now()`, in that order. */
  private readonly since = new Map<T, number>()
  private readonly timer: NodeJS.Timeout

  constructor(options: LeftoversOptions<T>) {
    this.options = options
    this.timer = setInterval(() => this.expire(), options.keptMs / 5)
    this.timer.unref()
  }

  get size(): number {
    return this.since.size
  }

  has(item: T): boolean {
    return this.since.has(item)
  }

  /** Returns false if the maximum number of items is reached. */
  add(item: T): boolean {
    if (this.since.size >= this.options.most) return false
    this.since.set(item, performance.now())
    return true
  }

  delete(item: T): void {
    this.since.delete(item)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private expire(): void {
    const before = performance.now() - this.options.keptMs
    for (const [item, since] of this.since) {
      if (since > before) return
      this.since.delete(item)
      this.options.letGo(item)
    }
  }
}

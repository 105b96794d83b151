/**
 * Judges a connection by the age of its events. Bytes alone prove nothing: a proxy that buffers in blocks of 4 KB lets
 * heartbeats through too, with events many seconds late.
 */

/** Events arrived late, so something on the way buffers them. */
export class Late extends Error {}

export class Freshness {
  private readonly openedAt: number
  private readonly limitMs: number
  /** The shortest time seen between an event's `at` and its arrival: clock difference plus travel time. */
  private offset = Number.POSITIVE_INFINITY
  private arrivedAt = 0
  private waited = false
  /** `at` of the events in the last chunk. */
  private times: number[] = []

  constructor(openedAt: number, limitMs: number) {
    this.openedAt = openedAt
    this.limitMs = limitMs
  }

  /** Call when a chunk arrives. `waited`: whether the client was already waiting, so that the network caused any delay. */
  arrived(now: number, waited: boolean): void {
    this.arrivedAt = now
    this.waited = waited
    this.times = []
  }

  /** Adds an event of the last chunk. */
  add(at: number): void {
    this.times.push(at)
    if (this.waited) this.offset = Math.min(this.offset, this.arrivedAt - at)
  }

  /** The verdict on the last chunk; null if all its events happened before the connection existed. */
  judge(): 'live' | 'late' | null {
    if (!this.waited) return null
    const due = this.times.map((at) => at + this.offset).filter((time) => time > this.openedAt)
    if (due.length === 0) return null
    return this.arrivedAt - Math.min(...due) > this.limitMs ? 'late' : 'live'
  }
}

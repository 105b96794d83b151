/**
 * Judges a connection by the age of its events. Bytes prove nothing: a proxy that passes a stream on in blocks of 4 KB
 * lets heartbeats through as well, and events many seconds late.
 */

/** Events came late: something on the way collects them. */
export class Late extends Error {}

export class Freshness {
  private readonly openedAt: number
  private readonly limitMs: number
  /** The least time between an event's `at` and its arrival: the difference of the clocks, and the way. */
  private offset = Number.POSITIVE_INFINITY
  private arrivedAt = 0
  private waited = false
  /** `at` of the events in the last piece. */
  private times: number[] = []

  constructor(openedAt: number, limitMs: number) {
    this.openedAt = openedAt
    this.limitMs = limitMs
  }

  /** A piece is here; `waited` tells whether it was asked for before, so that it is as old as the way made it. */
  arrived(now: number, waited: boolean): void {
    this.arrivedAt = now
    this.waited = waited
    this.times = []
  }

  /** An event of the last piece. */
  add(at: number): void {
    this.times.push(at)
    if (this.waited) this.offset = Math.min(this.offset, this.arrivedAt - at)
  }

  /** The verdict on the last piece: null when it held nothing but what happened before the connection was there. */
  judge(): 'live' | 'late' | null {
    if (!this.waited) return null
    const due = this.times.map((at) => at + this.offset).filter((time) => time > this.openedAt)
    if (due.length === 0) return null
    return this.arrivedAt - Math.min(...due) > this.limitMs ? 'late' : 'live'
  }
}

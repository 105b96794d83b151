/** A histogram of durations, and its values in Prometheus form. */
import type { MetricValueWithName } from 'prom-client'
import type { Histogram } from '../journal/tally.ts'

/** Counts durations. prom-client's own histogram would look up its labels on every observation. */
export class Durations implements Histogram {
  readonly counts: number[]
  sumMs = 0
  private readonly boundsMs: readonly number[]

  /** `boundsMs`: upper bounds of the buckets, ascending. */
  constructor(boundsMs: readonly number[]) {
    this.boundsMs = boundsMs
    this.counts = Array(boundsMs.length + 1).fill(0)
  }

  observe(ms: number): void {
    const { boundsMs, counts } = this
    let bucket = 0
    while (bucket < boundsMs.length && ms > (boundsMs[bucket] as number)) bucket += 1
    counts[bucket] = (counts[bucket] as number) + 1
    this.sumMs += ms
  }
}

/** Cumulative buckets in seconds; empty if nothing was counted yet. */
export function histogramValues(
  name: string,
  boundsMs: readonly number[],
  { counts, sumMs }: Histogram,
  labels: Record<string, string> = {},
): MetricValueWithName<string>[] {
  let total = 0
  const lines = counts.map((count, i): MetricValueWithName<string> => {
    total += count
    const bound = boundsMs[i]
    const le = bound === undefined ? '+Inf' : String(bound / 1000)
    return { metricName: `${name}_bucket`, value: total, labels: { ...labels, le } }
  })
  if (total === 0) return []
  return [
    ...lines,
    { metricName: `${name}_sum`, value: sumMs / 1000, labels },
    { metricName: `${name}_count`, value: total, labels },
  ]
}

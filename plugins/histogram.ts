/** Durations counted by bucket, and how Prometheus wants to read them. */
import type { MetricValueWithName } from 'prom-client'
import type { Histogram } from '../journal/tally.ts'

/** Counts durations. prom-client's own histogram would look up its labels for each of them. */
export class Durations implements Histogram {
  readonly counts: number[]
  sumMs = 0
  private readonly boundsMs: readonly number[]

  /** `boundsMs`: the upper ends of the buckets, rising. */
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

/** Cumulative, in seconds; nothing for what has not happened yet. */
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

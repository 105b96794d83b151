/** Converts a histogram of the journal to Prometheus's form. */
import type { MetricValueWithName } from 'prom-client'
import type { Histogram } from '../journal/tally.ts'

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

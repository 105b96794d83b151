/** Medians, quantiles and their spread. */

export interface Summary {
  median: number
  min: number
  max: number
}

export function summarise(values: readonly number[]): Summary {
  if (values.length === 0) return { median: Number.NaN, min: Number.NaN, max: Number.NaN }
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) }
}

/** Nearest rank; `values` in any order. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length % 2 === 0 && share === 0.5) {
    const half = sorted.length / 2
    return ((sorted[half - 1] as number) + (sorted[half] as number)) / 2
  }
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

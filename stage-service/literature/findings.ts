/** What the steps before the report have found. */
import type { LiteratureInputs } from '../../stages/literature.ts'
import type { Ranked } from './rank.ts'
import type { Excluded } from './screen.ts'
import type { Paper, Query, Source } from './source.ts'

export interface Findings {
  query: Query
  inputs: LiteratureInputs
  sources: readonly Source[]
  /** Records the sources looked through. */
  read: number
  /** Records that match the question. */
  identified: readonly Paper[]
  included: readonly Ranked[]
  excluded: readonly Excluded[]
}

/** How often each value occurs, the most frequent first, then by name. */
export function countBy(values: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)))
}

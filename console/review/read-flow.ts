/** The numbers of a PRISMA flow, from whatever a review says about them. */
import { counts, type Data, data, number, plain } from './read.ts'

export interface FlowNumbers {
  identified: number
  /** How many records each source gave; empty where it is not told. */
  bySource: [string, number][]
  duplicates: number
  screened: number
  excluded: number
  /** Reasons, as people write them. */
  byReason: [string, number][]
  uncertain: number
  included: number
}

/** Null when the review tells too little for a flow. */
export function readFlow(review: Data): FlowNumbers | null {
  const said: Data = { ...data(review.counts), ...data(review.prisma) }
  const first = (...names: string[]) =>
    names.map((name) => number(said[name])).find((one) => one !== null) ?? null
  const bySource = counts(said.identified_by_source ?? said.by_source ?? said.identified)
  const summed = bySource.reduce((sum, [, count]) => sum + count, 0)
  const identified = first('identified', 'records_identified') ?? (bySource.length > 0 ? summed : null)
  const included = first('included', 'studies_included')
  if (identified === null || included === null) return null
  const byReason = counts(said.excluded_by_reason ?? said.reasons ?? said.exclusion_reasons)
  const excluded =
    first('excluded', 'records_excluded') ?? byReason.reduce((sum, [, count]) => sum + count, 0)
  const duplicates = first('duplicates', 'duplicates_removed') ?? 0
  return {
    identified,
    bySource,
    duplicates,
    screened: first('screened', 'records_screened') ?? identified - duplicates,
    excluded,
    byReason: byReason.map(([name, count]) => [plain(name), count]),
    uncertain: first('uncertain') ?? 0,
    included,
  }
}

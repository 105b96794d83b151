/** The numbers of a PRISMA flow, from what a review (and the file prisma.json beside it) says about them. */
import { counts, type Data, data, number, plain } from './read.ts'

export interface FlowNumbers {
  identified: number
  /** How many records each source gave; empty where it is not told. */
  bySource: [string, number][]
  /** What was taken out before screening, by reason. */
  removed: [string, number][]
  screened: number
  excluded: number
  excludedBy: [string, number][]
  uncertain: number
  uncertainBy: [string, number][]
  included: number
}

/** Null when the review tells too little for a flow. */
export function readFlow(review: Data, prisma: Data): FlowNumbers | null {
  const told = data(review.counts)
  const identified = number(told.identified)
  const included = number(told.included)
  if (identified === null || included === null) return null
  const removed = [
    ['duplicates', number(told.duplicates) ?? 0],
    ['without a title', number(told.unusable) ?? 0],
  ] satisfies [string, number][]
  const lost = removed.reduce((sum, [, count]) => sum + count, 0)
  return {
    identified,
    bySource: counts(data(prisma.identification).by_source),
    removed: removed.filter(([, count]) => count > 0),
    screened: number(told.screened) ?? identified - lost,
    excluded: number(told.excluded) ?? 0,
    excludedBy: named(told.excluded_by_rule),
    uncertain: number(told.uncertain) ?? 0,
    uncertainBy: named(told.uncertain_by_rule),
    included,
  }
}

function named(value: unknown): [string, number][] {
  return counts(value).map(([name, count]) => [plain(name), count])
}

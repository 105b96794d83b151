/** The numbers of a PRISMA flow, from a review and its file prisma.json. */
import { counts, type Data, data, number, plain } from '../api/read.ts'

export interface FlowNumbers {
  identified: number
  /** Records per source; empty if unknown. */
  bySource: [string, number][]
  /** Records left unread because of a limit. */
  unread: number
  unreadBySource: [string, number][]
  read: number
  /** Records removed before screening, by reason. */
  removed: [string, number][]
  screened: number
  excluded: number
  excludedBy: [string, number][]
  uncertain: number
  uncertainBy: [string, number][]
  included: number
  /** How many included papers a person decided. */
  byPerson: number
}

/** Null if the review has too little for a flow. */
export function readFlow(review: Data, prisma: Data): FlowNumbers | null {
  const told = data(review.counts)
  const identified = number(told.identified)
  const included = number(told.included)
  if (identified === null || included === null) return null
  const removed = [
    ['duplicates', number(told.duplicates) ?? 0],
    ['notices', number(told.notices) ?? 0],
    ['without a title', number(told.unusable) ?? 0],
  ] satisfies [string, number][]
  const lost = removed.reduce((sum, [, count]) => sum + count, 0)
  const unread = number(told.unread) ?? 0
  const read = number(told.read) ?? identified - unread
  const { by_source, unread_by_source } = data(prisma.identification)
  return {
    identified,
    bySource: counts(by_source),
    unread,
    unreadBySource: counts(unread_by_source).filter(([, count]) => count > 0),
    read,
    removed: removed.filter(([, count]) => count > 0),
    screened: number(told.screened) ?? read - lost,
    excluded: number(told.excluded) ?? 0,
    excludedBy: named(told.excluded_by_rule),
    uncertain: number(told.uncertain) ?? 0,
    uncertainBy: named(told.uncertain_by_rule),
    included,
    byPerson: number(data(data(prisma.screening).decided_by_person).included) ?? 0,
  }
}

function named(value: unknown): [string, number][] {
  return counts(value).map(([name, count]) => [plain(name), count])
}

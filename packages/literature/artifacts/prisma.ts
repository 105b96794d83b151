/** The counts of a PRISMA 2020 flow diagram. */
import { bySource, countsOf, type Findings } from '../review.ts'

export function prisma(findings: Findings) {
  const counts = countsOf(findings)
  const sources = [...bySource(findings.searches)]
  const each = (value: (one: { identified: number; read: number }) => number) =>
    Object.fromEntries(sources.map(([source, one]) => [source, value(one)]))
  const byPerson = (papers: Findings['excluded']) => papers.filter(({ screening }) => screening.ruled).length
  return {
    kind: 'prisma_flow',
    source: findings.asked.inputs.sources.join(','),
    notice: findings.notice,
    identification: {
      /** Hits that each source reports; imported records count as their own source. */
      records_identified: counts.identified,
      by_source: each(({ identified }) => identified),
      records_unread: counts.unread,
      unread_by_source: each(({ identified, read }) => identified - read),
      records_read: counts.read,
      read_by_source: each(({ read }) => read),
      records_removed_before_screening: {
        duplicates: counts.duplicates,
        notices: counts.notices,
        without_title: counts.unusable,
      },
      sources_missing: [
        ...new Set(findings.searches.flatMap(({ source, failure }) => (failure ? source : []))),
      ],
    },
    screening: {
      records_screened: counts.screened,
      records_excluded: counts.excluded,
      records_excluded_by_rule: counts.excluded_by_rule,
      records_uncertain: counts.uncertain,
      records_uncertain_by_rule: counts.uncertain_by_rule,
      decided_by_person: { included: byPerson(findings.included), excluded: byPerson(findings.excluded) },
    },
    included: { studies_included: counts.included },
  }
}

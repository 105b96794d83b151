/** The counts of a PRISMA 2020 flow diagram. */
import { countsOf, type Findings } from '../review.ts'

export function prisma(findings: Findings) {
  const counts = countsOf(findings)
  const found = findings.searches.filter(({ kind }) => kind === 'searches')
  return {
    kind: 'prisma_flow',
    source: findings.asked.inputs.sources.join(','),
    notice: findings.notice,
    identification: {
      records_identified: counts.identified,
      by_source: Object.fromEntries(found.map(({ source, records }) => [source, records.length])),
      records_removed_before_screening: {
        duplicates: counts.duplicates,
        without_title: counts.unusable,
      },
      sources_missing: findings.searches.flatMap(({ source, failure }) => (failure ? source : [])),
    },
    screening: {
      records_screened: counts.screened,
      records_excluded: counts.excluded,
      records_excluded_by_rule: counts.excluded_by_rule,
      records_uncertain: counts.uncertain,
      records_uncertain_by_rule: counts.uncertain_by_rule,
    },
    included: { studies_included: counts.included },
  }
}

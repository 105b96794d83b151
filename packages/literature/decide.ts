/** A person's decisions about single papers. They override every rule, and the review says so. */
import type { LiteratureInputs } from '../../contract/literature.ts'
import type { Paper } from './paper.ts'
import type { Screened } from './screen.ts'

const BY_PERSON = 'decided_by_person'

export interface Decided {
  screened: Screened[]
  /** Ids that match no paper. */
  unknown: string[]
}

/** Matches papers by any identifier, because a paper's own id depends on which sources answered. */
export function decide(
  screened: readonly Screened[],
  decisions: LiteratureInputs['decisions'] = {},
): Decided {
  const byName = new Map<string, string>()
  for (const { paper } of screened) for (const name of namesOf(paper)) byName.set(name, paper.id)
  // The paper's own id takes precedence; otherwise the alphabetically first key does.
  const given = Object.keys(decisions).sort()
  const byPaper = new Map<string, string>()
  const unknown: string[] = []
  for (const key of given) {
    const id = byName.get(nameOf(key))
    if (id === undefined) unknown.push(key)
    else if (key === id || !byPaper.has(id)) byPaper.set(id, key)
  }
  return {
    unknown,
    screened: screened.map(({ paper, screening }) => {
      const decision = decisions[byPaper.get(paper.id) ?? '']
      if (!decision) return { paper, screening }
      return {
        paper,
        screening: {
          decision: decision.decision === 'include' ? 'included' : 'excluded',
          rule: BY_PERSON,
          reason: `a person decided: ${decision.reason?.trim() || 'no reason given'}`,
          criteria: screening.criteria,
          ruled: { decision: screening.decision, rule: screening.rule, reason: screening.reason },
        },
      }
    }),
  }
}

function namesOf({ id, doi, pmid, pmcid, records }: Paper): string[] {
  return [
    ...records.map((record) => `${record.source}:${record.id}`),
    ...(pmcid ? [`pmcid:${pmcid}`] : []),
    ...(pmid ? [`pmid:${pmid}`] : []),
    ...(doi ? [`doi:${doi}`] : []),
    id,
  ].map(nameOf)
}

/** DOIs are case-insensitive. */
function nameOf(key: string): string {
  return key.trim().toLowerCase()
}

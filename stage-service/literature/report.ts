/** The review as it is written down. Nothing in it depends on the time or the machine. */
import { countBy, type Findings } from './findings.ts'
import { hits, MATCH_RULE } from './match.ts'
import type { Ranked } from './rank.ts'
import type { Paper, Query } from './source.ts'
import { studyType } from './study-type.ts'
import { summarise } from './summary.ts'

export type Review = ReturnType<typeof review>

export function review(findings: Findings) {
  const { query, inputs, sources, read, identified, included, excluded } = findings
  const source = sources.map(({ name }) => name).join(',')
  const notice = sources.flatMap((each) => each.notice ?? []).join(' ') || null
  return {
    kind: 'literature_review',
    source,
    notice,
    question: query.question,
    inputs: { ...inputs, sources: sources.map(({ name }) => name) },
    concepts: query.concepts.map(({ own: _own, ...concept }) => concept),
    match_rule: MATCH_RULE,
    summary: { source, notice, ...summarise(findings) },
    counts: {
      read,
      identified: identified.length,
      screened: identified.length,
      excluded: excluded.length,
      excluded_by_reason: countBy(excluded.map(({ reason }) => reason)),
      included: included.length,
    },
    papers: included.map((ranked, at) => paperEntry(ranked, at + 1, query)),
    excluded: excluded
      .map(({ paper, reason }) => ({ id: paper.id, source: paper.source, title: paper.title, reason }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

function paperEntry({ paper, score }: Ranked, rank: number, query: Query) {
  const found = hits(query, paper)
  const { retracted: _retracted, related, ...shown } = paper
  return {
    rank,
    ...shown,
    study_type: studyType(paper),
    related_versions: related,
    score,
    matched_terms: [...new Set(found.flatMap((hit) => [...hit.title, ...hit.abstract]))],
    why: why(paper, found),
  }
}

function why(paper: Paper, found: ReturnType<typeof hits>): string {
  const parts = found.map(({ concept, title, abstract }) => {
    const place = title.length > 0 ? (abstract.length > 0 ? 'title and abstract' : 'title') : 'abstract'
    const terms = [...new Set([...title, ...abstract])].slice(0, 3).join(', ')
    return `${concept} in its ${place} (${terms})`
  })
  const blind = paper.abstract === null ? '; it has no abstract, so its title alone was judged' : ''
  return `Deals with ${parts.join(' and with ')}${blind}.`
}

/** The review: the findings of all steps as one value. Nothing in it depends on the machine or the time of the run. */
import { countBy, plural } from './count.ts'
import { type Extraction, extract } from './extract.ts'
import type { Format } from './imports/import.ts'
import type { Asked } from './inputs.ts'
import { hits, MATCH_RULE } from './match.ts'
import type { Notice } from './notices.ts'
import type { Paper } from './paper.ts'
import type { Query } from './query.ts'
import type { Ranked } from './rank.ts'
import type { LiteratureReview, ReviewedPaper } from './schema.ts'
import { SCHEMA_ID } from './schema.ts'
import type { Screened, Screening } from './screen.ts'
import type { Search } from './search.ts'
import { sourceNameFirst, sourceNames } from './source-names.ts'
import type { Summary } from './summarise.ts'

/** The findings of the earlier steps. */
export interface Findings {
  asked: Asked
  query: Query
  notice: string | null
  searches: readonly Search[]
  /** IDs in decisions that match no paper. */
  undecided: readonly string[]
  imports: readonly { source: string; format: Format; records: number; sha256: string }[]
  notices: readonly Notice[]
  /** Records without a title, which cannot be used. */
  unusable: number
  duplicates: number
  included: readonly Reviewed[]
  uncertain: readonly Reviewed[]
  excluded: readonly Screened[]
  summary: Summary
}

export interface Reviewed extends Ranked {
  screening: Screening
  extraction: Extraction
}

/** Ranked and screened papers with what their abstracts say. */
export function reviewed(ranked: readonly Ranked[], screenings: ReadonlyMap<string, Screening>): Reviewed[] {
  return ranked.flatMap(({ paper, ranking }) => {
    const screening = screenings.get(paper.id)
    return screening ? { paper, ranking, screening, extraction: extract(paper) } : []
  })
}

/** What each searched source and imported text has, and how much of it was read. */
export function bySource(searches: Findings['searches']) {
  const found = searches.filter(({ kind }) => kind !== 'completes')
  const sources = new Map<string, { identified: number; read: number }>()
  for (const { source, total, records } of found) {
    const sum = sources.get(source) ?? { identified: 0, read: 0 }
    sum.read += records.length
    // A source that returned more than it counted has at least that many.
    sum.identified += Math.max(total, records.length)
    sources.set(source, sum)
  }
  return sources
}

export function countsOf({
  searches,
  unusable,
  duplicates,
  notices,
  included,
  uncertain,
  excluded,
}: Findings) {
  const sources = [...bySource(searches).values()]
  const read = sources.reduce((sum, one) => sum + one.read, 0)
  const identified = sources.reduce((sum, one) => sum + one.identified, 0)
  const screened = [...included, ...uncertain, ...excluded]
  const byPerson = screened.filter(({ screening }) => screening.ruled)
  return {
    identified,
    unread: identified - read,
    read,
    unusable,
    duplicates,
    notices: notices.length,
    decided_by_person: byPerson.length,
    screened: included.length + uncertain.length + excluded.length,
    excluded: excluded.length,
    excluded_by_rule: countBy(excluded.map(({ screening }) => screening.rule)),
    uncertain: uncertain.length,
    uncertain_by_rule: countBy(uncertain.map(({ screening }) => screening.rule)),
    included: included.length,
  }
}

export function review(findings: Findings): Omit<LiteratureReview, 'artifacts'> {
  const { asked, query, notice, searches, included, uncertain, excluded, summary } = findings
  const source = asked.inputs.sources.join(',')
  const warnings = searches.flatMap(({ source: name, failure }) =>
    failure
      ? { source: name, code: failure.code, message: `${sourceNameFirst(name)} failed: ${failure.message}` }
      : [],
  )
  return {
    $schema: SCHEMA_ID,
    kind: 'literature_review',
    source,
    notice,
    degraded: warnings.length > 0,
    warnings,
    question: query.question,
    inputs: inputsTold(asked),
    imports: [...findings.imports],
    concepts: query.concepts,
    left_out: query.left_out,
    match_rule: MATCH_RULE,
    summary: {
      source,
      notice,
      text: textOf(findings),
      study_types: countBy(included.map(({ extraction }) => extraction.design?.type ?? 'not told')),
      ...summary,
    },
    counts: countsOf(findings),
    undecided: [...findings.undecided],
    notices: findings.notices.map(({ paper, type, about }) => ({
      id: paper.id,
      source: paper.source,
      title: paper.title,
      year: paper.year,
      doi: paper.doi,
      pmid: paper.pmid,
      type,
      about,
    })),
    papers: included.map((one, at) => entry(one, at + 1, query)),
    uncertain: uncertain.map((one, at) => entry(one, at + 1, query)),
    excluded: excluded
      .map(({ paper: { id, source: from, title }, screening: { rule, reason, criteria, ruled } }) => ({
        id,
        source: from,
        title,
        rule,
        reason,
        criteria,
        ...(ruled && { ruled }),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

/** Leaves out the texts of imported records: their names, sizes and hashes are listed under imports. */
export function inputsTold({ inputs: { records: _, ...told } }: Asked): Omit<Asked['inputs'], 'records'> {
  return told
}

function entry(
  { paper, ranking, screening, extraction }: Reviewed,
  rank: number,
  query: Query,
): ReviewedPaper {
  const found = hits(query, paper)
  const { design, ...extracted } = extraction
  const { notice: _, ...told } = paper
  return {
    rank,
    ...told,
    study_type: design,
    screening,
    ranking,
    matched_terms: [...new Set(found.flatMap((hit) => [...hit.title, ...hit.abstract]))],
    why: why(paper, found),
    extraction: extracted,
  }
}

function why(paper: Paper, found: ReturnType<typeof hits>): string {
  if (found.length === 0)
    return 'Returned by its source; its title and abstract mention none of the concepts, at most single words of them.'
  const parts = found.map(({ concept, title, abstract }) => {
    const place = title.length > 0 ? (abstract.length > 0 ? 'title and abstract' : 'title') : 'abstract'
    const terms = [...new Set([...title, ...abstract])].slice(0, 3).join(', ')
    return `${concept} in its ${place} (${terms})`
  })
  const blind = paper.abstract === null ? '; it has no abstract, so only its title was checked' : ''
  return `Mentions ${parts.join(' and ')}${blind}.`
}

function textOf(findings: Findings): string {
  const { included, uncertain, notice, searches, query } = findings
  const { screened } = countsOf(findings)
  const failed = searches.filter(({ failure }) => failure).map(({ source }) => source)
  const sentences = [opening(included, screened, query)]
  if (uncertain.length > 0) sentences.push(`${uncertain.length} could not be judged and need a decision.`)
  const { decided_by_person } = countsOf(findings)
  if (decided_by_person > 0) {
    const were = decided_by_person === 1 ? 'was' : 'were'
    sentences.push(`${plural(decided_by_person, 'paper')} ${were} decided by hand.`)
  }
  const best = included[0]?.paper
  if (best) sentences.push(`The best match is "${best.title}" (${best.year ?? 'no year'}).`)
  if (failed.length > 0) sentences.push(`Incomplete: ${sourceNames(failed)} could not be searched.`)
  if (notice) sentences.push(notice)
  return sentences.join(' ')
}

function opening(included: readonly Reviewed[], screened: number, { concepts }: Query): string {
  if (concepts.length === 0) return 'The question contains no word to search for, so no source was searched.'
  if (screened === 0) return 'No record matches the question.'
  if (included.length === 0) return `None of the ${screened} papers found is included.`
  const years = included.flatMap(({ paper }) => paper.year ?? [])
  const [first, last] = [Math.min(...years), Math.max(...years)]
  const span =
    years.length === 0
      ? ''
      : first === last
        ? `, published in ${first}`
        : `, published from ${first} to ${last}`
  return `Included: ${included.length} of ${plural(screened, 'paper')} found${span}.`
}

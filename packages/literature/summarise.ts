/** Step 9: themes, gaps and limitations from counts alone. They describe what was found, not what is true. */
import { plural } from './count.ts'
import type { Extraction } from './extract.ts'
import { hits } from './match.ts'
import type { Paper } from './paper.ts'
import type { Query } from './query.ts'
import type { Search } from './search.ts'
import { sourceName, sourceNameFirst, sourceNames } from './source-names.ts'
import { words as stemsOf } from './text.ts'

export interface Theme {
  label: string
  /** A name of a concept, or words that titles share. */
  kind: 'concept' | 'phrase'
  paper_ids: string[]
}

/** Something rare or missing among the included papers. It is a count, not a judgement of the field. */
export interface Gap {
  gap: string
  text: string
  count: number
  of: number
  paper_ids: string[]
}

export interface Summary {
  themes: Theme[]
  gaps: Gap[]
  limitations: string[]
}

export interface Found {
  paper: Paper
  extraction: Extraction
}

const MAX_THEMES = 10
const MIN_PAPERS = 2
/** Randomised trials with fewer participants count as small. */
const SMALL = 100

export function summarise(
  query: Query,
  included: readonly Found[],
  uncertain: number,
  searches: readonly Search[],
): Summary {
  const concepts = conceptThemes(query, included)
  return {
    themes: [...concepts, ...phraseThemes(query, included, concepts)].slice(0, MAX_THEMES),
    gaps: gapsOf(query, included),
    limitations: limitationsOf(query, included, uncertain, searches),
  }
}

/** Concept names that the papers share but the question does not use. */
function conceptThemes(query: Query, included: readonly Found[]): Theme[] {
  const asked = new Set(askedStems(query))
  const papers = new Map<string, string[]>()
  for (const { paper } of included) {
    for (const { title, abstract } of hits(query, paper)) {
      for (const term of new Set([...title, ...abstract])) {
        if (stemsOf(term).every((stem) => asked.has(stem))) continue
        papers.set(term, [...(papers.get(term) ?? []), paper.id])
      }
    }
  }
  return themes(papers, 'concept')
}

const DULL =
  /\b(?:randomi[sz]ed|controlled|trial|study|review|analysis|systematic|meta|cohort|effects?|protocol|the|of|and|in|on|for|with|from|after|versus|a|an|to|by|or|at|among|between)\b/i

/** Word pairs that titles share, unless they repeat the question or a known theme. */
function phraseThemes(query: Query, included: readonly Found[], known: readonly Theme[]): Theme[] {
  const asked = new Set(askedStems(query))
  const names = known.map(({ label }) => new Set(stemsOf(label)))
  const papers = new Map<string, string[]>()
  for (const { paper } of included) {
    const words = paper.title.toLowerCase().match(/[\p{L}\p{N}-]+/gu) ?? []
    const pairs = new Set(words.slice(1).map((word, at) => `${words[at]} ${word}`))
    for (const pair of pairs) {
      const stems = stemsOf(pair)
      if (DULL.test(pair) || /\d/.test(pair) || stems.some((stem) => asked.has(stem))) continue
      if (names.some((name) => stems.every((stem) => name.has(stem)))) continue
      papers.set(pair, [...(papers.get(pair) ?? []), paper.id])
    }
  }
  return themes(papers, 'phrase')
}

function askedStems({ question, concepts }: Query): string[] {
  return [question, ...concepts.flatMap(({ terms }) => terms)].flatMap(stemsOf)
}

function themes(papers: ReadonlyMap<string, string[]>, kind: Theme['kind']): Theme[] {
  return [...papers]
    .filter(([, ids]) => ids.length >= MIN_PAPERS)
    .sort(([a, m], [b, n]) => n.length - m.length || (a < b ? -1 : 1))
    .map(([label, ids]) => ({ label, kind, paper_ids: [...ids].sort() }))
}

function gapsOf(query: Query, included: readonly Found[]): Gap[] {
  const of = included.length
  if (of === 0) return [{ gap: 'no_paper', text: 'No paper is included.', count: 0, of, paper_ids: [] }]
  const found = (gap: string, papers: readonly Found[], what: string): Gap => {
    const paper_ids = papers.map(({ paper }) => paper.id).sort()
    const text = `${paper_ids.length === 0 ? 'None' : paper_ids.length} of the ${plural(of, 'included paper')} ${what}.`
    return { gap, text, count: paper_ids.length, of, paper_ids }
  }
  const ofKind = (...kinds: string[]) =>
    included.filter(({ extraction }) => kinds.includes(extraction.design?.type ?? ''))
  const gaps: Gap[] = []
  for (const { label, role, required } of query.concepts) {
    if (!required) continue
    const naming = included.filter(({ paper }) => hits(query, paper).some(({ concept }) => concept === label))
    if (naming.length < Math.min(MIN_PAPERS, of)) {
      gaps.push(found('concept_missing', naming, `was found to mention ${label} (${role})`))
    }
  }
  const trials = ofKind('randomized_controlled_trial')
  if (trials.length === 0)
    gaps.push(found('no_randomised_trial', trials, 'was found to be a randomised controlled trial'))
  const syntheses = ofKind('systematic_review', 'meta_analysis')
  if (syntheses.length === 0) {
    gaps.push(found('no_synthesis', syntheses, 'was found to be a systematic review or meta-analysis'))
  }
  const sized = trials.filter(({ extraction }) => extraction.sample_size)
  const large = sized.filter(({ extraction }) => (extraction.sample_size?.value ?? 0) >= SMALL)
  if (sized.length > 0 && large.length === 0) {
    const what = `is a randomised trial with a stated size of ${SMALL} participants or more`
    gaps.push(found('small_trials', large, what))
  }
  return gaps
}

function limitationsOf(
  query: Query,
  included: readonly Found[],
  uncertain: number,
  searches: readonly Search[],
): string[] {
  const limits = ['Only titles and abstracts were read, not full texts, and risk of bias was not assessed.']
  const asked = searches.filter(({ kind }) => kind === 'searches')
  limits.push(
    asked.length === 0
      ? 'No source was searched.'
      : `Only ${sourceNames(asked.map(({ source }) => source))} ${asked.length === 1 ? 'was' : 'were'} searched.`,
  )
  if (query.concepts.length === 0) limits.push('The question contains no word to search for.')
  for (const { source, kind, total, records, failure } of searches) {
    if (failure) limits.push(`${sourceNameFirst(source)} failed: ${failure.message}.`)
    else if (kind === 'searches' && records.length < total) {
      limits.push(
        `${sourceNameFirst(source)} had ${plural(total, 'hit')}; the first ${records.length} in its own order were read.`,
      )
    }
  }
  for (const { source, climb } of searches) {
    const { chosen } = climb ?? {}
    if (chosen && !['phrases', 'own_query'].includes(chosen.step) && climb && climb.steps.length > 1) {
      limits.push(
        `The search of ${sourceName(source)} was broadened because it found too few records. It asked for ${chosen.says}.`,
      )
    }
  }
  if (uncertain > 0) limits.push(`${plural(uncertain, 'paper')} could not be judged and need a decision.`)
  const years = included.flatMap(({ paper }) => paper.year ?? [])
  if (years.length > 0) limits.push(`The newest included paper was published in ${Math.max(...years)}.`)
  return limits
}

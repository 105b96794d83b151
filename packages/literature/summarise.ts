/** Step 9: themes, gaps and limitations, made from counts alone: they tell what was found, not what is true. */
import { countBy, plural } from './count.ts'
import type { Extraction } from './extract.ts'
import { hits } from './match.ts'
import type { Paper } from './paper.ts'
import { leadingConcept, type Query } from './query.ts'
import type { Search } from './search.ts'
import { hasPhrase, phraseText } from './text.ts'

export interface Theme {
  label: string
  /** A name of something asked about, or words that titles share. */
  kind: 'concept' | 'phrase'
  paper_ids: string[]
}

export interface Gap {
  gap: string
  text: string
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
/** A randomised trial below this is called small. */
const SMALL = 100

export function summarise(
  query: Query,
  included: readonly Found[],
  uncertain: number,
  searches: readonly Search[],
): Summary {
  return {
    themes: [...conceptThemes(query, included), ...phraseThemes(query, included)].slice(0, MAX_THEMES),
    gaps: gapsOf(query, included),
    limitations: limitationsOf(query, included, uncertain, searches),
  }
}

/** Names of the concepts besides the leading one, which nearly every paper has. */
function conceptThemes(query: Query, included: readonly Found[]): Theme[] {
  const leading = leadingConcept(query)
  const papers = new Map<string, string[]>()
  for (const { paper } of included) {
    for (const { concept, title, abstract } of hits(query, paper)) {
      if (concept === leading?.label && query.concepts.length > 1) continue
      for (const term of new Set([...title, ...abstract]))
        papers.set(term, [...(papers.get(term) ?? []), paper.id])
    }
  }
  return themes(papers, 'concept')
}

const DULL =
  /\b(?:randomi[sz]ed|controlled|trial|study|review|analysis|systematic|meta|cohort|effects?|protocol|the|of|and|in|on|for|with|from|after|versus|a|an|to|by|or|at|among|between)\b/i

/** Two neighbouring words that titles share and the question does not name. */
function phraseThemes(query: Query, included: readonly Found[]): Theme[] {
  const known = phraseText(query.concepts.flatMap(({ terms }) => terms).join(' . '))
  const papers = new Map<string, string[]>()
  for (const { paper } of included) {
    const words = paper.title.toLowerCase().match(/[\p{L}\p{N}-]+/gu) ?? []
    const pairs = new Set(words.slice(1).map((word, at) => `${words[at]} ${word}`))
    for (const pair of pairs) {
      if (DULL.test(pair) || /\d/.test(pair) || hasPhrase(known, pair)) continue
      papers.set(pair, [...(papers.get(pair) ?? []), paper.id])
    }
  }
  return themes(papers, 'phrase')
}

function themes(papers: ReadonlyMap<string, string[]>, kind: Theme['kind']): Theme[] {
  return [...papers]
    .filter(([, ids]) => ids.length >= MIN_PAPERS)
    .sort(([a, m], [b, n]) => n.length - m.length || (a < b ? -1 : 1))
    .map(([label, ids]) => ({ label, kind, paper_ids: [...ids].sort() }))
}

function gapsOf(query: Query, included: readonly Found[]): Gap[] {
  if (included.length === 0) return [{ gap: 'no_paper', text: 'No paper is included at all.' }]
  const gaps: Gap[] = []
  for (const { label, role } of query.concepts) {
    const dealing = included.filter(({ paper }) =>
      hits(query, paper).some(({ concept }) => concept === label),
    )
    if (dealing.length === 0)
      gaps.push({ gap: 'concept_missing', text: `No included paper deals with ${label} (${role}).` })
  }
  const designs = countBy(included.map(({ extraction }) => extraction.design?.type ?? 'not told'))
  const trials = included.filter(
    ({ extraction }) => extraction.design?.type === 'randomized_controlled_trial',
  )
  if (trials.length === 0)
    gaps.push({
      gap: 'no_randomised_trial',
      text: 'No included paper is told to be a randomised controlled trial.',
    })
  if (!designs.systematic_review && !designs.meta_analysis) {
    gaps.push({
      gap: 'no_synthesis',
      text: 'No included paper is told to be a systematic review or meta-analysis.',
    })
  }
  const sizes = trials.flatMap(({ extraction }) => extraction.sample_size?.value ?? [])
  if (sizes.length > 0 && sizes.every((size) => size < SMALL)) {
    gaps.push({
      gap: 'small_trials',
      text: `Every randomised trial that tells its size has fewer than ${SMALL} participants.`,
    })
  }
  return gaps
}

function limitationsOf(
  query: Query,
  included: readonly Found[],
  uncertain: number,
  searches: readonly Search[],
): string[] {
  const limits = ['Titles and abstracts only; no full text was read, and no risk of bias was judged.']
  const asked = searches.filter(({ kind }) => kind === 'searches')
  limits.push(`Searched: ${asked.map(({ source }) => source).join(', ')}; nothing else.`)
  if (query.concepts.length === 0) limits.push('The question holds no word that can be searched for.')
  for (const { source, kind, total, records, failure } of searches) {
    if (failure) limits.push(`${source} is missing: ${failure.message}.`)
    else if (kind === 'searches' && records.length < total) {
      limits.push(
        `${source} has ${plural(total, 'hit')}; the first ${records.length} by its own order were read.`,
      )
    }
  }
  if (uncertain > 0) limits.push(`${plural(uncertain, 'paper')} could not be judged and wait for a person.`)
  const years = included.flatMap(({ paper }) => paper.year ?? [])
  if (years.length > 0) limits.push(`The newest included paper is of ${Math.max(...years)}.`)
  return limits
}

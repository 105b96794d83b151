/**
 * Order by BM25 over title and abstract; the title counts double, ties end by id.
 * All names of one concept count as one word, so a record gains by dealing with the concept and not by the
 * number of synonyms it happens to use. The question's own words count on top of that.
 */
import MiniSearch from 'minisearch'
import type { Paper, Query } from './source.ts'
import { phraseText, words } from './text.ts'

export interface Ranked {
  paper: Paper
  /** BM25, rounded to 4 digits; only comparable within one review. */
  score: number
}

const OWN_WORD_WEIGHT = 0.5

export function rank(papers: readonly Paper[], query: Query): Ranked[] {
  const names = query.concepts.map(({ terms }) => terms.map((term) => ` ${words(term).join(' ')} `))
  const index = new MiniSearch<Paper>({
    fields: ['title', 'abstract'],
    tokenize: (text) => [...words(text), ...conceptTokens(phraseText(text), names)],
    processTerm: (term) => term,
    extractField: (paper, field) => {
      if (field === 'title') return paper.title
      return field === 'abstract' ? (paper.abstract ?? '') : paper.id
    },
  })
  index.addAll(papers)
  const own = query.concepts.flatMap((concept) => concept.terms.slice(0, concept.own).flatMap(words))
  const wanted = [...names.map((_, at) => token(at)), ...new Set([...own, ...query.extra])]
  const found = index.search(wanted.join(' '), {
    tokenize: (text) => text.split(' '),
    boost: { title: 2 },
    boostTerm: (term) => (term.startsWith(MARK) ? 1 : OWN_WORD_WEIGHT),
  })
  const scores = new Map(found.map(({ id, score }) => [String(id), score]))
  return papers
    .map((paper) => ({ paper, score: Math.round((scores.get(paper.id) ?? 0) * 1e4) / 1e4 }))
    .sort((a, b) => b.score - a.score || (a.paper.id < b.paper.id ? -1 : 1))
}

/** No word begins so: `words` keeps letters and digits alone. */
const MARK = '#'

function token(concept: number): string {
  return `${MARK}${concept}`
}

/** One token for each occurrence of a concept, by whatever name. */
function conceptTokens(text: string, names: readonly string[][]): string[] {
  return names.flatMap((terms, at) => {
    const count = terms.reduce((sum, term) => sum + text.split(term).length - 1, 0)
    return Array.from({ length: count }, () => token(at))
  })
}

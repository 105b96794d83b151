/**
 * BM25 over title and abstract; the title counts double. All names of one concept count as one word, so a record
 * gains by dealing with the concept and not by the number of synonyms it happens to use. The question's other words
 * count half.
 */
import MiniSearch from 'minisearch'
import type { Paper } from './paper.ts'
import type { Query } from './query.ts'
import { phraseText, words } from './text.ts'

const TITLE_BOOST = 2
const OTHER_WORD_WEIGHT = 0.5

/** Score by paper id, rounded to 4 digits; papers without any of the words are missing. */
export function bm25(papers: readonly Paper[], query: Query): Map<string, number> {
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
  const wanted = [...names.map((_, at) => token(at)), ...new Set(query.extra)]
  const found = index.search(wanted.join(' '), {
    tokenize: (text) => text.split(' '),
    boost: { title: TITLE_BOOST },
    boostTerm: (term) => (term.startsWith(MARK) ? 1 : OTHER_WORD_WEIGHT),
  })
  return new Map(found.map(({ id, score }) => [String(id), Math.round(score * 1e4) / 1e4]))
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

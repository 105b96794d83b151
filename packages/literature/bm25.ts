/**
 * BM25 over title and abstract, with double weight for the title. It searches for the stems of the question's words, with
 * each family ("kidney", "renal") as one word. Each concept also counts as one word, so a record scores for the concept
 * and not for the number of synonyms that it uses.
 */
import MiniSearch from 'minisearch'
import type { Paper } from './paper.ts'
import type { Query } from './query.ts'
import { familyOf } from './synonyms.ts'
import { words } from './text.ts'
import { ASKING_WORDS, FUNCTION_WORDS } from './vocabulary.ts'

const TITLE_BOOST = 2

/** How many records in a whole source contain a word. */
export interface Frequency {
  term: string
  hits: number
}

/** Score by paper id, rounded to 4 digits. Papers without any of the words have no entry. */
export function bm25(
  papers: readonly Paper[],
  query: Query,
  known: readonly Frequency[] = [],
): Map<string, number> {
  const names = query.concepts.map(({ terms, synonyms }) =>
    [...terms, ...synonyms].map((term) => ` ${tokens(term).join(' ')} `),
  )
  /** The number of papers that contain a token, for `rarity`. */
  const spread = new Map<string, number>()
  const index = new MiniSearch<Paper>({
    fields: ['title', 'abstract'],
    tokenize: (text) => {
      const found = tokens(text)
      return [...found, ...conceptTokens(` ${found.join(' ')} `, names)]
    },
    processTerm: (term) => term,
    extractField: (paper, field) => {
      if (field === 'title') return paper.title
      return field === 'abstract' ? (paper.abstract ?? '') : paper.id
    },
  })
  index.addAll(papers)
  for (const { title, abstract } of papers) {
    for (const token of new Set(tokens(`${title} ${abstract ?? ''}`)))
      spread.set(token, (spread.get(token) ?? 0) + 1)
  }
  const rarity = rarityOf(known, spread, papers.length)
  const wanted = [...names.map((_, at) => conceptToken(at)), ...wordsOf(query)]
  const found = index.search(wanted.join(' '), {
    tokenize: (text) => text.split(' '),
    boost: { title: TITLE_BOOST },
    boostTerm: (term) => rarity(term),
  })
  return new Map(found.map(({ id, score }) => [String(id), Math.round(score * 1e4) / 1e4]))
}

/**
 * The records were found by the question's words, so its rare words look common among them. Corrects this with the
 * frequencies that the sources reported.
 */
function rarityOf(known: readonly Frequency[], spread: ReadonlyMap<string, number>, papers: number) {
  const most = 2 * Math.max(1, ...known.map(({ hits }) => hits))
  const real = new Map<string, number>()
  for (const { term, hits } of known) {
    for (const token of tokens(term)) real.set(token, Math.log(1 + most / (hits + 1)))
  }
  return (token: string): number => {
    if (known.length === 0 || token.startsWith(MARK)) return 1
    const here = spread.get(token) ?? 0
    return (real.get(token) ?? COMMON) / Math.log(1 + (papers - here + 0.5) / (here + 0.5))
  }
}
/** The rarity of a word without a reported frequency: among the most common in the question. */
const COMMON = 0.5

/** The content words of the question, and the words of all terms. */
function wordsOf({ question, concepts }: Query): string[] {
  const asked = question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  const own = asked.filter((word) => !FUNCTION_WORDS.has(word) && !ASKING_WORDS.has(word))
  return [...new Set([...own, ...concepts.flatMap(({ terms }) => terms)].flatMap(tokens))]
}

const TOKENS = new Map<string, string[]>()
const MOST_TOKENS = 50_000

/** Stems, each reduced to the first word of its family. */
function tokens(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).flatMap((word) => {
    const known = TOKENS.get(word)
    if (known) return known
    if (TOKENS.size >= MOST_TOKENS) TOKENS.clear()
    const made = words(familyOf(word))
    TOKENS.set(word, made)
    return made
  })
}

/** Cannot start a word, because `words` keeps only letters and digits. */
const MARK = '#'

function conceptToken(concept: number): string {
  return `${MARK}${concept}`
}

/** One token per occurrence of a concept under any of its names. */
function conceptTokens(text: string, names: readonly string[][]): string[] {
  return names.flatMap((terms, at) => {
    const count = terms.reduce((sum, term) => sum + text.split(term).length - 1, 0)
    return Array.from({ length: count }, () => conceptToken(at))
  })
}

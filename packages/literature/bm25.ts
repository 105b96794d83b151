/**
 * BM25 over title and abstract; the title counts double. Looked for are the words of the question, cut to stems and
 * with each family of words ("kidney", "renal") as one, and each concept as one word of its own: a record gains by
 * dealing with the concept, by whatever name, and not by the number of synonyms it happens to use.
 */
import MiniSearch from 'minisearch'
import type { Paper } from './paper.ts'
import type { Query } from './query.ts'
import { familyOf } from './synonyms.ts'
import { words } from './text.ts'
import { ASKING_WORDS, FUNCTION_WORDS } from './vocabulary.ts'

const TITLE_BOOST = 2

/** Hits of a word in a whole source. */
export interface Frequency {
  term: string
  hits: number
}

/** Score by paper id, rounded to 4 digits; papers without any of the words are missing. */
export function bm25(
  papers: readonly Paper[],
  query: Query,
  known: readonly Frequency[] = [],
): Map<string, number> {
  const names = query.concepts.map(({ terms, synonyms }) =>
    [...terms, ...synonyms].map((term) => ` ${tokens(term).join(' ')} `),
  )
  /** In how many papers a token stands, for `rarity`. */
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
 * What was read was chosen by the words of the question, so the rare ones look common in it. Where the sources told
 * how rare a word really is, that counts.
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
/** A word that no source was asked about is one of the most common of the question. */
const COMMON = 0.5

/** The telling words of the question; of given concepts, those of their terms too. */
function wordsOf({ question, concepts }: Query): string[] {
  const asked = question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  const own = asked.filter((word) => !FUNCTION_WORDS.has(word) && !ASKING_WORDS.has(word))
  return [...new Set([...own, ...concepts.flatMap(({ terms }) => terms)].flatMap(tokens))]
}

const TOKENS = new Map<string, string[]>()
const MOST_TOKENS = 50_000

/** Stems, each as the first of its family. */
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

/** No word begins so: `words` keeps letters and digits alone. */
const MARK = '#'

function conceptToken(concept: number): string {
  return `${MARK}${concept}`
}

/** One token for each occurrence of a concept, by whatever name. */
function conceptTokens(text: string, names: readonly string[][]): string[] {
  return names.flatMap((terms, at) => {
    const count = terms.reduce((sum, term) => sum + text.split(term).length - 1, 0)
    return Array.from({ length: count }, () => conceptToken(at))
  })
}

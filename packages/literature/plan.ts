/**
 * Step 2: one query per source. The question becomes one expression (the leading concept AND any of the others),
 * which each source writes in its own syntax. Nothing but concepts and options of the request goes into it.
 */
import type { LiteratureInputs } from '../../contract/literature.ts'
import { type Concept, leadingConcept, otherConcepts, type Query } from './query.ts'
import { words } from './text.ts'

export type Expression = string | { any: Expression[] } | { all: Expression[] } | { not: Expression }

/**
 * What a record must have and must not have; undefined when there is nothing to ask for. A query has to fit into an
 * address: what does not is left out where the screening decides it again anyway, never so that other papers come.
 */
export function expressionOf(query: Query, inputs: LiteratureInputs): Expression | undefined {
  const leading = leadingConcept(query)
  if (!leading) return undefined
  const room = roomFor(MAX_LENGTH)
  const all: Expression[] = [conceptExpression(leading, room)]
  const others = otherConcepts(query).slice(0, MAX_OTHERS)
  if (others.length > 0) all.push({ any: others.map((concept) => conceptExpression(concept, room)) })
  const include = (inputs.include_keywords ?? []).filter(isWord)
  // All or none: with some of them left out, papers that have only those would be missed.
  if (include.length > 0 && room(include.join(' '), include.length)) all.push({ any: include })
  const exclude = (inputs.exclude_keywords ?? []).filter((keyword) => isWord(keyword) && room(keyword))
  if (exclude.length > 0) all.push({ not: { any: exclude } })
  return { all }
}

/** Characters of the terms as they stand in an address; the shortest limit known is 4 KiB for the whole of it. */
const MAX_LENGTH = 2600
const MAX_OTHERS = 8
/** What brackets, quotes, operator and field name of one term take. */
const AROUND = 24

/** Says whether a text still fits, and takes its room if so. */
function roomFor(length: number): (text: string, terms?: number) => boolean {
  let left = length
  return (text, terms = 1) => {
    const needed = encodeURIComponent(quoted(text)).length + terms * AROUND
    if (needed > left) return false
    left -= needed
    return true
  }
}

function isWord(keyword: string): boolean {
  return words(keyword).length > 0
}

/** More combinations than this are asked for by the first words alone; matching decides afterwards anyway. */
const MAX_COMBINATIONS = 12

/** At least one term, whatever room there is. */
function conceptExpression({ terms: all, needs }: Concept, room: (text: string) => boolean): Expression {
  const fitting = all.filter((term) => room(term))
  const terms = fitting.length >= needs ? fitting : all.slice(0, needs)
  if (needs <= 1) return { any: terms }
  // As many as there are to choose from must not be counted out first.
  const combinations = terms.length > MAX_COMBINATIONS ? [] : choose(terms, needs)
  return combinations.length === 0 || combinations.length > MAX_COMBINATIONS
    ? { all: terms.slice(0, needs) }
    : { any: combinations.map((all) => ({ all })) }
}

function choose(items: readonly string[], count: number): string[][] {
  if (count === 0) return [[]]
  return items.flatMap((item, at) => choose(items.slice(at + 1), count - 1).map((rest) => [item, ...rest]))
}

/** In the syntax all these sources share (AND, OR, NOT, brackets); `term` writes one of them. */
export function render(expression: Expression, term: (text: string) => string): string {
  if (typeof expression === 'string') return term(expression)
  if ('not' in expression) return `NOT ${render(expression.not, term)}`
  const [parts, word] = 'any' in expression ? [expression.any, ' OR '] : [expression.all, ' AND ']
  const written = parts.map((part) => render(part, term))
  const text = written.join(word).replaceAll(' AND NOT ', ' NOT ')
  return written.length > 1 || 'any' in expression ? `(${text})` : text
}

/** A term as a phrase without anything a query syntax could take for its own. */
export function quoted(term: string): string {
  const plain = term.normalize('NFKC').replace(/[^\p{L}\p{M}\p{N}:/.'-]+/gu, ' ')
  return `"${plain.trim()}"`
}

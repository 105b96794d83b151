/**
 * Step 2: one query per source. The question becomes one expression (the leading concept AND any of the others),
 * which each source writes in its own syntax. Nothing but concepts and options of the request goes into it.
 */
import type { LiteratureInputs } from '../../stages/literature.ts'
import { type Concept, leadingConcept, otherConcepts, type Query } from './query.ts'
import { words } from './text.ts'

export type Expression = string | { any: Expression[] } | { all: Expression[] } | { not: Expression }

/** What a record must have and must not have; undefined when there is nothing to ask for. */
export function expressionOf(query: Query, inputs: LiteratureInputs): Expression | undefined {
  const leading = leadingConcept(query)
  if (!leading) return undefined
  const all: Expression[] = [conceptExpression(leading)]
  const others = otherConcepts(query)
  if (others.length > 0) all.push({ any: others.map(conceptExpression) })
  const { include_keywords: include = [], exclude_keywords: exclude = [] } = inputs
  const usable = (keyword: string) => words(keyword).length > 0
  if (include.some(usable)) all.push({ any: include.filter(usable) })
  if (exclude.some(usable)) all.push({ not: { any: exclude.filter(usable) } })
  return { all }
}

/** More combinations than this are asked for by the first words alone; matching decides afterwards anyway. */
const MAX_COMBINATIONS = 12

function conceptExpression({ terms, needs }: Concept): Expression {
  if (needs <= 1) return { any: terms }
  const combinations = choose(terms, needs)
  return combinations.length > MAX_COMBINATIONS
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

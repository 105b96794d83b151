/**
 * Step 2: what to search for, from strict to broad. Each step is one expression, which each source writes in its own
 * syntax. It contains only concepts and options of the request.
 */
import type { LiteratureInputs } from '../../contract/literature.ts'
import { byImportance, type Concept, type Query } from './query.ts'
import { isName, otherForms } from './synonyms.ts'
import { words } from './text.ts'
import { FUNCTION_WORDS, WEAK_WORDS } from './vocabulary.ts'

export type Expression = Leaf | { any: Expression[] } | { all: Expression[] } | { not: Expression }

/** One term: adjacent words, or one word with variable endings. */
export interface Leaf {
  term: string
  form: 'phrase' | 'word'
}

/** How much of the question a record must match. */
export interface Step {
  name: string
  /** A description for people. */
  says: string
  expression: Expression
}

/** More groups make a query unreadable and few sources accept it, so the rest become one group. */
const MAX_GROUPS = 6
/** Characters of all terms when encoded in a URL; the shortest known limit for a whole URL is 4 KiB. */
const MAX_LENGTH = 2400
/** Room for the brackets, operator, quotes and field name of one term. */
const AROUND = 24

/** The steps that keep the question together; empty for a question without a concept. */
export function strictSteps(query: Query): Step[] {
  const concepts = fitting(grouped(byImportance(query)))
  if (concepts.length === 0) return []
  const loose = concepts.map(looseGroup)
  const steps = [
    {
      name: 'phrases',
      says: 'the whole question, with exact phrases',
      expression: { all: concepts.map(strictGroup) },
    },
    {
      name: 'words',
      says: 'the whole question, with the words of each phrase anywhere',
      expression: { all: loose },
    },
  ]
  for (let keep = concepts.length - 1; keep >= 1; keep--) {
    const gone = concepts.slice(keep)
    if (!gone.every(({ role }) => role === 'setting' || role === 'comparator' || role === 'outcome')) break
    const names = gone.map(({ label }) => label).join(', ')
    steps.push({
      name: `without_${gone.length}`,
      says: `the question without ${names}`,
      expression: { all: loose.slice(0, keep) },
    })
  }
  const known = new Set<string>()
  return steps.filter(({ expression }) => {
    const text = JSON.stringify(expression)
    return !known.has(text) && known.add(text)
  })
}

/** The groups of the strictest step. */
export function groupsOf(query: Query): { label: string; expression: Expression }[] {
  return fitting(grouped(byImportance(query))).map((concept) => ({
    label: concept.label,
    expression: strictGroup(concept),
  }))
}

/** A word of the question, or a name that must stay whole, with its other forms. Broad steps consist of these. */
export interface Unit {
  term: string
  expression: Expression
}

export function unitsOf(query: Query): Unit[] {
  const units = new Map<string, Unit>()
  for (const { terms, synonyms } of byImportance(query)) {
    for (const term of terms) {
      for (const part of staysWhole(term) ? [term] : strongWords(term)) {
        const stems = words(part).join(' ')
        const others = part === term && terms.length === 1 ? synonyms : otherForms(part)
        if (!units.has(stems)) units.set(stems, { term: part, expression: anyOf([part, ...others]) })
      }
    }
  }
  return [...units.values()].filter(({ term }) => lengthOf([term]) < LONGEST_UNIT)
}
const LONGEST_UNIT = 150

/** The most units in a broad step; more would not fit into a URL. */
const MAX_UNITS = 8

export interface Weighed extends Unit {
  hits: number
  weight: number
}

/** The rarest units, weighted by rarity: the fewer hits, the heavier. Units without hits are dropped. */
export function weigh(units: readonly (Unit & { hits: number })[]): Weighed[] {
  const rare = units
    .filter(({ hits }) => hits > 0)
    .sort((a, b) => a.hits - b.hits || (a.term < b.term ? -1 : 1))
  const chosen = rare.slice(0, MAX_UNITS)
  const most = 2 * Math.max(...chosen.map(({ hits }) => hits))
  return chosen.map((unit) => ({ ...unit, weight: Math.log(most / unit.hits) }))
}

export const SHARES = [90, 80, 70, 60, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5] as const

/** Records whose units reach this share (in percent) of the total weight. */
export function weighedStep(units: readonly Weighed[], share: number): Step {
  const total = units.reduce((sum, { weight }) => sum + weight, 0)
  const names = units.map(({ term }) => term).join(', ')
  const expression = reaching(units, (total * share) / 100 - 1e-9) ?? { any: [] }
  if (units.length > 2 && lengthOf(leavesIn(expression)) > MAX_LENGTH)
    return weighedStep(units.slice(0, -1), share)
  const says = `words that carry ${share} % of the weight of the question (rare words weigh more): ${names}`
  return {
    name: `weight_${share}`,
    says,
    expression,
  }
}

/** An expression for reaching a weight, sharing common suffixes; undefined if it is unreachable. */
function reaching(units: readonly Weighed[], needed: number): Expression | undefined {
  const enough = units.filter(({ weight }) => weight >= needed).map(({ expression }) => expression)
  const small = units.filter(({ weight }) => weight < needed)
  const any = [...enough]
  for (const [at, unit] of small.entries()) {
    const rest = reaching(small.slice(at + 1), needed - unit.weight)
    if (rest) any.push({ all: [unit.expression, rest] })
  }
  return any.length > 1 ? { any } : any[0]
}

function grouped(concepts: Concept[]): Concept[] {
  if (concepts.length <= MAX_GROUPS) return concepts
  const rest = concepts.slice(MAX_GROUPS - 1)
  const last: Concept = {
    label: rest.map(({ label }) => label).join(' or '),
    role: 'outcome',
    terms: rest.flatMap(({ terms }) => terms),
    synonyms: [],
    required: true,
  }
  return [...concepts.slice(0, MAX_GROUPS - 1), last]
}

/** Drops what does not fit, least important first: synonyms, then the ends of lists, then groups. */
function fitting(concepts: Concept[]): Concept[] {
  const length = (all: readonly Concept[]) =>
    all.reduce((sum, { terms, synonyms }) => sum + lengthOf([...terms, ...synonyms]), 0)
  if (length(concepts) <= MAX_LENGTH) return concepts
  const plain = concepts.map((concept) => ({ ...concept, synonyms: [] }))
  if (length(plain) <= MAX_LENGTH) return plain
  const share = MAX_LENGTH / concepts.length
  return plain.map((concept) => {
    let room = share
    const terms = concept.terms.filter((term, at) => {
      room -= lengthOf([term])
      return at === 0 || room >= 0
    })
    return { ...concept, terms }
  })
}

function lengthOf(terms: readonly string[]): number {
  return terms.reduce((sum, term) => sum + encodeURIComponent(term).length + AROUND, 0)
}

function strictGroup({ terms, synonyms }: Concept): Expression {
  return anyOf([...terms, ...synonyms])
}

function looseGroup({ terms, synonyms }: Concept): Expression {
  const any = [...terms.map(loose), ...synonyms.map(leaf)]
  return any.length === 1 ? (any[0] as Expression) : { any }
}

function anyOf(terms: readonly string[]): Expression {
  return terms.length === 1 ? leaf(terms[0] as string) : { any: terms.map(leaf) }
}

function leaf(term: string): Leaf {
  return { term, form: words(term).length > 1 ? 'phrase' : 'word' }
}

/** A phrase whose words may appear anywhere; names, numbers and abbreviations stay whole. */
function loose(term: string): Expression {
  const parts = strongWords(term)
  if (staysWhole(term)) return leaf(term)
  const all = parts.map((part) => anyOf([part, ...otherForms(part)]))
  return all.length === 1 ? (all[0] as Expression) : { all }
}

function staysWhole(term: string): boolean {
  return isName(term) || /\d/.test(term) || /\s\p{Lu}/u.test(term)
}

/** The content words of a phrase, or all its words if none is. */
export function strongWords(term: string): string[] {
  const parts = term.split(/\s+/).filter((part) => words(part).length > 0)
  const strong = parts.filter((part) => {
    const word = part.toLowerCase()
    return (
      !WEAK_WORDS.has(word) && !FUNCTION_WORDS.has(word) && !/^(?:effects?|impacts?|efficacy)$/.test(word)
    )
  })
  return strong.length > 0 ? strong : parts
}

/** A step with the keywords that the request requires and excludes. */
export function withKeywords(
  expression: Expression,
  { include_keywords, exclude_keywords }: LiteratureInputs,
): Expression {
  const isWord = (keyword: string) => words(keyword).length > 0
  const include = (include_keywords ?? []).filter(isWord)
  const exclude = (exclude_keywords ?? []).filter(isWord)
  const all = [expression]
  // Use all or none, and none if they do not fit: the screening applies them again to every record.
  if (include.length > 0 && lengthOf(include) < KEYWORDS_LENGTH) all.push({ any: include.map(leaf) })
  if (exclude.length > 0 && lengthOf(exclude) < KEYWORDS_LENGTH) all.push({ not: { any: exclude.map(leaf) } })
  return all.length > 1 ? { all } : expression
}
const KEYWORDS_LENGTH = 500

/** Uses the syntax that these sources share (AND, OR, NOT, brackets); `term` writes one term. */
export function render(expression: Expression, term: (leaf: Leaf) => string): string {
  if ('term' in expression) return term(expression)
  if ('not' in expression) return `NOT ${render(expression.not, term)}`
  const [parts, word] = 'any' in expression ? [expression.any, ' OR '] : [expression.all, ' AND ']
  const written = parts.map((part) => render(part, term))
  if (written.length === 1) return written[0] as string
  return `(${written.join(word).replaceAll(' AND NOT ', ' NOT ')})`
}

/** A term without characters that a query syntax could interpret. */
export function plainTerm(term: string): string {
  return term
    .normalize('NFKC')
    .replace(/[^\p{L}\p{M}\p{N}:/.'-]+/gu, ' ')
    .trim()
}

export function quoted(term: string): string {
  return `"${plainTerm(term)}"`
}

/** The distinct terms of an expression. */
export function termsIn(expression: Expression): string[] {
  return [...new Set(leavesIn(expression))]
}

/** All terms, including repeats. */
function leavesIn(expression: Expression): string[] {
  if ('term' in expression) return [expression.term]
  if ('not' in expression) return []
  return ('any' in expression ? expression.any : expression.all).flatMap(leavesIn)
}

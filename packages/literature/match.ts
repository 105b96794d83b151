/** Whether a record covers a question, and which words show it. Compares stems, so endings do not matter. */

import { type Expression, strongWords } from './plan.ts'
import type { Concept, Query } from './query.ts'
import { otherForms } from './synonyms.ts'
import { words } from './text.ts'

/** Explains the decision to readers of the review. */
export const MATCH_RULE =
  'A record matches a concept if its title or abstract contains one of the terms or synonyms of the concept, or all ' +
  'significant words of a term; word endings and British or American spelling are ignored. A record is included if it ' +
  'matches every required concept except setting and comparator (one in four may be missing), or if it matches the ' +
  'search step that filled the review and contains a word of the topic or intervention; a single word is not enough if ' +
  'an undecided record matches two concepts. A record is excluded if it matches less than half of every concept. ' +
  'Otherwise it is uncertain.'

/** Where one record covers one concept. */
export interface Hit {
  concept: string
  title: string[]
  abstract: string[]
}

/** The searched fields of a record. */
export interface Readable {
  title: string
  abstract: string | null
}

/** A record's words, prepared once. */
export interface Prepared {
  title: string
  abstract: string
  stems: ReadonlySet<string>
}

export function prepare({ title, abstract }: Readable): Prepared {
  const [inTitle, inAbstract] = [words(title), words(abstract ?? '')]
  return {
    title: ` ${inTitle.join(' ')} `,
    abstract: ` ${inAbstract.join(' ')} `,
    stems: new Set([...inTitle, ...inAbstract]),
  }
}

/** The stemmed concepts of a question, prepared once for all records. */
export interface Sought {
  concept: Concept
  terms: { term: string; text: string; parts: string[][] }[]
}

export function soughtIn({ concepts }: Query): Sought[] {
  return concepts.map((concept) => ({
    concept,
    terms: [...concept.terms, ...concept.synonyms].map((term) => ({
      term,
      text: ` ${words(term).join(' ')} `,
      // Only the question's own words may be apart, each in any of its forms.
      parts: concept.terms.includes(term)
        ? strongWords(term).map((part) => [part, ...otherForms(part)].map(joined))
        : [],
    })),
  }))
}

const joined = (text: string) => words(text).join(' ')

/** How well a record covers a concept: 1 if fully, otherwise the share of the best term's content words. */
export function degree({ terms }: Sought, { title, abstract, stems }: Prepared): number {
  let best = 0
  for (const { text, parts } of terms) {
    if (text.trim() !== '' && (title.includes(text) || abstract.includes(text))) return 1
    if (parts.length === 0) continue
    const found = parts.filter((forms) => forms.some((form) => has(form, title, abstract, stems))).length
    best = Math.max(best, found / parts.length)
  }
  return best
}

function has(form: string, title: string, abstract: string, stems: ReadonlySet<string>): boolean {
  if (!form.includes(' ')) return stems.has(form)
  return title.includes(` ${form} `) || abstract.includes(` ${form} `)
}

/** Hits for every concept that the record covers, in the question's order. */
export function hits(query: Query, paper: Readable): Hit[] {
  return hitsIn(soughtIn(query), prepare(paper))
}

function hitsIn(sought: readonly Sought[], prepared: Prepared): Hit[] {
  return sought.flatMap((one) => {
    if (degree(one, prepared) < 1) return []
    const named = (text: string) =>
      one.terms.filter((term) => text.includes(term.text)).map(({ term }) => term)
    const [title, abstract] = [named(prepared.title), named(prepared.abstract)]
    if (title.length > 0 || abstract.length > 0) return [{ concept: one.concept.label, title, abstract }]
    // The words are apart, so report the term for the abstract.
    const apart = one.terms.filter(({ parts }) => parts.length > 0).map(({ term }) => term)
    return [{ concept: one.concept.label, title: [], abstract: apart.slice(0, 1) }]
  })
}

/** Whether a record matches an expression. */
export function meets(expression: Expression, prepared: Prepared): boolean {
  if ('not' in expression) return !meets(expression.not, prepared)
  if ('any' in expression) return expression.any.some((part) => meets(part, prepared))
  if ('all' in expression) return expression.all.every((part) => meets(part, prepared))
  const { title, abstract, stems } = prepared
  const text = joined(expression.term)
  return text !== '' && has(text, title, abstract, stems)
}

/** Whether a record deals with a question, and by which of its words. */
import { leadingConcept, otherConcepts, type Query } from './query.ts'
import { hasPhrase, phraseText } from './text.ts'

/** How the decision is made, for the reader of the review. */
export const MATCH_RULE =
  'A record matches when its title or abstract deals with the leading concept and, where the question has more ' +
  'required concepts, with at least one of them. It deals with a concept when `needs` of its terms occur.'

/** The terms of one concept found in one record. */
export interface Hit {
  concept: string
  title: string[]
  abstract: string[]
}

/** What is looked through of a record. */
export interface Readable {
  title: string
  abstract: string | null
}

/** Hits of every concept the record deals with, in the question's order. */
export function hits(query: Query, paper: Readable): Hit[] {
  const title = phraseText(paper.title)
  const abstract = phraseText(paper.abstract ?? '')
  return query.concepts.flatMap(({ label, terms, needs }) => {
    const hit: Hit = {
      concept: label,
      title: terms.filter((term) => hasPhrase(title, term)),
      abstract: terms.filter((term) => hasPhrase(abstract, term)),
    }
    return new Set([...hit.title, ...hit.abstract]).size >= needs ? [hit] : []
  })
}

export function matches(query: Query, paper: Readable): boolean {
  const leading = leadingConcept(query)
  if (!leading) return false
  const found = new Set(hits(query, paper).map((hit) => hit.concept))
  const others = otherConcepts(query)
  return found.has(leading.label) && (others.length === 0 || others.some(({ label }) => found.has(label)))
}

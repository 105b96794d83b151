/** Whether a record deals with a question, and by which of its words. */
import type { Concept, Paper, Query } from './source.ts'
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

/** Hits of every concept the record deals with, in the question's order. */
export function hits(query: Query, paper: Paper): Hit[] {
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

export function matches(query: Query, paper: Paper): boolean {
  const required = query.concepts.filter((concept) => concept.required)
  const leading = leadingConcept(required)
  if (!leading) return false
  const found = new Set(hits(query, paper).map((hit) => hit.concept))
  const others = required.filter((concept) => concept !== leading)
  return found.has(leading.label) && (others.length === 0 || others.some(({ label }) => found.has(label)))
}

/** The first thing asked about that is not merely where or in whom. */
function leadingConcept(required: Concept[]): Concept | undefined {
  return required.find(({ role }) => role !== 'population') ?? required[0]
}

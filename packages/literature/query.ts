/** A framed question as planning, matching and ranking need it. */

export interface Query {
  /** The question with white space tidied. */
  question: string
  concepts: Concept[]
  /** Normalised single words that only influence the order. */
  extra: string[]
}

export type Role = 'population' | 'intervention' | 'comparator' | 'outcome' | 'topic'

/** One thing the question is about; a record deals with it when enough of the terms occur. */
export interface Concept {
  label: string
  role: Role
  /** The words of the question first, then synonyms; as people write them. */
  terms: string[]
  /** How many different terms must occur: 1 for names of one thing, most words of a phrase nobody explained. */
  needs: number
  /** Whether a record may be kept for it; the others only influence the order. */
  required: boolean
}

/** The first thing asked about that is not merely where or in whom. */
export function leadingConcept({ concepts }: Query): Concept | undefined {
  const required = concepts.filter((concept) => concept.required)
  return required.find(({ role }) => role !== 'population') ?? required[0]
}

/** The required concepts besides the leading one: a record must deal with one of them, if there are any. */
export function otherConcepts(query: Query): Concept[] {
  const leading = leadingConcept(query)
  return query.concepts.filter((concept) => concept.required && concept !== leading)
}

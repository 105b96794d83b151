/** A question as planning, screening and ranking need it. */

export interface Query {
  /** The question with white space tidied. */
  question: string
  /** Where the concepts come from. */
  by: 'question' | 'concepts' | 'query'
  concepts: Concept[]
  /** Content words that no query contains, each with the reason. */
  left_out: LeftOut[]
}

export const ROLES = ['intervention', 'topic', 'population', 'comparator', 'outcome', 'setting'] as const
export type Role = (typeof ROLES)[number]

/** One thing that the question is about. A record covers it if it contains a term or synonym. */
export interface Concept {
  label: string
  role: Role
  /** Alternative terms from the question. */
  terms: string[]
  /** Other names for the same thing. */
  synonyms: string[]
  /** Whether a query includes it. Other concepts only influence the order. */
  required: boolean
}

export interface LeftOut {
  word: string
  reason: string
}

/** The order in which a search drops roles. */
const LET_GO: readonly Role[] = ['setting', 'comparator', 'outcome', 'population']

/** The required concepts, most important first; a search drops the last one first. */
export function byImportance(query: Query): Concept[] {
  const rank = ({ role }: Concept) => LET_GO.length - 1 - LET_GO.indexOf(role)
  const weight = (concept: Concept) => (LET_GO.includes(concept.role) ? rank(concept) + 1 : 0)
  return query.concepts.filter(({ required }) => required).sort((a, b) => weight(a) - weight(b))
}

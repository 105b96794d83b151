/** A question as planning, screening and ranking need it. */

export interface Query {
  /** The question with white space tidied. */
  question: string
  /** What the concepts are read from. */
  by: 'question' | 'concepts' | 'query'
  concepts: Concept[]
  /** Content words that no query holds, each with the reason. */
  left_out: LeftOut[]
}

export const ROLES = ['intervention', 'topic', 'population', 'comparator', 'outcome', 'setting'] as const
export type Role = (typeof ROLES)[number]

/** One thing the question is about. A record deals with it when it has one of its terms or synonyms. */
export interface Concept {
  label: string
  role: Role
  /** The words of the question: alternatives of each other. */
  terms: string[]
  /** Other names of the same thing. */
  synonyms: string[]
  /** Whether a query asks for it; what is not required only influences the order. */
  required: boolean
}

export interface LeftOut {
  word: string
  reason: string
}

/** Roles in the order in which a search lets go of them: where and with what it is compared come first. */
const LET_GO: readonly Role[] = ['setting', 'comparator', 'outcome', 'population']

/** The required concepts, what matters most first; the last one is the first to be let go. */
export function byImportance(query: Query): Concept[] {
  const rank = ({ role }: Concept) => LET_GO.length - 1 - LET_GO.indexOf(role)
  const weight = (concept: Concept) => (LET_GO.includes(concept.role) ? rank(concept) + 1 : 0)
  return query.concepts.filter(({ required }) => required).sort((a, b) => weight(a) - weight(b))
}

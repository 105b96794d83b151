/** Where records come from. */

/** One record in the shape every source is brought into. */
export interface Paper {
  id: string
  source: string
  title: string
  authors: string[]
  year: number
  journal: string
  doi: string | null
  abstract: string | null
  /** As the source gives them, e.g. `Randomized Controlled Trial`. */
  publication_types: string[]
  cited_by: number
  /** ISO 639-1. */
  language: string
  retracted: boolean
  /** Ids of other versions of the same work, e.g. the preprint of an article. */
  related: string[]
}

/** A framed question as sources and ranking need it. */
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
  /** The words of the question first, then synonyms. */
  terms: string[]
  /** How many of `terms` are the question's own. */
  own: number
  /** How many different terms must occur: 1 for names of one thing, most words of a phrase nobody explained. */
  needs: number
  /** Whether a record may be kept for it; the others only influence the order. */
  required: boolean
}

export interface SearchResult {
  /** Records the source looked through, where it can tell. */
  read: number
  papers: Paper[]
}

export interface Source {
  name: string
  /** What a reader must be told about everything from here; null when there is nothing to say. */
  notice: string | null
  search(query: Query, signal: AbortSignal): Promise<SearchResult>
}

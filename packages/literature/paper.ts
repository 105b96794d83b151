/** A piece of literature: as one source gives it, and as the review works with it. */
import { type Static, Type } from '@sinclair/typebox'

const Text = Type.Union([Type.String(), Type.Null()])

/** A person by surname and given names (or their initials), or a group by its whole name. */
export const Author = Type.Union([
  Type.Object({ family: Type.String(), given: Text }),
  Type.Object({ literal: Type.String() }),
])
export type Author = Static<typeof Author>

/** One hit of one source in that source's own words: DOIs as links, abstracts with markup, codes as it has them. */
export const SourceRecord = Type.Object({
  source: Type.String(),
  /** The source's own id. */
  raw_id: Type.String(),
  doi: Text,
  pmid: Text,
  pmcid: Text,
  title: Type.String(),
  authors: Type.Array(Author),
  year: Type.Union([Type.Integer(), Type.Null()]),
  journal: Text,
  volume: Text,
  issue: Text,
  pages: Text,
  abstract: Text,
  publication_types: Type.Array(Type.String()),
  cited_by: Type.Union([Type.Integer(), Type.Null()]),
  language: Text,
  retracted: Type.Boolean(),
  preprint: Type.Boolean(),
  /** Raw ids of other versions of the same work, where the source tells. */
  related: Type.Array(Type.String()),
})
export type SourceRecord = Static<typeof SourceRecord>

/** Fields of a paper that are taken from one source each. */
export const FIELDS = [
  'title',
  'authors',
  'year',
  'journal',
  'volume',
  'issue',
  'pages',
  'doi',
  'pmid',
  'pmcid',
  'abstract',
  'cited_by',
  'language',
] as const
export type Field = (typeof FIELDS)[number]

/** Where a paper was found: the source, its own id, its place there (1 = best match of that source). */
export interface RecordRef {
  source: string
  id: string
  place: number
}

/** Another paper of this review that is a version of the same work, and not a duplicate of it. */
export interface Related {
  id: string
  /** What the other one is. */
  relation: 'preprint' | 'article' | 'version'
}

/** One paper: the records linked as the same publication, each field from the best source that has it. */
export interface Paper {
  /** `doi:…`, else `pmid:…`, else `pmcid:…`, else `<source>:<raw id>`. */
  id: string
  /** The source its title is from. */
  source: string
  records: RecordRef[]
  field_sources: Partial<Record<Field, string>>
  title: string
  authors: Author[]
  year: number | null
  journal: string | null
  volume: string | null
  issue: string | null
  pages: string | null
  /** Lower case, without a resolver in front. */
  doi: string | null
  pmid: string | null
  /** With its `PMC`. */
  pmcid: string | null
  /** Plain text; a labelled section begins on a line of its own with `Label: `. */
  abstract: string | null
  /** As the sources spell them. */
  publication_types: string[]
  cited_by: number | null
  /** ISO 639-1 where there is such a code. */
  language: string | null
  retracted: boolean
  preprint: boolean
  related: Related[]
}

/** A record with nothing in it, to be filled by a connector. */
export function emptyRecord(source: string, raw_id: string): SourceRecord {
  return {
    source,
    raw_id,
    doi: null,
    pmid: null,
    pmcid: null,
    title: '',
    authors: [],
    year: null,
    journal: null,
    volume: null,
    issue: null,
    pages: null,
    abstract: null,
    publication_types: [],
    cited_by: null,
    language: null,
    retracted: false,
    preprint: false,
    related: [],
  }
}

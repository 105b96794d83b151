/** A piece of literature: as one source gives it, and as the review works with it. */
import { type Static, Type } from '@sinclair/typebox'

const Text = Type.Union([Type.String(), Type.Null()])

/** A person by surname and given names (or their initials), or a group by its whole name. */
export const Author = Type.Union([
  Type.Object({
    family: Type.String(),
    given: Text,
    /** "Jr", "III". */
    suffix: Type.Optional(Type.String()),
  }),
  Type.Object({ literal: Type.String() }),
])
export type Author = Static<typeof Author>

/** What was published, as reference managers tell it apart. */
export const WORK_TYPES = [
  'article',
  'preprint',
  'book',
  'chapter',
  'thesis',
  'conference_paper',
  'proceedings',
  'report',
  'dataset',
  'other',
] as const
export type WorkType = (typeof WORK_TYPES)[number]
const WorkTypeOrNull = Type.Union([...WORK_TYPES.map((type) => Type.Literal(type)), Type.Null()])

/** A place where the full text can be read by anybody, as a source names it. */
export const OpenLink = Type.Object({
  url: Type.String(),
  /** The source that sent it. */
  source: Type.String(),
  format: Type.Union([Type.Literal('pdf'), Type.Literal('page')]),
  license: Text,
})
export type OpenLink = Static<typeof OpenLink>

export const NOTICE_TYPES = [
  'correction',
  'retraction',
  'withdrawal',
  'expression_of_concern',
  'other_update',
] as const
export type NoticeType = (typeof NOTICE_TYPES)[number]
const NoticeTypeSchema = Type.Union(NOTICE_TYPES.map((type) => Type.Literal(type)))

/** A publication that another one is about, by any of its names. */
const Target = Type.Object({ doi: Text, pmid: Text })
export type Target = Static<typeof Target>

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
  /** Null where the source does not tell. */
  work_type: WorkTypeOrNull,
  month: Type.Union([Type.Integer({ minimum: 1, maximum: 12 }), Type.Null()]),
  /** Where an article has no pages. */
  article_number: Text,
  publisher: Text,
  isbn: Type.Array(Type.String()),
  /** Every language of the text; `language` is the first. */
  languages: Type.Array(Type.String()),
  /** Subject headings of MEDLINE. */
  mesh: Type.Array(Type.String()),
  open_access: Type.Array(OpenLink),
  /** Set where the record is itself a notice about other publications. */
  notice: Type.Union([Type.Object({ type: NoticeTypeSchema, about: Type.Array(Target) }), Type.Null()]),
  /** Notices about this record, as the source tells them. */
  notices: Type.Array(Type.Object({ type: NoticeTypeSchema, by: Target })),
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
  'languages',
  'work_type',
  'month',
  'article_number',
  'publisher',
  'isbn',
  'mesh',
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

/** A notice that marks a paper: where it was published, and which source reported it. */
export interface Mark {
  type: NoticeType
  doi: string | null
  pmid: string | null
  source: string
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
  /** Where it stands: a journal, a book, proceedings or the server of a preprint. */
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
  work_type: WorkType | null
  month: number | null
  article_number: string | null
  publisher: string | null
  isbn: string[]
  /** ISO 639-1 where there are such codes; the first is `language`. */
  languages: string[]
  mesh: string[]
  open_access: OpenLink[]
  /** What the paper is a notice of; null if it is not a notice. */
  notice: { type: NoticeType; about: Target[] } | null
  /** Notices about it, in the order of their type and name. */
  notices: Mark[]
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
    work_type: null,
    month: null,
    article_number: null,
    publisher: null,
    isbn: [],
    languages: [],
    mesh: [],
    open_access: [],
    notice: null,
    notices: [],
    related: [],
  }
}

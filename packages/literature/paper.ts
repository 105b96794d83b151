/** A publication, as one source returns it and as the review uses it. */
import { type Static, Type } from '@sinclair/typebox'

const Text = Type.Union([Type.String(), Type.Null()])

/** A person's surname and given names (or initials), or a group's full name. */
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

/** Publication types that reference managers distinguish. */
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

/** A link to the free full text, as reported by a source. */
export const OpenLink = Type.Object({
  url: Type.String(),
  /** The source that reported it. */
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

/** A publication that a notice is about, by its identifiers. */
const Target = Type.Object({ doi: Text, pmid: Text })
export type Target = Static<typeof Target>

/** One hit in the source's own form: DOIs as links, abstracts with markup, its own codes. */
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
  /** Null if the source does not say. */
  work_type: WorkTypeOrNull,
  month: Type.Union([Type.Integer({ minimum: 1, maximum: 12 }), Type.Null()]),
  /** For articles without pages. */
  article_number: Text,
  publisher: Text,
  isbn: Type.Array(Type.String()),
  /** All languages of the text; `language` is the first. */
  languages: Type.Array(Type.String()),
  /** MEDLINE subject headings. */
  mesh: Type.Array(Type.String()),
  open_access: Type.Array(OpenLink),
  /** Set if the record is itself a notice about other publications. */
  notice: Type.Union([Type.Object({ type: NoticeTypeSchema, about: Type.Array(Target) }), Type.Null()]),
  /** Notices about this record, as reported by the source. */
  notices: Type.Array(Type.Object({ type: NoticeTypeSchema, by: Target })),
  /** Raw ids of other versions of the same work, if the source reports them. */
  related: Type.Array(Type.String()),
})
export type SourceRecord = Static<typeof SourceRecord>

/** Fields that each come from a single source. */
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

/** Where a paper was found: the source, its id there, and its position (1 = best match). */
export interface RecordRef {
  source: string
  id: string
  place: number
}

/** Another paper in this review that is a version of the same work but not a duplicate. */
export interface Related {
  id: string
  /** What the other paper is. */
  relation: 'preprint' | 'article' | 'version'
}

/** A notice about a paper, and the source that reported it. */
export interface Mark {
  type: NoticeType
  doi: string | null
  pmid: string | null
  source: string
}

/** One paper: linked records of the same publication, with each field from the best source that has it. */
export interface Paper {
  /** `doi:…`, else `pmid:…`, else `pmcid:…`, else `<source>:<raw id>`. */
  id: string
  /** The source of its title. */
  source: string
  records: RecordRef[]
  field_sources: Partial<Record<Field, string>>
  title: string
  authors: Author[]
  year: number | null
  /** The journal, book, proceedings or preprint server. */
  journal: string | null
  volume: string | null
  issue: string | null
  pages: string | null
  /** Lower case, without a resolver prefix. */
  doi: string | null
  pmid: string | null
  /** With the `PMC` prefix. */
  pmcid: string | null
  /** Plain text. Each labelled section starts a line with `Label: `. */
  abstract: string | null
  /** As the sources spell them. */
  publication_types: string[]
  cited_by: number | null
  /** ISO 639-1 if the language has such a code. */
  language: string | null
  retracted: boolean
  preprint: boolean
  work_type: WorkType | null
  month: number | null
  article_number: string | null
  publisher: string | null
  isbn: string[]
  /** ISO 639-1 where such codes exist; the first is `language`. */
  languages: string[]
  mesh: string[]
  open_access: OpenLink[]
  /** Set if the paper is itself a notice. */
  notice: { type: NoticeType; about: Target[] } | null
  /** Notices about the paper, sorted by type and identifier. */
  notices: Mark[]
  related: Related[]
}

/** An empty record for a connector to fill. */
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

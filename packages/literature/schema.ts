/** The published schema of `literature_review.json`, and the source of docs/literature-review.schema.json. */
import { type Static, Type } from '@sinclair/typebox'
import { LiteratureInputs, STUDY_TYPES } from '../../contract/literature.ts'
import { Author, FIELDS, NOTICE_TYPES, OpenLink, WORK_TYPES } from './paper.ts'
import { ROLES } from './query.ts'

export const SCHEMA_ID = 'urn:stagecast:schema:literature-review:1'

const Text = Type.Union([Type.String(), Type.Null()])
const Count = Type.Integer({ minimum: 0 })
const Counts = (description: string) => Type.Record(Type.String(), Count, { description })
const words = <T extends string>(...values: T[]) => Type.Union(values.map((value) => Type.Literal(value)))
const closed = <T extends Parameters<typeof Type.Object>[0]>(properties: T, description?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(description && { description }) })

const Span = {
  text: Type.String(),
  start: Type.Integer({ minimum: 0, description: 'place in the abstract, in UTF-16 units' }),
  end: Type.Integer({ minimum: 0, description: 'after the last unit' }),
}
const Statement = closed({ ...Span, by: words('label', 'words') })
const Kind = closed(
  {
    type: words(...STUDY_TYPES),
    by: words('publication type', 'title', 'subject heading', 'abstract'),
    text: Type.String({ description: 'the words that state it' }),
  },
  'the kind of study',
)

const Mark = closed({ type: words(...NOTICE_TYPES), doi: Text, pmid: Text, source: Type.String() })
const Criteria = closed(
  { met: Type.Array(Type.String()), missed: Type.Array(Type.String()) },
  'concepts and options by whether the record has them; unknown counts as missed',
)

const Ruling = {
  decision: words('included', 'excluded', 'uncertain'),
  rule: Type.String(),
  reason: Type.String(),
}
const Ruled = closed(Ruling, 'what the rules said, where a person decided')

export const ReviewedPaper = closed({
  rank: Type.Integer({ minimum: 1 }),
  id: Type.String({ description: 'doi:, pmid:, pmcid: or <source>: and the identifier' }),
  source: Type.String({ description: 'the source its title is from' }),
  records: Type.Array(
    closed({ source: Type.String(), id: Type.String(), place: Type.Integer({ minimum: 1 }) }),
    {
      minItems: 1,
      description: 'every record linked to this paper, with its rank in its source',
    },
  ),
  field_sources: Type.Partial(
    Type.Object(Object.fromEntries(FIELDS.map((field) => [field, Type.String()]))),
    {
      description: 'which source a field is from',
      additionalProperties: false,
    },
  ),
  title: Type.String(),
  authors: Type.Array(Author),
  year: Type.Union([Type.Integer(), Type.Null()]),
  journal: Text,
  volume: Text,
  issue: Text,
  pages: Text,
  doi: Text,
  pmid: Text,
  pmcid: Text,
  abstract: Text,
  publication_types: Type.Array(Type.String()),
  cited_by: Type.Union([Type.Integer(), Type.Null()]),
  language: Text,
  retracted: Type.Boolean(),
  preprint: Type.Boolean(),
  work_type: Type.Union([words(...WORK_TYPES), Type.Null()]),
  month: Type.Union([Type.Integer({ minimum: 1, maximum: 12 }), Type.Null()]),
  article_number: Text,
  publisher: Text,
  isbn: Type.Array(Type.String()),
  languages: Type.Array(Type.String(), { description: 'of the text; the first one is language' }),
  mesh: Type.Array(Type.String(), { description: 'subject headings of MEDLINE' }),
  open_access: Type.Array(OpenLink, {
    description: 'open-access full texts, as the sources report them',
  }),
  notices: Type.Array(Mark, { description: 'corrections, retractions and similar notices about it' }),
  related: Type.Array(closed({ id: Type.String(), relation: words('preprint', 'article', 'version') })),
  study_type: Type.Union([Kind, Type.Null()], { description: 'null if not stated' }),
  screening: closed({ ...Ruling, criteria: Criteria, ruled: Type.Optional(Ruled) }),
  ranking: closed({
    score: Type.Number({ description: 'sum of the shares; only comparable within one review' }),
    parts: Type.Array(
      closed({ by: Type.String(), place: Type.Integer({ minimum: 1 }), share: Type.Number() }),
    ),
    bm25: Type.Number(),
    citations_per_year: Type.Union([Type.Number(), Type.Null()]),
  }),
  matched_terms: Type.Array(Type.String()),
  why: Type.String(),
  extraction: closed({
    sample_size: Type.Union([closed({ ...Span, value: Type.Integer({ minimum: 1 }) }), Type.Null()]),
    results: Type.Array(Statement),
    conclusions: Type.Array(Statement),
  }),
})
export type ReviewedPaper = Static<typeof ReviewedPaper>

export const LiteratureReview = Type.Object(
  {
    $schema: Type.Literal(SCHEMA_ID),
    kind: Type.Literal('literature_review'),
    source: Type.String({ description: 'the searched sources, separated by commas' }),
    notice: Text,
    degraded: Type.Boolean({ description: 'a source failed: see warnings' }),
    warnings: Type.Array(closed({ source: Type.String(), code: Type.String(), message: Type.String() })),
    question: Type.String(),
    inputs: Type.Omit(LiteratureInputs, ['records'], { additionalProperties: false }),
    imports: Type.Array(
      closed({
        source: Type.String(),
        format: words('ris', 'nbib', 'bibtex', 'csl'),
        records: Count,
        sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      }),
      { description: 'records that the user gave' },
    ),
    concepts: Type.Array(
      closed({
        label: Type.String(),
        role: words(...ROLES),
        terms: Type.Array(Type.String(), {
          description: 'words of the question; any of them matches',
        }),
        synonyms: Type.Array(Type.String(), { description: 'other names of the same thing' }),
        required: Type.Boolean({ description: 'false: it only influences the order' }),
      }),
    ),
    left_out: Type.Array(closed({ word: Type.String(), reason: Type.String() }), {
      description: 'content words of the question that no query holds',
    }),
    match_rule: Type.String(),
    summary: closed({
      source: Type.String(),
      notice: Text,
      text: Type.String(),
      study_types: Counts('included papers by kind of study'),
      themes: Type.Array(
        closed({
          label: Type.String(),
          kind: words('concept', 'phrase'),
          paper_ids: Type.Array(Type.String()),
        }),
      ),
      gaps: Type.Array(
        closed({
          gap: Type.String(),
          text: Type.String(),
          count: Count,
          of: Count,
          paper_ids: Type.Array(Type.String()),
        }),
      ),
      limitations: Type.Array(Type.String()),
    }),
    counts: closed(
      {
        identified: { ...Count, description: 'what the sources say they have' },
        unread: { ...Count, description: 'of these, not read because of a limit' },
        read: Count,
        unusable: Count,
        duplicates: Count,
        notices: {
          ...Count,
          description: 'corrections, retractions and similar notices, counted separately',
        },
        decided_by_person: { ...Count, description: 'screened records decided by a person' },
        screened: Count,
        excluded: Count,
        excluded_by_rule: Counts('adds up to excluded'),
        uncertain: Count,
        uncertain_by_rule: Counts('adds up to uncertain'),
        included: Count,
      },
      'identified = unread + read; read = unusable + duplicates + notices + screened; screened = included + excluded + uncertain',
    ),
    papers: Type.Array(ReviewedPaper, { description: 'included papers, the best first' }),
    uncertain: Type.Array(ReviewedPaper, { description: 'undecided, the best first' }),
    excluded: Type.Array(
      closed({
        id: Type.String(),
        source: Type.String(),
        title: Type.String(),
        rule: Type.String(),
        reason: Type.String(),
        criteria: Criteria,
        ruled: Type.Optional(Ruled),
      }),
    ),
    notices: Type.Array(
      closed({
        id: Type.String(),
        source: Type.String(),
        title: Type.String(),
        year: Type.Union([Type.Integer(), Type.Null()]),
        doi: Text,
        pmid: Text,
        type: words(...NOTICE_TYPES),
        about: Type.Array(Type.String(), { description: 'ids of papers of this review' }),
      }),
    ),
    undecided: Type.Array(Type.String(), { description: 'ids of decisions for which no paper was found' }),
    artifacts: Type.Array(
      closed({ name: Type.String(), bytes: Count, sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
      { description: 'the files beside this one' },
    ),
  },
  {
    $id: SCHEMA_ID,
    title: 'Literature review',
    description: 'What stage 2 writes as literature_review.json',
    additionalProperties: false,
  },
)
export type LiteratureReview = Static<typeof LiteratureReview>

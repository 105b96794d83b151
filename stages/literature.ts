/** Options of stage 2, the literature review: what a client may put into `inputs`. */
import { type Static, Type } from '@sinclair/typebox'

/** Where records come from. `sample` is the shipped set of invented records and is never mixed with the others. */
export const LiteratureSource = Type.Union(
  ['sample', 'europepmc', 'pubmed', 'openalex', 'crossref'].map((name) => Type.Literal(name)),
)

/** Kinds of study the screening step can tell apart. */
export const StudyType = Type.Union(
  [
    'systematic_review',
    'meta_analysis',
    'randomized_controlled_trial',
    'clinical_trial',
    'cohort',
    'case_control',
    'cross_sectional',
    'case_report',
    'review',
    'animal',
    'in_vitro',
    'protocol',
    'editorial',
    'other',
  ].map((name) => Type.Literal(name)),
)

const Year = Type.Integer({ minimum: 1500, maximum: 2200 })
const Keyword = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
const keywords = (description: string) => Type.Array(Keyword, { maxItems: 50, description })

export const LiteratureInputs = Type.Object(
  {
    sources: Type.Optional(Type.Array(LiteratureSource, { minItems: 1, uniqueItems: true })),
    max_results: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 25 })),
    year_from: Type.Optional(Year),
    year_to: Type.Optional(Year),
    study_types: Type.Optional(Type.Array(StudyType, { minItems: 1, uniqueItems: true })),
    include_keywords: Type.Optional(keywords('at least one must occur in title or abstract')),
    exclude_keywords: Type.Optional(keywords('none may occur in title or abstract')),
    language: Type.Optional(Type.String({ pattern: '^[a-z]{2}$', description: 'ISO 639-1, e.g. "en"' })),
    require_abstract: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type LiteratureInputs = Static<typeof LiteratureInputs>

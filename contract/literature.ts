/** Options of stage 2, the literature review: the fields of `inputs`. */
import { type Static, Type } from '@sinclair/typebox'

/** Sources of records. `sample` is a bundled set of invented records; it is never combined with the others. */
export const LITERATURE_SOURCES = ['sample', 'europepmc', 'pubmed', 'openalex', 'crossref'] as const
/** Sources that can be searched. */
const SEARCHING = LITERATURE_SOURCES.filter((name) => name !== 'crossref')
export type SourceName = (typeof LITERATURE_SOURCES)[number]
const LiteratureSource = Type.Union(LITERATURE_SOURCES.map((name) => Type.Literal(name)))

/** Study types that screening can distinguish. */
export const STUDY_TYPES = [
  'systematic_review',
  'meta_analysis',
  'randomized_controlled_trial',
  'clinical_trial',
  'cohort',
  'case_control',
  'cross_sectional',
  'observational',
  'case_report',
  'qualitative',
  'guideline',
  'review',
  'animal',
  'in_vitro',
  'protocol',
  'editorial',
  'other',
] as const
export type StudyType = (typeof STUDY_TYPES)[number]
const StudyTypeName = Type.Union(STUDY_TYPES.map((name) => Type.Literal(name)))

const Year = Type.Integer({ minimum: 1500, maximum: 2200 })
const Keyword = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '\\S',
  description: 'a text of 1 to 100 characters that is not blank',
})
const SourceQuery = Type.String({
  minLength: 1,
  maxLength: 3000,
  pattern: '\\S',
  description: 'a query in the syntax of its source, 1 to 3000 characters',
})
const keywords = (description: string) => Type.Array(Keyword, { maxItems: 50, description })

const RecordsText = Type.String({ minLength: 1, maxLength: 2_000_000, pattern: '\\S' })
const NamedRecords = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 60,
        pattern: '\\S',
        description: 'name of the database, e.g. "Embase"',
      }),
    ),
    text: RecordsText,
  },
  { additionalProperties: false },
)
const DecisionByHand = Type.Object(
  {
    decision: Type.Union([Type.Literal('include'), Type.Literal('exclude')]),
    reason: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: false },
)

export const LiteratureInputs = Type.Object(
  {
    sources: Type.Optional(
      Type.Array(LiteratureSource, {
        minItems: 1,
        uniqueItems: true,
        description:
          'sample cannot be combined with others; crossref only completes records, so it needs another source; if none is chosen, the default sources of this server are used',
      }),
    ),
    max_results: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 200,
        default: 25,
        description: 'maximum number of included papers',
      }),
    ),
    year_from: Type.Optional(Year),
    year_to: Type.Optional(Year),
    study_types: Type.Optional(Type.Array(StudyTypeName, { minItems: 1, uniqueItems: true })),
    include_keywords: Type.Optional(keywords('at least one must occur in title or abstract')),
    exclude_keywords: Type.Optional(keywords('none may occur in title or abstract')),
    language: Type.Optional(
      Type.String({
        pattern: '^[a-z]{2}$',
        description: 'an ISO 639-1 code, two lowercase letters, e.g. "en"',
      }),
    ),
    require_abstract: Type.Optional(Type.Boolean()),
    concepts: Type.Optional(
      Type.Array(Type.Array(Keyword, { minItems: 1, maxItems: 20 }), {
        minItems: 1,
        maxItems: 10,
        description:
          'groups of terms that replace those read from the question; a paper must match one term of every group',
      }),
    ),
    query: Type.Optional(
      Type.Union(
        [
          SourceQuery,
          Type.Partial(Type.Object(Object.fromEntries(SEARCHING.map((name) => [name, SourceQuery]))), {
            additionalProperties: false,
            minProperties: 1,
          }),
        ],
        {
          description: 'your own query, for all sources or per source; it is sent unchanged',
        },
      ),
    ),
    preview: Type.Optional(
      Type.Boolean({ description: 'stop after planning and return the hits of each group and in total' }),
    ),
    records: Type.Optional(
      Type.Union([RecordsText, Type.Array(NamedRecords, { minItems: 1, maxItems: 20 })], {
        description:
          'records from other databases as RIS, NBIB, BibTeX or CSL-JSON: one text, or several, each with its database name',
      }),
    ),
    decisions: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 300 }), DecisionByHand, {
        maxProperties: 2000,
        description: "a person's decisions by paper id; they override every rule",
      }),
    ),
  },
  { title: 'LiteratureInputs', additionalProperties: false },
)
export type LiteratureInputs = Static<typeof LiteratureInputs>

/** Options of stage 1. Stage 2 uses them unless its own options override them. */
export const ProtocolInputs = Type.Object(
  {
    title: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 300,
        pattern: '\\S',
        description: 'working title of the review',
      }),
    ),
    ...Type.Omit(LiteratureInputs, ['preview', 'records', 'decisions']).properties,
  },
  { title: 'ProtocolInputs', additionalProperties: false },
)
export type ProtocolInputs = Static<typeof ProtocolInputs>

/** Checks rules across several options; `path` is relative to `inputs`. */
export function literatureFaults({ sources, year_from, year_to, query, concepts }: LiteratureInputs) {
  const faults = sources ? sourceFaults(sources).map((message) => ({ path: 'sources', message })) : []
  if (year_from !== undefined && year_to !== undefined && year_from > year_to) {
    const message = `must not be later than year_to: no year is from ${year_from} to ${year_to}`
    faults.push({ path: 'year_from', message })
  }
  if (concepts !== undefined && typeof query === 'string') {
    const message = 'cannot be combined with query: send either groups of terms or a query'
    faults.push({ path: 'concepts', message })
  }
  for (const name of typeof query === 'object' ? Object.keys(query) : []) {
    if (sources === undefined || sources.some((source) => source === name)) continue
    faults.push({
      path: `query/${name}`,
      message: `must name one of the sources of this request: ${sources.join(', ')}`,
    })
  }
  return faults
}

/** Checks a selection of sources. */
export function sourceFaults(sources: readonly string[]): string[] {
  if (sources.includes('sample') && sources.length > 1) {
    return ['must not mix sample, whose records are invented, with live sources']
  }
  if (sources.length > 0 && sources.every((name) => name === 'crossref')) {
    return ['must name europepmc, pubmed or openalex besides crossref, which only completes what they find']
  }
  return []
}

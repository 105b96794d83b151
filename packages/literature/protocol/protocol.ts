/** Stage 1: plans a review before any search: the framed question, draft queries and criteria. */
import type { ProtocolInputs } from '../../../contract/literature.ts'
import type { Asked } from '../inputs.ts'
import { strictSteps } from '../plan.ts'
import type { Concept, LeftOut, Query } from '../query.ts'
import type { Searching } from '../source.ts'

export interface Protocol {
  kind: 'protocol'
  title: string | null
  question: string
  /** Where the groups come from. */
  by: Query['by']
  concepts: Concept[]
  left_out: LeftOut[]
  /** The strictest query for each source. A search may broaden it. */
  queries: { source: string; says: string; request: Record<string, string> }[]
  /** The sources to search. */
  sources: string[]
  criteria: Criterion[]
  /** The options as given, for the search to use. */
  inputs: Omit<ProtocolInputs, 'title'>
  notice: string | null
}

export interface Criterion {
  option: string
  text: string
}

export function protocolOf(
  { inputs }: Asked,
  query: Query,
  sources: readonly Searching[],
  given: ProtocolInputs,
): Protocol {
  const { title, ...options } = given
  return {
    kind: 'protocol',
    title: title?.trim() ?? null,
    question: query.question,
    by: query.by,
    concepts: query.concepts,
    left_out: query.left_out,
    queries: sources.flatMap((source) => draftOf(source, query, options)),
    sources: [...inputs.sources],
    criteria: criteriaOf(query, options),
    inputs: options,
    notice: sources.flatMap((source) => source.notice ?? []).join(' ') || null,
  }
}

function draftOf(source: Searching, query: Query, inputs: Protocol['inputs']): Protocol['queries'] {
  const own = typeof inputs.query === 'object' ? inputs.query[source.name as 'pubmed'] : inputs.query
  if (own !== undefined) {
    const says = 'the query of the request, unchanged'
    return [{ source: source.name, says, request: source.plan(own, inputs, 0).request }]
  }
  const [strictest] = strictSteps(query)
  if (!strictest) return []
  const { says, expression } = strictest
  return [{ source: source.name, says, request: source.plan(expression, inputs, 0).request }]
}

/** In screening order. */
function criteriaOf(query: Query, inputs: Protocol['inputs']): Criterion[] {
  const { year_from, year_to, study_types, include_keywords, exclude_keywords } = inputs
  const listed = (values: readonly string[]) => values.map((value) => value.replaceAll('_', ' ')).join(', ')
  const required = query.by === 'query' ? [] : query.concepts.filter((one) => one.required)
  return [
    ...required.map(({ label, role }) => ({ option: 'concepts', text: `addresses ${label} (${role})` })),
    ...(year_from === undefined ? [] : [{ option: 'year_from', text: `published in ${year_from} or later` }]),
    ...(year_to === undefined ? [] : [{ option: 'year_to', text: `published in ${year_to} or earlier` }]),
    ...(study_types
      ? [{ option: 'study_types', text: `is of one of these kinds: ${listed(study_types)}` }]
      : []),
    ...(include_keywords?.length
      ? [
          {
            option: 'include_keywords',
            text: `contains at least one of these keywords: ${include_keywords.join(', ')}`,
          },
        ]
      : []),
    ...(exclude_keywords?.length
      ? [
          {
            option: 'exclude_keywords',
            text: `contains none of these keywords: ${exclude_keywords.join(', ')}`,
          },
        ]
      : []),
    ...(inputs.language
      ? [{ option: 'language', text: `is written in the language "${inputs.language}"` }]
      : []),
    ...(inputs.require_abstract ? [{ option: 'require_abstract', text: 'has an abstract' }] : []),
    { option: 'retracted', text: 'is not retracted' },
  ]
}

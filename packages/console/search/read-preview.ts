/** The parts of a search preview that the page needs. Its writer may omit parts. */
import { counts, type Data, data, list, number, text, texts } from '../api/read.ts'

export interface Concept {
  role: string
  terms: string[]
  synonyms: string[]
  required: boolean
}

export interface LeftOut {
  word: string
  reason: string
}

export interface Line {
  line: string
  what: string
  /** In the order of the sources; null if a source did not answer. */
  hits: (number | null)[]
}

export interface SourceQuery {
  source: string
  /** The query, word for word. */
  query: string
  /** The other parameters sent with it. */
  more: [string, string][]
  hits: number | null
  says: string
  remarks: string[]
  lost: LeftOut[]
}

export interface Preview {
  notice: string
  concepts: Concept[]
  leftOut: LeftOut[]
  sources: string[]
  lines: Line[]
  queries: SourceQuery[]
  warnings: string[]
}

export function readPreview(results: Data): Preview {
  const lines = list(results.lines).map(data)
  const queries = list(results.queries).map(data)
  const sources = [
    ...new Set([...queries.map(({ source }) => text(source)), ...lines.flatMap(({ hits }) => named(hits))]),
  ].filter(Boolean)
  return {
    notice: text(results.notice),
    concepts: conceptsOf(results.concepts),
    leftOut: leftOutOf(results.left_out),
    sources,
    lines: lines.map(({ line, what, hits }) => ({
      line: text(line),
      what: text(what),
      hits: sources.map((source) => number(data(hits)[source])),
    })),
    queries: queries.map(queryOf),
    warnings: texts(results.warnings, 'message', 'source'),
  }
}

export function conceptsOf(value: unknown): Concept[] {
  return list(value).map((one) => {
    const { role, label, terms, synonyms, required } = data(one)
    const own = texts(terms)
    return {
      role: text(role),
      terms: own.length > 0 ? own : texts([label]),
      synonyms: texts(synonyms),
      required: required !== false,
    }
  })
}

export function leftOutOf(value: unknown): LeftOut[] {
  return list(value).flatMap((one) => {
    const { word, reason } = data(one)
    return text(word) ? { word: text(word), reason: text(reason) } : []
  })
}

/** The names of the query parameter at the sources. */
const QUERY_NAMES = ['query', 'term', 'filter', 'search']
/** OpenAlex names the fields that a query searches. */
const FIELD = /(?:^|,)title_and_abstract\.search:([^,]*)/

function queryOf({ source, request, hits, says, remarks, not_in_query }: Data): SourceQuery {
  const sent = data(request)
  const name = QUERY_NAMES.find((one) => text(sent[one])) ?? ''
  const whole = text(sent[name])
  const others = [...Object.entries(sent)].filter(([key]) => key !== name)
  return {
    source: text(source),
    query: FIELD.exec(whole)?.[1] ?? whole,
    more: others.flatMap(([key, value]) => (text(value) ? [[key, text(value)] as [string, string]] : [])),
    hits: number(hits),
    says: text(says),
    remarks: texts(remarks),
    lost: leftOutOf(not_in_query),
  }
}

function named(hits: unknown): string[] {
  return counts(hits).map(([source]) => source)
}

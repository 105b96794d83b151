/** The preview of a search as a table: groups, hits of each group by source, and queries. */
import { cut, fit, plain } from './terminal-text.ts'

type Data = Record<string, unknown>

/** The results come from a service and may have any form. Fields with an unexpected form are left out. */
export function tellPreview(results: Data, columns = 100): string {
  const concepts = list(results.concepts).map(group)
  const lines = list(results.lines)
  const queries = list(results.queries).filter(({ source }) => text(source) !== '')
  const sources = [...new Set(queries.map(({ source }) => text(source)))].filter(Boolean)
  const parts = [
    text(results.notice),
    section('Groups', concepts),
    section(
      'Not searched',
      list(results.left_out).map(({ word, reason }) => `${text(word)}: ${text(reason)}`),
    ),
    section('Hits', table(lines, sources, columns)),
    ...queries.map(query),
    section(
      'Missing',
      list(results.warnings).map(({ message }) => text(message)),
    ),
  ]
  return parts.filter(Boolean).join('\n\n')
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines.map((line) => `  ${line}`)].join('\n')
}

function group({ role, terms, synonyms, required }: Data): string {
  const others = texts(synonyms)
  const also = others.length > 0 ? ` (also ${others.join(', ')})` : ''
  const order = required === false ? ', only for ranking' : ''
  return `${text(role)}: ${texts(terms).join(' or ')}${also}${order}`
}

/** Width of a count, with commas between thousands. */
const COUNT = 12

function table(lines: readonly Data[], sources: readonly string[], columns: number): string[] {
  if (lines.length === 0) return []
  const width = Math.max(20, columns - 8 - sources.length * COUNT)
  const counts = (cells: readonly string[]) => cells.map((cell) => cell.padStart(COUNT)).join('')
  return [
    `${' '.repeat(width + 4)}${counts(sources.map((source) => cut(source, COUNT - 1)))}`,
    ...lines.map(({ line, what, hits }) => {
      const found = sources.map((source) => {
        const count = (Object(hits) as Data)[source]
        return typeof count === 'number' ? count.toLocaleString('en') : 'no answer'
      })
      return `${text(line).padStart(3)} ${fit(text(what), width)}${counts(found)}`
    }),
  ]
}

function query({ source, request, says, remarks, not_in_query }: Data): string {
  const sent = Object.entries(Object(request) as Data).map(
    ([name, value]) => `${plain(name)}: ${text(value)}`,
  )
  const lost = list(not_in_query).map(({ word, reason }) => `without "${text(word)}": ${text(reason)}`)
  const asks = text(says) ? [`searches for ${text(says)}`] : []
  return section(`Query for ${text(source)}`, [...asks, ...sent, ...texts(remarks), ...lost])
}

function list(value: unknown): Data[] {
  return Array.isArray(value) ? value.map((one) => Object(one) as Data) : []
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text).filter(Boolean) : []
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? plain(String(value)) : ''
}

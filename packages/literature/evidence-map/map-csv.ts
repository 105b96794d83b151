/** The cells of a map as CSV (RFC 4180). */
import type { EvidenceMap } from './shape.ts'

export function mapCsv({ cells }: EvidenceMap): string {
  const rows = cells.map(({ concept, kind, years, count, paper_ids }) => [
    concept,
    kind,
    years,
    String(count),
    paper_ids.join(' '),
  ])
  return [['concept', 'kind', 'years', 'count', 'paper_ids'], ...rows]
    .map((row) => `${row.map(field).join(',')}\r\n`)
    .join('')
}

/** Stops spreadsheets from running text as a formula. */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}

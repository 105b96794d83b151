/** Reads a file of a job for the page, but not more of it than a page can show. */

/** Rejects when there are more than `most` bytes, without reading on. */
export async function readAtMost(answer: Response, most: number): Promise<Blob> {
  const reader = answer.body?.getReader()
  if (!reader) return new Blob()
  const told = Number(answer.headers.get('content-length') ?? 0)
  const parts: Uint8Array<ArrayBuffer>[] = []
  for (let size = 0; Math.max(size, told) <= most; ) {
    const { done, value } = await reader.read()
    if (done) return new Blob(parts)
    parts.push(value)
    size += value.length
  }
  await reader.cancel()
  throw new Error('too long to be shown here; download it.')
}

/** A number that JavaScript would change is kept as it is written. */
export class ExactNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/** Throws a sentence if it is not JSON. */
export function readJson(text: string): unknown {
  const exact = (_: string, value: unknown, context?: { source?: string }) => {
    // Older browsers tell no source.
    const isChanged = typeof value === 'number' && context?.source && String(value) !== context.source
    return isChanged ? new ExactNumber(context?.source ?? '') : value
  }
  try {
    return JSON.parse(text, exact)
  } catch {
    throw new Error('not valid JSON; download it to read it.')
  }
}

const SEPARATORS = [',', ';', '\t'] as const

/** The rows of a CSV file by RFC 4180. The first line decides whether commas, semicolons or tabs separate its cells. */
export function readCsv(file: string): string[][] {
  const text = file.replace(/^\ufeff/, '')
  const [head = ''] = text.split(/\r?\n/, 1)
  const separator = SEPARATORS.reduce((best, one) =>
    head.split(one).length > head.split(best).length ? one : best,
  )
  const rows: string[][] = []
  let row: string[] = []
  let from = 0
  const endCell = (to: number) => row.push(cellOf(text.slice(from, to)))
  const endRow = () => {
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]
    // A doubled quote switches twice.
    if (letter === '"') quoted = !quoted
    else if (!quoted && (letter === separator || letter === '\n')) {
      endCell(at)
      from = at + 1
      if (letter === '\n') endRow()
    }
  }
  endCell(text.length)
  endRow()
  return rows
}

function cellOf(raw: string): string {
  const cell = raw.replace(/\r$/, '')
  return cell.startsWith('"')
    ? cell.slice(1, cell.endsWith('"') ? -1 : undefined).replaceAll('""', '"')
    : cell
}

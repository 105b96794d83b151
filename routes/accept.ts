/** Content negotiation (RFC 9110, 12.4.2 and 12.5.1): picks the form of the events that the client prefers. */

export type Form = 'stream' | 'page'

interface Range {
  type: string
  /** Parameters other than `q`, in lower case, e.g. `charset=utf-8`. */
  parameters: string[]
  q: number
}

/**
 * The form with the higher quality; null if neither is accepted. On a tie, the stream wins if the client names
 * `text/event-stream`, else the page if it names `application/json`. axios and Angular name JSON and any type.
 */
export function preferredForm(accept = ''): Form | null {
  const ranges = parse(accept)
  // Some EventSource implementations and simple clients send no Accept header.
  if (ranges.length === 0) return 'stream'
  const stream = qualityOf('text/event-stream', ranges)
  const page = qualityOf('application/json', ranges)
  if (stream === 0 && page === 0) return null
  if (stream !== page) return stream > page ? 'stream' : 'page'
  const names = (type: string) => ranges.some((range) => range.type === type)
  return names('application/json') && !names('text/event-stream') ? 'page' : 'stream'
}

/** The quality of the most specific range that matches the type; 0 if none does. */
function qualityOf(type: string, ranges: Range[]): number {
  let best = -1
  let q = 0
  for (const range of ranges) {
    // Both forms are UTF-8. A range with any other parameter does not match.
    if (!range.parameters.every((one) => one === 'charset=utf-8')) continue
    const places = ['*/*', `${type.split('/', 1)[0]}/*`, type]
    const rank = places.indexOf(range.type)
    if (rank === -1) continue
    const specificity = 2 * rank + Math.min(1, range.parameters.length)
    if (specificity < best) continue
    // Of two equally specific ranges, the higher quality counts.
    q = specificity > best ? range.q : Math.max(q, range.q)
    best = specificity
  }
  return q
}

function parse(accept: string): Range[] {
  return split(accept, ',').map((text) => {
    const [type = '', ...rest] = split(text, ';').map((part) => part.toLowerCase())
    const pairs = rest.map((pair) => {
      const [name = '', value = ''] = pair.split('=', 2).map((part) => part.trim())
      return [name, value.replace(/^"(.*)"$/, '$1')] as const
    })
    const weight = pairs.find(([name]) => name === 'q')?.[1]
    const parameters = pairs.flatMap(([name, value]) => (name === 'q' ? [] : [`${name}=${value}`]))
    return { type, parameters, q: qOf(weight) }
  })
}

/** Ignores an invalid weight. */
function qOf(text: string | undefined): number {
  return text !== undefined && /^(0(\.\d*)?|1(\.0*)?)$/.test(text) ? Number(text) : 1
}

/** Splits at separators outside quotation marks; drops empty parts. */
function split(text: string, separator: string): string[] {
  const outside = new RegExp(`(?:[^"${separator}]|"(?:[^"\\\\]|\\\\.)*"|")+`, 'g')
  return (text.match(outside) ?? []).map((part) => part.trim()).filter((part) => part !== '')
}

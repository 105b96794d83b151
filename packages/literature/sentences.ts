/** Splits an abstract into sentences, each with its offsets and section label. */

export interface Span {
  text: string
  /** UTF-16 offsets in the abstract; `end` is exclusive. */
  start: number
  end: number
}

export interface Sentence {
  text: string
  start: number
  end: number
  /** The section's label, such as `Results`; null if there is none. */
  label: string | null
}

/** A label starts a line, as normalise.ts writes it. */
const LABEL = /^([\p{L}][\p{L} ,/&'’()-]{2,60}): /u
/** A full stop after one of these does not end a sentence. */
const ABBREVIATION = /(?:\b(?:vs|e\.g|i\.e|cf|approx|resp|Dr|Prof|St|Fig|no|al|ca|incl|Ref)|\b\p{Lu})\.$/u

export function sentences(abstract: string): Sentence[] {
  const found: Sentence[] = []
  let label: string | null = null
  let from = 0
  for (const line of abstract.split('\n')) {
    const match = LABEL.exec(line)
    // In an unlabelled abstract, few lines look like a label by accident. Those that do are harmless.
    if (match?.[1]) label = match[1]
    const offset = match ? match[0].length : 0
    for (const { start, end } of cut(line.slice(offset))) {
      const at = from + offset + start
      found.push({
        text: abstract.slice(at, from + offset + end),
        start: at,
        end: from + offset + end,
        label,
      })
    }
    from += line.length + 1
  }
  return found
}

function cut(line: string): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = []
  let start = 0
  for (const match of line.matchAll(/[.!?]["”’)\]]?(?=\s+["“‘([]?[\p{Lu}\p{N}])/gu)) {
    const end = match.index + match[0].length
    if (ABBREVIATION.test(line.slice(start, match.index + 1))) continue
    parts.push({ start, end })
    start = end + (line.slice(end).length - line.slice(end).trimStart().length)
  }
  if (start < line.length) parts.push({ start, end: line.length })
  return parts
}

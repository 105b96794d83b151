/** Titles and abstracts as plain text. Sources send HTML, JATS or inline XML, sometimes with entities in it. */

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  middot: '·',
  times: '×',
  plusmn: '±',
  le: '≤',
  ge: '≥',
  deg: '°',
  micro: 'µ',
  alpha: 'α',
  beta: 'β',
  gamma: 'γ',
  delta: 'δ',
}

/** Behind a heading: what follows stands on its line, also when the source begins a paragraph there. */
const JOIN = '\u{f8ff}'

/** Headings become `Label: ` at the beginning of a line; other tags go, their text stays. */
export function plainText(text: string): string {
  const marked = text
    .replace(
      /<(?:jats:)?(?:h[1-6]|title|b|bold|strong)(?:\s[^<>]*)?>\s*([^<>]{1,80}?)\s*[:.]?\s*<\/[^<>]+>(\s*[:.]?)/giu,
      heading,
    )
    .replace(/<\/?(?:jats:)?(?:p|sec|div|br|li|list|abstract)(?:\s[^<>]*)?\/?>/giu, '\n')
    // Only what looks like a tag: "p < 0.05" and "5 <x> 7" are text as long as no letter follows at once.
    .replace(/<\/?[a-z][^<>]*>/giu, '')
  return decode(marked.replace(new RegExp(`${JOIN}\\s*`, 'gu'), ''))
    .split('\n')
    .map((line) => line.replace(/\s+/gu, ' ').trim())
    .filter((line) => line !== '')
    .join('\n')
}

/** On one line. */
export function plainLine(text: string): string {
  return decode(text.replace(/<\/?[a-z][^<>]*>/giu, ''))
    .replace(/\s+/gu, ' ')
    .trim()
}

/** Bold text counts as a heading only where it can be one: at the start, or behind a sentence. */
function heading(tag: string, label: string, behind: string, at: number, whole: string): string {
  const isHeading = /^<(?:jats:)?(?:h[1-6]|title)/iu.test(tag)
  const before = whole
    .slice(0, at)
    .replace(/<[^<>]*>/g, '')
    .trimEnd()
  if (!isHeading && before !== '' && !/[.!?:]$/.test(before)) return `${label}${behind}`
  // "Abstract" is what it all is, no part of it.
  return /^abstract$/iu.test(label) ? '\n' : `\n${label}: ${JOIN}`
}

/** Twice: some sources escape what was escaped before. */
function decode(text: string): string {
  const once = (from: string) =>
    from.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/giu, (all, decimal, hex, name) => {
      if (name) return NAMED[name.toLowerCase()] ?? all
      const code = decimal ? Number(decimal) : Number.parseInt(hex, 16)
      const fine = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
      return fine ? String.fromCodePoint(code) : all
    })
  return once(once(text))
}

/**
 * Converts titles and abstracts to plain text. Sources send HTML, JATS, MathML or inline XML, sometimes escaped once or
 * twice. A literal `<` stays: only names of real elements count as tags.
 */
import { ALL_ENTITIES } from '@nodable/entities'

/** Entities, including some that the library lacks. */
const NAMED: Readonly<Record<string, string>> = {
  ...ALL_ENTITIES,
  ndash: '–',
  mdash: '—',
  sbquo: '‚',
  dagger: '†',
  thinsp: '\u2009',
  ensp: '\u2002',
  emsp: '\u2003',
  zwj: '\u200d',
  zwnj: '\u200c',
  permil: '‰',
  sub: '⊂',
  sup: '⊃',
  perp: '⊥',
}

/** HTML and JATS elements in titles and abstracts. Any name with the prefix `jats:` or `mml:` counts too. */
const ELEMENTS = [
  'a|abbr|abstract|alternatives|article-title|b|bdi|big|blockquote|body|bold|br|center|cite|code|dd|del|div|dl|dt',
  'em|emph|ext-link|fn|font|h[1-6]|hr|html|i|inf|inline-formula|disp-formula|ins|italic|jats|label|li|list|list-item|mark|math',
  'monospace|named-content|nobr|ol|overline|p|pre|roman|sans-serif|sc|scp|sec|section|small|smallcaps|span|strike|strong',
  'styled-content|sub|sup|table|tbody|td|tex-math|th|thead|title|tr|tt|u|ul|underline|uri|wbr|xref',
  'm(?:i|n|o|row|sub|sup|subsup|frac|sqrt|root|over|under|underover|text|space|style|padded|fenced|table|tr|td|stack|error)|semantics',
].join('|')
const ATTRIBUTES = String.raw`(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))*`
const tag = (names: string) =>
  new RegExp(String.raw`<(?:\/\s*(?:${names})\s*|(?:${names})${ATTRIBUTES}\s*\/?)>`, 'giu')
const ANY = tag(`(?:jats|mml|m|ns\\d):[\\w-]+|${ELEMENTS}`)
const BLOCK = tag(
  '(?:jats:)?(?:p|sec|section|div|br|li|ul|ol|list|list-item|abstract|tr|table|hr|blockquote)',
)
const HEADING = new RegExp(
  String.raw`<((?:jats:)?(?:h[1-6]|title|b|bold|strong))${ATTRIBUTES}\s*>\s*([^<>]{1,80}?)\s*[:.]?\s*<\/\1\s*>(\s*[:.]?)`,
  'giu',
)
/** Sources repeat a MathML formula as TeX or an annotation, which is unreadable as text. */
const FORMULA_CODE =
  /<!--[\s\S]*?-->|<(?:jats:|mml:)?(tex-math|annotation)(?:\s[^<>]*)?>[\s\S]*?<\/(?:jats:|mml:)?\1\s*>|<!\[CDATA\[|\]\]>/giu

/** Placed after a heading to join the next text to its line, even if the source starts a paragraph there. */
const JOIN = '\u{f8ff}'
/** Some sources escape text more than once. */
const TIMES_ESCAPED = 3

/** Turns headings into `Label: ` at the start of a line; removes other tags but keeps their text. */
export function plainText(text: string): string {
  return unescaped(text, (once) =>
    once.replace(FORMULA_CODE, '').replace(HEADING, heading).replace(BLOCK, '\n').replace(ANY, ''),
  )
    .replace(new RegExp(`${JOIN}\\s*`, 'gu'), '')
    .split('\n')
    .map((line) => line.replace(/\s+/gu, ' ').trim())
    .filter((line) => line !== '')
    .join('\n')
}

/** Plain text on one line. */
export function plainLine(text: string): string {
  return unescaped(text, (once) =>
    once
      .replace(FORMULA_CODE, '')
      .replace(/<br\s*\/?>/giu, ' ')
      .replace(ANY, ''),
  )
    .replace(/\s+/gu, ' ')
    .trim()
}

/** Removes tags, decodes entities, and repeats for escaped tags. */
function unescaped(text: string, strip: (text: string) => string): string {
  let seen = strip(text)
  for (let times = 0; times < TIMES_ESCAPED; times++) {
    const decoded = decode(seen)
    if (decoded === seen) return seen
    seen = strip(decoded)
  }
  return seen
}

/** Bold text is a heading only at the start or after a sentence. */
function heading(
  _all: string,
  element: string,
  label: string,
  behind: string,
  at: number,
  whole: string,
): string {
  const isHeading = /^(?:jats:)?(?:h[1-6]|title)$/iu.test(element)
  const before = whole.slice(0, at).replace(ANY, '').trimEnd()
  if (!isHeading && before !== '' && !/[.!?:]$/.test(before)) return `${label}${behind}`
  // "Abstract" labels the whole text, not a section.
  return /^abstract$/iu.test(label) ? '\n' : `\n${label}: ${JOIN}`
}

function decode(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z][a-z\d]{1,31}));/giu,
    (all, decimal, hex, name) => {
      if (name) return NAMED[name] ?? NAMED[name.toLowerCase()] ?? all
      const code = decimal ? Number(decimal) : Number.parseInt(hex, 16)
      const fine = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
      return fine ? String.fromCodePoint(code) : all
    },
  )
}

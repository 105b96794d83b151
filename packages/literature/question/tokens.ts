/** The words of a question, each with the punctuation before it and its part-of-speech tag. */

import model from 'wink-eng-lite-web-model'
import winkNLP, { type ItsFunction, type WinkMethods } from 'wink-nlp'

export interface Token {
  /** As written, including hyphens, slashes and dots inside the word. */
  text: string
  lower: string
  /** Universal part-of-speech tag. It helps to choose between readings but never removes a word. */
  tag: string
  /** The strongest punctuation before the word, one of . ; : ( ) " , or nothing. */
  before: string
}

/** Loaded on first use, because loading takes a fifth of a second. */
let nlp: WinkMethods | undefined

const WORD =
  /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:[-‐‑–'’/.+&][\p{L}\p{M}\p{N}]+)*(?:-(?=\s+(?:and|or|to)\s)|\+{1,2}|#)?/gu
const SIGNS = ['.', ';', ':', '(', ')', '"', ',']

export function tokensOf(question: string): Token[] {
  const text = question
    .normalize('NFKC')
    .replace(/[‐‑–]/g, '-')
    .replace(/[“”„«»]/g, '"')
    .replace(/’/g, "'")
  const tags = tagsOf(text)
  const tokens: Token[] = []
  let end = 0
  for (const match of text.matchAll(WORD)) {
    const gap = text
      .slice(end, match.index)
      .replace(/[?!]/g, '.')
      .replace(/[[{]/g, '(')
      .replace(/ - | -- /g, ':')
    end = match.index + match[0].length
    const before = SIGNS.find((sign) => gap.includes(sign)) ?? ''
    const written = match[0].replace(/'s$/i, '')
    tokens.push({ text: written, lower: written.toLowerCase(), tag: tags(match.index, end), before })
  }
  return tokens
}

/** Returns the tag of the last word in a span, because the head of a compound comes last. */
function tagsOf(text: string): (start: number, end: number) => string {
  nlp ??= winkNLP(model, ['sbd', 'pos'])
  const { its } = nlp
  const tokens = nlp.readDoc(text).tokens()
  const values = tokens.out()
  const spaces = tokens.out(its.precedingSpaces as ItsFunction<string>)
  const tags = tokens.out(its.pos as ItsFunction<string>)
  const spans: { start: number; tag: string }[] = []
  let at = 0
  for (const [place, value] of values.entries()) {
    at += (spaces[place] ?? '').length
    spans.push({ start: at, tag: tags[place] ?? '' })
    at += value.length
  }
  return (start, end) =>
    spans.filter((span) => span.start >= start && span.start < end && span.tag !== 'PUNCT').at(-1)?.tag ?? ''
}

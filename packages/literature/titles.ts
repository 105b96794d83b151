/** Whether two titles name the same publication, and which pairs are worth comparing. */
import type { Paper } from './paper.ts'

export interface Signature {
  /** NFKD, without accents and punctuation, in lower case. */
  title: string
  year: number | null
  surname: string
  words: string[]
  /** Numbers in the title, because "part 1" is not "part 2" however similar the rest is. */
  numbers: string
  pairs: Map<string, number>
  size: number
}

const ALIKE = 0.9
/** Titles with a similarity of 0.90 share at least one of their three rarest words, even with typos. */
const RARE_WORDS = 3

export function signature({ title: whole, year, authors }: Paper): Signature {
  const title = plain(whole)
  const words = title.split(' ')
  const [first] = authors
  const name = first === undefined ? '' : 'family' in first ? first.family : first.literal
  const { pairs, size } = pairsOf(title)
  return {
    title,
    year,
    surname: plain(name),
    words,
    numbers: (title.match(/\p{N}+/gu) ?? []).join(' '),
    pairs,
    size,
  }
}

/** Equal titles or a similarity of 0.90; years within one; same first surname. Never if year or author is unknown. */
export function alike(a: Signature, b: Signature): boolean {
  if (a.title === '' || a.year === null || b.year === null || Math.abs(a.year - b.year) > 1) return false
  if (a.surname === '' || a.surname !== b.surname) return false
  return a.title === b.title || (a.numbers === b.numbers && dice(a, b) >= ALIKE)
}

/** Pairs of ascending indexes that may match: first equal titles, then titles that share a rare word. */
export function* titlePairs(signatures: readonly Signature[]): Generator<[number, number]> {
  yield* pairsWithin(groupBy(signatures, ({ title, surname }) => [`${surname} ${title}`]))
  const frequency = new Map<string, number>()
  for (const { words } of signatures) {
    for (const word of new Set(words)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  }
  const rarest = ({ words, surname }: Signature) =>
    [...new Set(words)]
      .sort((a, b) => (frequency.get(a) ?? 0) - (frequency.get(b) ?? 0) || (a < b ? -1 : 1))
      .slice(0, RARE_WORDS)
      .map((word) => `${surname} ${word}`)
  yield* pairsWithin(groupBy(signatures, rarest))
}

function groupBy(
  signatures: readonly Signature[],
  keys: (one: Signature) => string[],
): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const [at, one] of signatures.entries()) {
    if (one.surname === '' || one.title === '') continue
    for (const key of keys(one)) {
      const group = groups.get(key)
      if (group) group.push(at)
      else groups.set(key, [at])
    }
  }
  return groups
}

/** Groups are already in ascending order. */
function* pairsWithin(groups: ReadonlyMap<string, number[]>): Generator<[number, number]> {
  for (const group of groups.values()) {
    for (const [at, a] of group.entries()) for (const b of group.slice(at + 1)) yield [a, b]
  }
}

/** Sørensen and Dice's coefficient over pairs of characters. */
function dice(a: Signature, b: Signature): number {
  const whole = a.size + b.size
  if (whole === 0 || (2 * Math.min(a.size, b.size)) / whole < ALIKE) return 0
  let shared = 0
  for (const [pair, count] of a.pairs) shared += Math.min(count, b.pairs.get(pair) ?? 0)
  return (2 * shared) / whole
}

function pairsOf(title: string): { pairs: Map<string, number>; size: number } {
  const letters = [...title]
  const pairs = new Map<string, number>()
  for (let at = 1; at < letters.length; at++) {
    const pair = `${letters[at - 1]}${letters[at]}`
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
  }
  return { pairs, size: Math.max(0, letters.length - 1) }
}

function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

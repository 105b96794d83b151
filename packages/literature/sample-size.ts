/**
 * Finds the study's sample size in its abstract. Every number of people or animals is a candidate. The words around it
 * show whether it is the whole study, an arm, people only screened, an outcome or background. Reports nothing if in doubt.
 */

import { NUMBER, numberOf } from './number-words.ts'
import { type Sentence, type Span, sentences } from './sentences.ts'
import {
  ADJECTIVE,
  COUNTED,
  EVENT_AFTER,
  EVENT_BEFORE,
  MANY,
  PARTIAL,
  TAKES_PART,
  WHOLE_AFTER,
  WHOLE_BEFORE,
} from './size-words.ts'
import { OTHER_SECTION } from './study-words.ts'

export interface SampleSize extends Span {
  value: number
}

interface Candidate extends SampleSize {
  /** How clearly the words show that this is the whole study. */
  weight: number
  /** Whether it is a sum of several numbers. */
  sum: boolean
}

/** The weight of a number whose context does not show that it is the whole study. */
const BARE = 5

export function sampleSize(abstract: string): SampleSize | null {
  const own = sentences(abstract).filter(({ text, label }) => {
    return !(label !== null && OTHER_SECTION.test(label)) && !MANY.test(text)
  })
  const all = own.flatMap((sentence) => candidates(sentence))
  const best = all.reduce<Candidate | null>(
    (most, one) => (most && most.weight >= one.weight ? most : one),
    null,
  )
  if (!best) return null
  // If there is a larger bare number, this one may be a part of it.
  if (best.weight <= BARE && all.some((one) => one.weight === best.weight && one.value > best.value))
    return null
  const { value, text, start, end } = best
  return { value, text, start, end }
}

const COUNT = new RegExp(
  String.raw`(?<![\p{L}\p{N}.,:/±×<>=≥≤%–-]|[<>=≥≤] )(${NUMBER})(?![-–.:/]\d|%| ?%)((?:[- ]${ADJECTIVE}){0,5}?)[- ](${COUNTED})\b`,
  'giu',
)
const TOOK_PART = new RegExp(
  String.raw`(?<![\p{L}\p{N}.,:/-])(${NUMBER}) (?:\([^)]*\) )?(?=${TAKES_PART})`,
  'giu',
)
const ARM = /\bn\s*=\s*(\d{1,3}(?:[,\u2009\u202f]\d{3})+|\d+)(?!\s*(?:each|per|in each|for each|\/))/giu

function candidates(sentence: Sentence): Candidate[] {
  const { text } = sentence
  const found = [...text.matchAll(COUNT)].flatMap((match) => counted(sentence, match))
  return [...joined(sentence, found), ...responders(sentence), ...arms(sentence, found)]
}

function spanOf({ text, start }: Sentence, from: number, to: number): Span {
  return { text: text.slice(from, to), start: start + from, end: start + to }
}

/** A number and what it counts. The words before and after it show its meaning. */
function counted(sentence: Sentence, match: RegExpExecArray | RegExpMatchArray): Candidate[] {
  const at = match.index ?? 0
  const value = numberOf(match[1] ?? '')
  if (value === undefined) return []
  const end = at + match[0].length
  const [before, after] = [sentence.text.slice(0, at), sentence.text.slice(end)]
  if (
    PARTIAL.before.test(before) ||
    PARTIAL.after.test(after) ||
    EVENT_BEFORE.test(before) ||
    EVENT_AFTER.test(after)
  )
    return []
  if (insideBrackets(before) && !/\b(?:trials?|studies|articles|rcts?|reviews)\W*\([^)]*$/i.test(before))
    return []
  const plainly = after.replace(/\([^()]*\)/g, '')
  const isWhole = Math.max(weightOf(WHOLE_BEFORE, before), weightOf(WHOLE_AFTER, plainly))
  return [
    {
      ...spanOf(sentence, at, end),
      value,
      weight: Math.max(isWhole, /^\s*of\s+/i.test(after) ? 0 : BARE),
      sum: false,
    },
  ]
}

function weightOf(words: readonly (readonly [RegExp, number])[], text: string): number {
  return words.reduce((most, [pattern, weight]) => (weight > most && pattern.test(text) ? weight : most), 0)
}

/** "61 youths and 8 helpers took part", "154 cases with 308 controls": the study is the sum. */
function joined(sentence: Sentence, found: readonly Candidate[]): Candidate[] {
  const [first, second, third] = found
  if (!first || !second || third) return [...found]
  const [from, to] = [first.end - sentence.start, second.start - sentence.start]
  const between = sentence.text.slice(from, to)
  const behind = sentence.text.slice(second.end - sentence.start)
  const compared =
    /^(?:[^.;]{0,40})\b(?:compared with|compared to|were matched (?:to|with)|matched (?:to|with)|versus)\b[^.;]{0,20}$/i.test(
      between,
    )
  const together =
    /^(?: \([^)]*\))? (?:and|with|plus)(?: also)? $/i.test(between) &&
    !/^(?: \w+){0,2} (?:were )?(?:excluded|in the)\b/i.test(behind)
  if (!compared && !together) return [...found]
  const span = spanOf(sentence, first.start - sentence.start, second.end - sentence.start)
  const weight = Math.max(first.weight, second.weight) + 1
  return [{ ...span, value: first.value + second.value, weight, sum: true }]
}

/** "411 responded": a number of people without a noun. */
function responders(sentence: Sentence): Candidate[] {
  return [...sentence.text.matchAll(TOOK_PART)].flatMap((match) => {
    const value = numberOf(match[1] ?? '')
    const end = match.index + match[0].trimEnd().length
    if (value === undefined || EVENT_BEFORE.test(sentence.text.slice(0, match.index))) return []
    const after = sentence.text.slice(end)
    const weight = /^ (?:were|was|underwent|had been) /i.test(after) ? 10 : 8
    return [{ ...spanOf(sentence, match.index, end), value, weight, sum: false }]
  })
}

/** Adds up two or more arms. A single "n =" is the whole study if no other number counts people. */
function arms(sentence: Sentence, found: readonly Candidate[]): Candidate[] {
  const all = [...sentence.text.matchAll(ARM)]
  const [first] = all
  const last = all.at(-1)
  if (!first || !last || /\bn\s*=\s*\d+\s*(?:each|per|in each|for each|\/)/i.test(sentence.text)) return []
  if (/\b(?:triplicate|replicates|repeats|wells|per group|sensitivity|subgroup)\b/i.test(sentence.text))
    return []
  const value = all.reduce((sum, match) => sum + (numberOf(match[1] ?? '') ?? 0), 0)
  const span = spanOf(sentence, first.index, last.index + last[0].length)
  // If another number is as large as their sum, the arms are parts of it.
  if (found.some((one) => one.value >= value)) return []
  return value > 3 ? [{ ...span, value, weight: all.length > 1 ? 7 : BARE, sum: true }] : []
}

function insideBrackets(before: string): boolean {
  return before.lastIndexOf('(') > before.lastIndexOf(')')
}

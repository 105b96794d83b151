/**
 * Step 8: what the abstract says of size, results and conclusions. Everything quoted carries its place:
 * `abstract.slice(start, end)` is the text.
 */

import { smallNumber } from './number-words.ts'
import type { Paper } from './paper.ts'
import { type Sentence, sentences } from './sentences.ts'
import { type StudyKind, studyType } from './study-type.ts'

export interface Span {
  text: string
  /** Places in the abstract, in UTF-16 units; `end` is behind the last one. */
  start: number
  end: number
}

export interface Statement extends Span {
  /** What told its role: the section's label in the abstract, or words in the sentence. */
  by: 'label' | 'words'
}

export interface Extraction {
  design: StudyKind
  sample_size: (Span & { value: number }) | null
  results: Statement[]
  conclusions: Statement[]
}

const MAX_STATEMENTS = 4
const RESULT_LABEL = /^(?:main )?(?:results?|findings|outcomes?)\b/i
const CONCLUSION_LABEL = /^(?:authors?'? )?(?:conclusions?|interpretation|discussion|implications?)\b/i
const RESULT_WORDS =
  /\b(?:we found|was associated with|were associated with|(?:fell|rose|improved|decreased|increased|declined) by|did not differ|no (?:significant )?difference|hazard ratio|odds ratio|relative risk|95% (?:confidence )?(?:ci|interval)|p\s*[<=>]\s*0?\.\d)/i
const CONCLUSION_WORDS =
  /\b(?:we conclude|in conclusion|these (?:findings|results|data) (?:suggest|indicate|show|support)|our (?:findings|results) (?:suggest|indicate|show|support)|may be (?:considered|recommended)|appears? to)\b/i

export function extract(paper: Paper): Extraction {
  const abstract = paper.abstract ?? ''
  const all = sentences(abstract)
  return {
    design: studyType(paper),
    sample_size: sampleSize(abstract),
    results: statements(all, RESULT_LABEL, RESULT_WORDS, CONCLUSION_LABEL),
    conclusions: statements(all, CONCLUSION_LABEL, CONCLUSION_WORDS, RESULT_LABEL),
  }
}

/** By label where the abstract has such a section; by words otherwise, but never against another label. */
function statements(all: readonly Sentence[], label: RegExp, words: RegExp, other: RegExp): Statement[] {
  const labelled = all.filter((sentence) => sentence.label !== null && label.test(sentence.label))
  const found =
    labelled.length > 0
      ? labelled
      : all.filter(({ text, label }) => words.test(text) && !other.test(label ?? ''))
  const by = labelled.length > 0 ? 'label' : 'words'
  return found.slice(0, MAX_STATEMENTS).map(({ text, start, end }) => ({ text, start, end, by }))
}

const PEOPLE =
  '(?:\\p{L}+[- ]){0,4}?(?:participants|patients|adults|subjects|individuals|people|persons|women|men|children|adolescents|students|outpatients|inpatients|volunteers|residents|veterans|infants|births|mice|rats)\\b'
const COUNT = '(\\d{1,3}(?:[,\\u00a0\\u2009]\\d{3})+|\\d+|\\p{L}+(?:-\\p{L}+)?)'
const SIZES = [
  /\bn\s*=\s*(\d{1,3}(?:,\d{3})+|\d+)/iu,
  new RegExp(
    `\\b(?:randomi[sz]ed|randomly assigned|enrol(?:l)?ed|included|recruited|followed|pooled|studied|with|of)\\s+(?:a total of\\s+)?${COUNT}\\s+${PEOPLE}`,
    'iu',
  ),
  new RegExp(`(?<![\\p{L}\\d.,-])${COUNT}\\s+${PEOPLE}`, 'iu'),
]

/** The first number that counts people (or animals): a percentage, a year or a dose does not. */
function sampleSize(abstract: string): Extraction['sample_size'] {
  for (const pattern of SIZES) {
    for (const match of abstract.matchAll(new RegExp(pattern, 'giu'))) {
      const value = numberOf(match[1] ?? '')
      if (value === undefined) continue
      return { value, text: match[0], start: match.index, end: match.index + match[0].length }
    }
  }
  return null
}

function numberOf(text: string): number | undefined {
  const digits = text.replace(/[,\u00a0\u2009]/g, '')
  if (!/^\d+$/.test(digits)) return smallNumber(text)
  const value = Number(digits)
  return value > 0 && Number.isSafeInteger(value) ? value : undefined
}

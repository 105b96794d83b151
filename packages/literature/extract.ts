/**
 * Step 8: what the abstract says about size, results and conclusions. Each quotation is `abstract.slice(start, end)`.
 */

import type { Paper } from './paper.ts'
import { type SampleSize, sampleSize } from './sample-size.ts'
import { type Sentence, type Span, sentences } from './sentences.ts'
import { type StudyKind, studyType } from './study-type.ts'
import { NO_KIND } from './study-words.ts'

export interface Statement extends Span {
  /** Whether the section label or the sentence's words identified the statement. */
  by: 'label' | 'words'
}

export interface Extraction {
  /** Null if unknown. */
  design: StudyKind | null
  sample_size: SampleSize | null
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
  const design = studyType(paper)
  return {
    design,
    sample_size: sizeOf(paper.title, abstract, design),
    results: statements(all, RESULT_LABEL, RESULT_WORDS, CONCLUSION_LABEL),
    conclusions: statements(all, CONCLUSION_LABEL, CONCLUSION_WORDS, RESULT_LABEL),
  }
}

/** Uses section labels if the abstract has them, otherwise words, but never contradicts another label. */
function statements(all: readonly Sentence[], label: RegExp, words: RegExp, other: RegExp): Statement[] {
  const labelled = all.filter((sentence) => sentence.label !== null && label.test(sentence.label))
  const found =
    labelled.length > 0
      ? labelled
      : all.filter(({ text, label }) => words.test(text) && !other.test(label ?? ''))
  const by = labelled.length > 0 ? 'label' : 'words'
  return found.slice(0, MAX_STATEMENTS).map(({ text, start, end }) => ({ text, start, end, by }))
}

/** Kinds about other studies or about no people, so the numbers of people in them belong to others. */
const WITHOUT_SIZE: ReadonlySet<string> = new Set(['guideline', 'editorial', 'review', 'in_vitro'])
const ONE_PATIENT =
  /\ban? \d{1,3}-(?:year|month|week|day)-old\b(?: [\w-]+){0,4}? (?:man|woman|boy|girl|male|female|patient|infant|child|neonate)\b/gi

function sizeOf(title: string, abstract: string, design: StudyKind | null): SampleSize | null {
  if (design && WITHOUT_SIZE.has(design.type)) return null
  // Models and summary statistics have no participants.
  if (NO_KIND.test(title) || NO_KIND.test(abstract)) return null
  const stated = sampleSize(abstract)
  if (stated || design?.type !== 'case_report' || /\bfamily\b|\bseries\b/i.test(abstract)) return stated
  const [only, another] = [...abstract.matchAll(ONE_PATIENT)]
  if (!only || another) return null
  return { value: 1, text: only[0], start: only.index, end: only.index + only[0].length }
}

/** The kind of study: from the source's publication types first, from the text second. */
import type { Paper } from './paper.ts'

export interface StudyKind {
  type: string
  /** What told it. */
  by: 'publication type' | 'text' | 'nothing'
}

/** In order of strength: the first that fits counts. Types as PubMed and Europe PMC spell them. */
const BY_TYPE: readonly [publicationType: string, type: string][] = [
  ['meta-analysis', 'meta_analysis'],
  ['systematic review', 'systematic_review'],
  ['randomized controlled trial', 'randomized_controlled_trial'],
  ['clinical trial protocol', 'protocol'],
  ['clinical trial', 'clinical_trial'],
  ['case reports', 'case_report'],
  ['case-control study', 'case_control'],
  ['cohort study', 'cohort'],
  ['cross-sectional study', 'cross_sectional'],
  ['review', 'review'],
  ['editorial', 'editorial'],
  ['comment', 'editorial'],
]

const BY_TEXT: readonly [pattern: RegExp, type: string][] = [
  [/\b(?:study|trial) protocol\b|\bprotocol (?:for|of) a\b/i, 'protocol'],
  [/\bmeta-analys[ei]s\b/i, 'meta_analysis'],
  [/\bsystematic review\b/i, 'systematic_review'],
  [/\b(?:mice|mouse|rats?|rodents?|zebrafish)\b/i, 'animal'],
  [/\b(?:in vitro|cell lines?|cultured cells)\b/i, 'in_vitro'],
  [/\brandomi[sz]ed\b|\brandomly assigned\b/i, 'randomized_controlled_trial'],
  [/\bcase[- ]control\b/i, 'case_control'],
  [/\bcross-sectional\b/i, 'cross_sectional'],
  [/\bcohort\b|\bfollowed (?:up )?for\b|\bprospective(?:ly)?\b/i, 'cohort'],
  [/\bcase (?:report|series)\b/i, 'case_report'],
]

export function studyType({
  publication_types,
  title,
  abstract,
}: Pick<Paper, 'publication_types' | 'title' | 'abstract'>): StudyKind {
  const given = new Set(publication_types.map((type) => type.toLowerCase()))
  const stated = BY_TYPE.find(([publicationType]) => given.has(publicationType))
  if (stated) return { type: stated[1], by: 'publication type' }
  const text = `${title}\n${abstract ?? ''}`
  const read = BY_TEXT.find(([pattern]) => pattern.test(text))
  return read ? { type: read[1], by: 'text' } : { type: 'other', by: 'nothing' }
}

/** The shape of an evidence map, and its kinds of study in words. */

export interface EvidenceMap {
  kind: 'evidence_map'
  question: string
  notice: string | null
  /** SHA-256 of the literature_review.json that it counts. */
  review_sha256: string
  papers: number
  concepts: { label: string; role: string }[]
  /** Kinds that occur, and kinds that readers look for first. */
  kinds: string[]
  /** Columns of publication years; the last is for papers without a year. */
  years: { label: string; from: number | null; to: number | null }[]
  /** One for each concept, kind and year column, including empty ones. */
  cells: (Count & { concept: string; kind: string; years: string })[]
  by_concept: (Count & { concept: string })[]
  by_kind: (Count & { kind: string })[]
  by_years: (Count & { years: string })[]
  by_concept_and_kind: (Count & { concept: string; kind: string })[]
  by_concept_and_years: (Count & { concept: string; years: string })[]
  /** Papers that cover both of two concepts. */
  by_pair: (Count & { concepts: [string, string] })[]
  gaps: MapGap[]
}

export interface Count {
  count: number
  paper_ids: string[]
}

export interface MapGap extends Count {
  gap: 'concept' | 'pair' | 'kind' | 'concept_and_kind' | 'recent'
  text: string
  /** JSON pointer of the cell inside evidence_map.json. */
  pointer: string
  /** The number of papers searched for it. */
  of: number
}

/** A paper whose kind of study is unknown. */
export const NOT_TOLD = 'not_told'

const IN_WORDS: Readonly<Record<string, string>> = {
  randomized_controlled_trial: 'randomised controlled trial',
  meta_analysis: 'meta-analysis',
  in_vitro: 'in-vitro study',
  animal: 'animal study',
  cohort: 'cohort study',
  case_control: 'case-control study',
  cross_sectional: 'cross-sectional study',
  observational: 'observational study',
  qualitative: 'qualitative study',
  other: 'study of another kind',
}

/** `2`, `cohort` as "cohort studies". */
export function kindsInWords(count: number, kind: string): string {
  const one = kindInWords(kind)
  if (count === 1) return one
  if (/\bstudy\b/.test(one)) return one.replace(/\bstudy\b/, 'studies')
  return one.endsWith('analysis') ? one.replace(/analysis$/, 'analyses') : `${one}s`
}

export function kindInWords(kind: string): string {
  if (kind === NOT_TOLD) return 'study of an unknown kind'
  return IN_WORDS[kind] ?? kind.replaceAll('_', ' ')
}

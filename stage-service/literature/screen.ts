/** Which matching records stay: one rule each, the first that speaks against a record is its reason. */
import type { LiteratureInputs } from '../../stages/literature.ts'
import type { Paper } from './source.ts'
import { studyType } from './study-type.ts'
import { hasPhrase, phraseText } from './text.ts'

export interface Excluded {
  paper: Paper
  reason: string
}

interface Rule {
  reason: string
  against(paper: Paper, text: string): boolean
}

export function screen(papers: readonly Paper[], inputs: LiteratureInputs) {
  const rules = rulesFor(inputs)
  const kept: Paper[] = []
  const excluded: Excluded[] = []
  for (const paper of papers) {
    const text = phraseText(`${paper.title}\n${paper.abstract ?? ''}`)
    const rule = rules.find(({ against }) => against(paper, text))
    if (rule) excluded.push({ paper, reason: rule.reason })
    else kept.push(paper)
  }
  return { kept, excluded }
}

/** An option that was not given makes no rule. Retracted work is never kept. */
function rulesFor(inputs: LiteratureInputs): Rule[] {
  const { year_from, year_to, study_types, language, require_abstract } = inputs
  const { include_keywords = [], exclude_keywords = [] } = inputs
  const rules: Rule[] = [{ reason: 'retracted', against: (paper) => paper.retracted }]
  const add = (reason: string, against: Rule['against']) => rules.push({ reason, against })

  if (year_from !== undefined) add('published_before_year_from', (paper) => paper.year < year_from)
  if (year_to !== undefined) add('published_after_year_to', (paper) => paper.year > year_to)
  if (language !== undefined) add('other_language', (paper) => paper.language !== language)
  if (study_types) add('other_study_type', (paper) => !study_types.includes(studyType(paper).type))
  if (require_abstract) add('no_abstract', (paper) => paper.abstract === null)
  if (include_keywords.length > 0) {
    add('no_include_keyword', (_paper, text) => !include_keywords.some((word) => hasPhrase(text, word)))
  }
  if (exclude_keywords.length > 0) {
    add('exclude_keyword', (_paper, text) => exclude_keywords.some((word) => hasPhrase(text, word)))
  }
  return rules
}

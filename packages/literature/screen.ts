/**
 * Step 6: what stays. Each rule speaks against a paper, cannot tell, or says nothing. The first that speaks against
 * it excludes it; otherwise the first that cannot tell leaves it uncertain, for a person to decide; else it stays.
 */
import type { LiteratureInputs } from '../../contract/literature.ts'
import { matches } from './match.ts'
import type { Paper } from './paper.ts'
import type { Query } from './query.ts'
import { studyType } from './study-type.ts'
import { hasPhrase, phraseText } from './text.ts'

export type Decision = 'included' | 'excluded' | 'uncertain'

export interface Screening {
  decision: Decision
  /** A stable word; `all` for what passed every rule. */
  rule: string
  /** The same for people. */
  reason: string
}

export interface Screened {
  paper: Paper
  screening: Screening
}

interface Verdict {
  speaks: 'against' | 'unsure'
  rule: string
  reason: string
}

type Rule = (paper: Paper, text: string) => Verdict | undefined

export function screen(papers: readonly Paper[], query: Query, inputs: LiteratureInputs): Screened[] {
  const rules = rulesFor(query, inputs)
  return papers.map((paper) => {
    const text = phraseText(`${paper.title}\n${paper.abstract ?? ''}`)
    const verdicts = rules.flatMap((rule) => rule(paper, text) ?? [])
    const verdict = verdicts.find(({ speaks }) => speaks === 'against') ?? verdicts[0]
    if (!verdict)
      return { paper, screening: { decision: 'included', rule: 'all', reason: 'passes every rule' } }
    const { rule, reason, speaks } = verdict
    return { paper, screening: { decision: speaks === 'against' ? 'excluded' : 'uncertain', rule, reason } }
  })
}

const against = (rule: string, reason: string): Verdict => ({ speaks: 'against', rule, reason })
const unsure = (rule: string, reason: string): Verdict => ({ speaks: 'unsure', rule, reason })

/** An option that was not given makes no rule. Retracted work is never kept. */
function rulesFor(query: Query, inputs: LiteratureInputs): Rule[] {
  const { year_from = 0, year_to = 9999, study_types, language, require_abstract } = inputs
  const { include_keywords: include = [], exclude_keywords: exclude = [] } = inputs
  const years = inputs.year_from !== undefined || inputs.year_to !== undefined
  return [
    ({ retracted }) => (retracted ? against('retracted', 'it was retracted') : undefined),
    ({ year }) => {
      if (!years) return undefined
      if (year === null) return unsure('year_unknown', 'its year is not known')
      if (year < year_from)
        return against('before_year_from', `it was published in ${year}, before ${year_from}`)
      return year > year_to
        ? against('after_year_to', `it was published in ${year}, after ${year_to}`)
        : undefined
    },
    (paper) => {
      if (language === undefined || paper.language === language) return undefined
      if (paper.language === null) return unsure('language_unknown', 'its language is not known')
      return against('other_language', `its language is ${paper.language}, not ${language}`)
    },
    (paper) => {
      if (!study_types) return undefined
      const kind = studyType(paper)
      if (kind && study_types.includes(kind.type)) return undefined
      if (!kind) return unsure('study_type_unknown', 'nothing tells its kind of study')
      return against('other_study_type', `it is of the kind ${kind.type.replaceAll('_', ' ')}`)
    },
    ({ abstract }) => {
      if (abstract !== null) return undefined
      if (require_abstract) return against('no_abstract', 'it has no abstract, which the request demands')
      return unsure('no_abstract', 'it has no abstract to be judged by')
    },
    (paper) => topicVerdict(query, paper),
    ({ abstract }, text) => {
      if (include.length === 0 || include.some((word) => hasPhrase(text, word))) return undefined
      if (abstract === null)
        return unsure('no_abstract', 'its title alone has none of the keywords asked for')
      return against('no_include_keyword', 'it has none of the keywords asked for')
    },
    (_paper, text) => {
      const found = exclude.find((word) => hasPhrase(text, word))
      return found === undefined ? undefined : against('exclude_keyword', `it has the keyword "${found}"`)
    },
  ]
}

/** A source may find a paper by its full text or by words in another language: then it is not for us to drop. */
function topicVerdict(query: Query, paper: Paper): Verdict | undefined {
  if (paper.abstract === null || matches(query, paper)) return undefined
  const foreign =
    (paper.language !== null && paper.language !== 'en') || !/\p{Script=Latin}{4}/u.test(paper.title)
  return foreign
    ? unsure('other_language_text', 'its text is in another language than the question')
    : against('other_topic', 'title and abstract do not deal with what was asked')
}

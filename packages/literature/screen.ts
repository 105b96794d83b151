/**
 * Step 6: decides which papers stay. Each rule passes a paper, rejects it or is unsure. The first rejection excludes the
 * paper. Otherwise the first unsure rule leaves it uncertain, for a person to decide. Otherwise it is included.
 */
import type { LiteratureInputs } from '../../contract/literature.ts'
import { degree, meets, type Prepared, prepare, type Sought, soughtIn } from './match.ts'
import type { Paper } from './paper.ts'
import type { Expression } from './plan.ts'
import type { Query, Role } from './query.ts'
import { studyType } from './study-type.ts'
import { hasPhrase } from './text.ts'

export type Decision = 'included' | 'excluded' | 'uncertain'

export interface Screening {
  decision: Decision
  /** A stable word; `all` if every rule passed. */
  rule: string
  /** The reason, for people. */
  reason: string
  /** The criteria, by whether the record meets them; unknown counts as missed. */
  criteria: { met: string[]; missed: string[] }
  /** What the rules said, if a person decided. */
  ruled?: { decision: Decision; rule: string; reason: string }
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

interface Rule {
  /** For people; undefined if a met criterion is not worth mentioning. */
  criterion?: string
  verdict(paper: Paper, text: Prepared): Verdict | undefined
}

/** `asked` are the search steps that filled the review; the rest of the question is ignored. */
export function screen(
  papers: readonly Paper[],
  query: Query,
  inputs: LiteratureInputs,
  asked: readonly Expression[] = [],
): Screened[] {
  const sought = soughtIn(query).filter(({ concept }) => concept.required)
  const rules = [...rulesFor(inputs), topicRule(query, sought, asked), ...keywordRules(inputs)]
  return papers.map((paper) => {
    const text = prepare(paper)
    const criteria: Screening['criteria'] = { met: [], missed: [] }
    for (const one of sought) criteria[degree(one, text) === 1 ? 'met' : 'missed'].push(one.concept.label)
    const verdicts = rules.flatMap(({ criterion, verdict }) => {
      const found = verdict(paper, text)
      if (criterion) criteria[found ? 'missed' : 'met'].push(criterion)
      return found ?? []
    })
    const verdict = verdicts.find(({ speaks }) => speaks === 'against') ?? verdicts[0]
    if (!verdict) {
      return {
        paper,
        screening: { decision: 'included', rule: 'all', reason: 'passes every rule', criteria },
      }
    }
    const { rule, reason, speaks } = verdict
    const decision = speaks === 'against' ? 'excluded' : 'uncertain'
    return { paper, screening: { decision, rule, reason, criteria } }
  })
}

const against = (rule: string, reason: string): Verdict => ({ speaks: 'against', rule, reason })
const unsure = (rule: string, reason: string): Verdict => ({ speaks: 'unsure', rule, reason })

/** Options that were not given add no rule. Retracted work is never included. */
function rulesFor(inputs: LiteratureInputs): Rule[] {
  const { year_from = 0, year_to = 9999, study_types, language, require_abstract } = inputs
  const rules: Rule[] = [
    { verdict: ({ retracted }) => (retracted ? against('retracted', 'it was retracted') : undefined) },
  ]
  if (inputs.year_from !== undefined || inputs.year_to !== undefined) {
    rules.push({
      criterion: `published ${span(inputs)}`,
      verdict({ year }) {
        if (year === null) return unsure('year_unknown', 'its year of publication is unknown')
        if (year < year_from)
          return against('before_year_from', `it was published in ${year}, before ${year_from}`)
        return year > year_to
          ? against('after_year_to', `it was published in ${year}, after ${year_to}`)
          : undefined
      },
    })
  }
  if (language !== undefined) {
    rules.push({
      criterion: `language ${language}`,
      verdict(paper) {
        if (paper.languages.includes(language)) return undefined
        if (paper.language === null) return unsure('language_unknown', 'its language is unknown')
        return against('other_language', `its language is ${paper.language}, not ${language}`)
      },
    })
  }
  if (study_types) {
    rules.push({
      criterion: `kind of study: ${study_types.join(', ').replaceAll('_', ' ')}`,
      verdict(paper) {
        const kind = studyType(paper)
        if (kind && study_types.includes(kind.type)) return undefined
        if (!kind) return unsure('study_type_unknown', 'its kind of study is not stated')
        return against('other_study_type', `its kind of study is ${kind.type.replaceAll('_', ' ')}`)
      },
    })
  }
  rules.push({
    ...(require_abstract && { criterion: 'an abstract' }),
    verdict({ abstract }) {
      if (abstract !== null) return undefined
      if (require_abstract) return against('no_abstract', 'it has no abstract, but the request requires one')
      return unsure('no_abstract', 'it has no abstract to judge it by')
    },
  })
  return rules
}

function span({ year_from, year_to }: LiteratureInputs): string {
  if (year_to === undefined) return `in ${year_from} or later`
  return year_from === undefined ? `in ${year_to} or earlier` : `from ${year_from} to ${year_to}`
}

function keywordRules({
  include_keywords: include = [],
  exclude_keywords: exclude = [],
}: LiteratureInputs): Rule[] {
  const has = ({ title, abstract }: Prepared, word: string) =>
    hasPhrase(title, word) || hasPhrase(abstract, word)
  const rules: Rule[] = []
  if (include.length > 0) {
    rules.push({
      criterion: `one of the keywords ${include.join(', ')}`,
      verdict({ abstract }, text) {
        if (include.some((word) => has(text, word))) return undefined
        if (abstract === null)
          return unsure('no_abstract', 'it has no abstract, and its title has none of the requested keywords')
        return against('no_include_keyword', 'it has none of the requested keywords')
      },
    })
  }
  if (exclude.length > 0) {
    rules.push({
      criterion: `none of the keywords ${exclude.join(', ')}`,
      verdict(_paper, text) {
        const found = exclude.find((word) => has(text, word))
        return found === undefined ? undefined : against('exclude_keyword', `it has the keyword "${found}"`)
      },
    })
  }
  return rules
}

/** A record without even half of any concept is about something else. */
const HALF = 0.5
/** The subject of a question. A record without any of it is not included, whatever the search ignored. */
const CORE: readonly Role[] = ['topic', 'intervention']
/** Setting and comparator often appear only in the full text. */
const LET_PASS: readonly Role[] = ['setting', 'comparator']
/** No record covers every part of a long question: one concept in this many may be missing. */
const MAY_MISS_ONE_IN = 4

/** A source may match a paper by its full text or in another language; then we must not exclude it. */
function topicRule(query: Query, sought: readonly Sought[], asked: readonly Expression[]): Rule {
  return {
    verdict(paper, text) {
      if (paper.abstract === null || query.by === 'query' || sought.length === 0) return undefined
      const degrees = sought.map((one) => degree(one, text))
      const needed = sought.filter(({ concept }) => !LET_PASS.includes(concept.role))
      const missing = sought.filter((one, at) => needed.includes(one) && (degrees[at] ?? 0) < 1).length
      if (needed.length > 0 && missing <= Math.floor(needed.length / MAY_MISS_ONE_IN)) return undefined
      const core = sought.filter(({ concept }) => CORE.includes(concept.role))
      const named =
        core.length === 0 || sought.some((one, at) => core.includes(one) && (degrees[at] ?? 0) > 0)
      if (named && asked.some((expression) => meets(expression, text))) return undefined
      const foreign =
        (paper.language !== null && paper.language !== 'en') || !/\p{Script=Latin}{4}/u.test(paper.title)
      if (foreign) return unsure('other_language_text', 'its text is not in the language of the question')
      const missed = sought.filter((_, at) => (degrees[at] ?? 0) < 1).map(({ concept }) => concept.label)
      if (degrees.some((one) => one >= HALF))
        return unsure('part_of_question', `it does not name ${missed.join(', ')}`)
      return against('other_topic', 'its title and abstract are on another topic')
    },
  }
}

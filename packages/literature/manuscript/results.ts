/** The results section: counts, and quotations from abstracts. */
import { kindInWords, kindsInWords } from '../evidence-map/shape.ts'
import type { Sources } from './sources-of.ts'
import {
  type Block,
  counted,
  type Inline,
  joined,
  pointerTo,
  type Section,
  say,
  value,
  words,
} from './tokens.ts'

export function results(sources: Sources): Section[] {
  return [
    { id: 'results', title: 'Results', level: 1, blocks: [] },
    { id: 'study-selection', title: 'Study selection', level: 2, blocks: studySelection(sources) },
    { id: 'characteristics', title: 'Study characteristics', level: 2, blocks: characteristics(sources) },
    { id: 'individual', title: 'Results of individual studies', level: 2, blocks: individual(sources) },
    { id: 'evidence-map', title: 'Map of the evidence', level: 2, blocks: mapOf(sources) },
    { id: 'gaps', title: 'Gaps in the evidence', level: 2, blocks: gapsOf(sources) },
  ]
}

function studySelection({ review, flow }: Sources): Block[] {
  const { records_removed_before_screening: removed, records_unread } = flow.value.identification
  const {
    records_excluded_by_rule: rules,
    records_uncertain_by_rule: doubts,
    records_uncertain,
  } = flow.value.screening
  const each = (counts: Record<string, number>, ...path: string[]) =>
    Object.entries(counts).flatMap(([rule, count]) =>
      count > 0 ? [say`${inWords(rule)} (${value(flow, pointerTo(...path, rule))})`] : [],
    )
  const taken = each(removed, 'identification', 'records_removed_before_screening')
  const excluded = each(rules, 'screening', 'records_excluded_by_rule')
  const uncertain = each(doubts, 'screening', 'records_uncertain_by_rule')
  return [
    {
      kind: 'paragraph',
      content: [
        ...say`The search identified ${counted(flow, '/identification/records_identified', 'record')}. `,
        ...(records_unread > 0
          ? say`${value(flow, '/identification/records_unread')} of them were not read because of a limit; they do not count as excluded. `
          : say`All of them were read. `),
        ...(taken.length > 0 ? say`Before screening, records were removed: ${joined(taken)}. ` : []),
        ...say`We screened ${counted(flow, '/screening/records_screened', 'record')} and excluded ${value(flow, '/screening/records_excluded')}`,
        ...(excluded.length > 0 ? say`: ${joined(excluded)}. ` : say`. `),
        ...(records_uncertain > 0
          ? say`${value(flow, '/screening/records_uncertain')} could not be judged: ${joined(uncertain)}. `
          : []),
        ...say`We included ${counted(review, '/counts/included', 'paper')}. The file prisma.svg shows the flow of records.`,
      ],
    },
  ]
}

function characteristics({ review, references }: Sources): Block[] {
  const { papers, summary } = review.value
  if (papers.length === 0) return [{ kind: 'paragraph', content: say`No paper is included.` }]
  const kinds = Object.keys(summary.study_types).map(
    (kind) =>
      say`${value(review, pointerTo('summary', 'study_types', kind))} ${words(kind === 'not told' ? 'of no stated kind' : kindsInWords(summary.study_types[kind] ?? 0, kind))}`,
  )
  const dated = papers
    .flatMap(({ year }, at) => (year === null ? [] : [{ year, at }]))
    .sort((a, b) => a.year - b.year)
  const [first, last] = [dated[0], dated.at(-1)]
  const rows = papers
    .map((paper, at) => ({ paper, at, cited: references.cite(paper.id) }))
    .sort((a, b) => (keyOf(a.cited) < keyOf(b.cited) ? -1 : 1))
  return [
    {
      kind: 'paragraph',
      content: [
        ...(first && last && first.year !== last.year
          ? say`The included papers were published from ${value(review, pointerTo('papers', first.at, 'year'))} to ${value(review, pointerTo('papers', last.at, 'year'))}. `
          : first
            ? say`The included papers were published in ${value(review, pointerTo('papers', first.at, 'year'))}. `
            : []),
        ...say`By kind of study: ${joined(kinds)}.`,
      ],
    },
    {
      kind: 'table',
      head: [say`Paper`, say`Title`, say`Kind of study`, say`Participants`],
      rows: rows.map(({ paper, at, cited }) => [
        [cited],
        [value(review, pointerTo('papers', at, 'title'))],
        paper.study_type ? say`${words(kindInWords(paper.study_type.type))}` : say`not stated`,
        paper.extraction.sample_size
          ? [value(review, pointerTo('papers', at, 'extraction', 'sample_size', 'value'))]
          : say`not stated`,
      ]),
    },
  ]
}

/** Quotes the first result that an abstract labels as one, or else its first conclusion. */
function individual({ review, references }: Sources): Block[] {
  const items = review.value.papers.flatMap(
    ({ id, extraction }, at): { key: string; content: Inline[] }[] => {
      const part =
        extraction.results.length > 0 ? 'results' : extraction.conclusions.length > 0 ? 'conclusions' : null
      if (part === null) return []
      const cited = references.cite(id)
      const quoted = value(review, pointerTo('papers', at, 'extraction', part, 0, 'text'))
      return [{ key: keyOf(cited), content: say`${cited} “${quoted}”` }]
    },
  )
  if (items.length === 0) {
    return [{ kind: 'paragraph', content: say`No included paper has an abstract that labels its results.` }]
  }
  return [
    {
      kind: 'paragraph',
      content: say`Each sentence is quoted from an abstract, and only if the abstract labels it as a result or a conclusion:`,
    },
    { kind: 'list', items: items.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ content }) => content) },
  ]
}

function mapOf({ map }: Sources): Block[] {
  const { concepts, kinds, by_concept_and_kind: cells, papers } = map.value
  if (papers === 0)
    return [{ kind: 'paragraph', content: say`No paper is included, so there is nothing to map.` }]
  const cell = (concept: string, kind: string) =>
    cells.findIndex((one) => one.concept === concept && one.kind === kind)
  return [
    {
      kind: 'paragraph',
      content: say`The table counts the included papers by concept and kind of study. A paper that addresses several concepts is counted under each. The file evidence_map.svg shows the same map.`,
    },
    {
      kind: 'table',
      head: [
        say`Kind of study`,
        ...concepts.map((_, at) => [value(map, pointerTo('concepts', at, 'label'))]),
      ],
      rows: kinds.map((kind) => [
        say`${words(kindInWords(kind))}`,
        ...concepts.map(({ label }) => [
          value(map, pointerTo('by_concept_and_kind', cell(label, kind), 'count')),
        ]),
      ]),
    },
  ]
}

function gapsOf({ map, references }: Sources): Block[] {
  const { gaps } = map.value
  if (gaps.length === 0) return [{ kind: 'paragraph', content: say`The map has no gaps.` }]
  return [
    {
      kind: 'paragraph',
      content: say`A gap is what this review did not find; it does not mean that nothing exists.`,
    },
    {
      kind: 'list',
      items: gaps.map(({ paper_ids }, at) => [
        value(map, pointerTo('gaps', at, 'text')),
        ...paper_ids.flatMap((id) => [words(' '), references.cite(id)]),
      ]),
    },
  ]
}

function keyOf(token: Inline): string {
  return token.kind === 'citation' ? token.key : ''
}

const RULES: Readonly<Record<string, string>> = {
  without_title: 'no title',
  notices: 'notices about other papers',
  other_topic: 'another topic',
  part_of_question: 'only part of the question addressed',
  before_year_from: 'published too early',
  after_year_to: 'published too late',
  year_unknown: 'unknown year',
  language_unknown: 'unknown language',
  other_language: 'another language',
  other_language_text: 'text in another language',
  other_study_type: 'another kind of study',
  study_type_unknown: 'unknown kind of study',
  no_include_keyword: 'no required keyword',
  exclude_keyword: 'an excluded keyword',
  beyond_max_results: 'ranked below the number of papers requested',
  decided_by_person: 'decided by a person',
}

/** The rule as the review words it. */
function inWords(rule: string): Inline {
  return words((RULES[rule] ?? rule).replaceAll('_', ' '))
}

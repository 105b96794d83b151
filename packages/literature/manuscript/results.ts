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
      count > 0 ? [say`${value(flow, pointerTo(...path, rule))} as ${inWords(rule)}`] : [],
    )
  const taken = each(removed, 'identification', 'records_removed_before_screening')
  const excluded = each(rules, 'screening', 'records_excluded_by_rule')
  const uncertain = each(doubts, 'screening', 'records_uncertain_by_rule')
  return [
    {
      kind: 'paragraph',
      content: [
        ...say`The sources have ${counted(flow, '/identification/records_identified', 'record')}. `,
        ...(records_unread > 0
          ? say`${value(flow, '/identification/records_unread')} of them were left unread because of a limit; this is not an exclusion. `
          : say`All of them were read. `),
        ...(taken.length > 0 ? say`Before screening, records were taken out: ${joined(taken)}. ` : []),
        ...say`We screened ${counted(flow, '/screening/records_screened', 'record')} and excluded ${value(flow, '/screening/records_excluded')}`,
        ...(excluded.length > 0 ? say`: ${joined(excluded)}. ` : say`. `),
        ...(records_uncertain > 0
          ? say`${value(flow, '/screening/records_uncertain')} could not be judged: ${joined(uncertain)}. `
          : []),
        ...say`${counted(review, '/counts/included', 'paper')} ${words(review.value.counts.included === 1 ? 'is' : 'are')} included. The flow is drawn in the file prisma.svg.`,
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
    return [{ kind: 'paragraph', content: say`No abstract of an included paper labels its results.` }]
  }
  return [
    {
      kind: 'paragraph',
      content: say`In the words of their abstracts; a sentence was taken only where the abstract says that it is a result or a conclusion:`,
    },
    { kind: 'list', items: items.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ content }) => content) },
  ]
}

function mapOf({ map }: Sources): Block[] {
  const { concepts, kinds, by_concept_and_kind: cells, papers } = map.value
  if (papers === 0)
    return [{ kind: 'paragraph', content: say`With no paper included, there is nothing to map.` }]
  const cell = (concept: string, kind: string) =>
    cells.findIndex((one) => one.concept === concept && one.kind === kind)
  return [
    {
      kind: 'paragraph',
      content: say`Number of included papers by concept and kind of study. A paper that deals with several concepts is counted in each. The picture is the file evidence_map.svg.`,
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
  if (gaps.length === 0)
    return [{ kind: 'paragraph', content: say`The map has no cell that counts as a gap.` }]
  return [
    {
      kind: 'paragraph',
      content: say`A gap is what this review did not find; it does not say that nothing exists.`,
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
  duplicates: 'duplicates',
  notices: 'notices about other papers',
  without_title: 'records without a title',
  other_topic: 'on another topic',
  part_of_question: 'dealing with a part of the question',
  no_abstract: 'without an abstract',
}

/** The rule as the review words it. */
function inWords(rule: string): Inline {
  return words((RULES[rule] ?? rule).replaceAll('_', ' '))
}

/** The methods section, which contains only facts. */
import { sourceNameFirst } from '../source-names.ts'
import type { Sources } from './sources-of.ts'
import {
  type Block,
  counted,
  gap,
  type Inline,
  joined,
  name,
  pointerTo,
  type Section,
  say,
  value,
  words,
} from './tokens.ts'

export function methods(sources: Sources): Section[] {
  const { review } = sources
  return [
    {
      id: 'methods',
      title: 'Methods',
      level: 1,
      blocks: [
        {
          kind: 'paragraph',
          content: say`This text follows the order of ${name('PRISMA 2020')}. It was drafted from the files of a workflow; what they do not contain is marked for the authors.`,
        },
      ],
    },
    { id: 'eligibility', title: 'Eligibility criteria', level: 2, blocks: eligibility(sources) },
    { id: 'sources', title: 'Information sources', level: 2, blocks: informationSources(sources) },
    { id: 'strategy', title: 'Search strategy', level: 2, blocks: strategy(sources) },
    { id: 'selection', title: 'Selection process', level: 2, blocks: selection(sources) },
    {
      id: 'collection',
      title: 'Data collection and data items',
      level: 2,
      blocks: [
        {
          kind: 'paragraph',
          content: say`From the title, abstract, publication types and subject headings of each record, we extracted the kind of study, the number of participants, and sentences labelled as results or conclusions. We took an item only if the record states it; otherwise it is given as not stated. No authors were contacted.`,
        },
      ],
    },
    {
      id: 'bias',
      title: 'Risk of bias',
      level: 2,
      blocks: [
        {
          kind: 'paragraph',
          content: [
            ...say`Risk of bias was not assessed, because no full text was read. `,
            gap('Assess it, or say why not'),
          ],
        },
      ],
    },
    {
      id: 'synthesis',
      title: 'Synthesis methods',
      level: 2,
      blocks: [
        {
          kind: 'paragraph',
          content: say`No results were pooled. The included papers were counted by concept, kind of study and year of publication; a gap is a cell of this map with at most one paper. Papers without a stated kind or year are counted separately. The question was: ${value(review, '/question')}`,
        },
      ],
    },
  ]
}

function eligibility({ review, protocol }: Sources): Block[] {
  const { inputs } = review.value
  const listed = (option: 'study_types' | 'include_keywords' | 'exclude_keywords'): Inline[] =>
    joined((inputs[option] ?? []).map((_, at) => value(review, pointerTo('inputs', option, at))))
  const items: Inline[][] = [
    ...(inputs.year_from === undefined
      ? []
      : [say`were published in ${value(review, '/inputs/year_from')} or later`]),
    ...(inputs.year_to === undefined
      ? []
      : [say`were published in ${value(review, '/inputs/year_to')} or earlier`]),
    ...(inputs.study_types ? [say`were of one of these kinds: ${listed('study_types')}`] : []),
    ...(inputs.include_keywords?.length
      ? [say`contained at least one of these keywords: ${listed('include_keywords')}`]
      : []),
    ...(inputs.exclude_keywords?.length
      ? [say`contained none of these keywords: ${listed('exclude_keywords')}`]
      : []),
    ...(inputs.language ? [say`were written in the language ${value(review, '/inputs/language')}`] : []),
    ...(inputs.require_abstract ? [say`had an abstract`] : []),
    say`had not been retracted`,
    say`addressed the concepts of the question`,
  ]
  return [
    {
      kind: 'paragraph',
      content: protocol
        ? say`The criteria were declared in a protocol before the search. Papers were eligible if they:`
        : say`Papers were eligible if they:`,
    },
    { kind: 'list', items },
  ]
}

function informationSources({ review, log }: Sources): Block[] {
  const searches = log.value.searches.map((search, at): Inline[] => {
    const to = (...names: (string | number)[]) => pointerTo('searches', at, ...names)
    const source = words(sourceNameFirst(search.source))
    if (search.failure) return say`${source} could not be searched: ${value(log, to('failure', 'message'))}`
    if (search.role === 'completes') return say`${source} completed records that other sources had returned`
    const when = search.searched_at === null ? say`on this machine` : say`on ${value(log, to('searched_at'))}`
    return say`${source} was searched ${when}: it had ${counted(log, to('hits'), 'hit')}, of which ${value(log, to('records_read'))} were read`
  })
  const imports = review.value.imports.map((_, at) => {
    const to = (part: string) => pointerTo('imports', at, part)
    return say`${value(review, to('source'))} supplied ${counted(review, to('records'), 'record')}, imported as ${value(review, to('format'))}`
  })
  return [{ kind: 'list', items: [...searches, ...imports] }]
}

/** The query used for each source, word for word. */
function strategy({ log, review }: Sources): Block[] {
  const blocks: Block[] = []
  for (const [at, { source, request, role, steps, step }] of log.value.searches.entries()) {
    if (!request || role !== 'searches') continue
    const to = (...names: (string | number)[]) => pointerTo('searches', at, ...names)
    const last = steps.length - 1
    const asked =
      step !== null && last >= 0
        ? say` was searched for ${value(log, to('steps', stepAt(steps, request), 'says'))}. The query, word for word:`
        : say` was sent this query:`
    blocks.push({ kind: 'paragraph', content: [words(sourceNameFirst(source)), ...asked] })
    for (const parameter of Object.keys(request)) {
      blocks.push({ kind: 'code', content: [value(log, to('request', parameter))] })
    }
  }
  const left = review.value.left_out
  if (left.length > 0) {
    const each = left.map((_, at) => [
      value(review, pointerTo('left_out', at, 'word')),
      words(' ('),
      value(review, pointerTo('left_out', at, 'reason')),
      words(')'),
    ])
    blocks.push({
      kind: 'paragraph',
      content: say`Words of the question that were not searched: ${joined(each)}.`,
    })
  }
  return blocks
}

/** The step whose records were read. */
function stepAt(steps: readonly { request: unknown }[], request: unknown): number {
  const wanted = JSON.stringify(request)
  const found = steps.findLastIndex((one) => JSON.stringify(one.request) === wanted)
  return found < 0 ? steps.length - 1 : found
}

function selection({ review, flow }: Sources): Block[] {
  const { included, excluded } = flow.value.screening.decided_by_person
  return [
    {
      kind: 'paragraph',
      content: say`Duplicates were linked by identifier, then by title, year and first author. A program screened each record by its title and abstract; records that it could not judge were left to a person. ${value(review, '/match_rule')}`,
    },
    {
      kind: 'paragraph',
      content:
        included + excluded > 0
          ? say`A person decided to include ${counted(flow, '/screening/decided_by_person/included', 'record')} and to exclude ${value(flow, '/screening/decided_by_person/excluded')}; the reason is recorded with each decision.`
          : say`No decision was made by hand.`,
    },
  ]
}

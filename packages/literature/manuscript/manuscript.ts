/**
 * Stage 14: a draft manuscript. It writes out methods and results because they are facts. A marked gap leaves each
 * judgement to the author.
 */

import { sourceNames } from '../source-names.ts'
import { discussion, introduction, others } from './frame-sections.ts'
import { methods } from './methods.ts'
import { results } from './results.ts'
import type { Sources } from './sources-of.ts'
import { counted, gap, type Manuscript, pointerTo, type Section, say, value, words } from './tokens.ts'

export function manuscriptOf(sources: Sources): Manuscript {
  const { review, inputs, references } = sources
  const sections = [
    abstract(sources),
    ...introduction(sources),
    ...methods(sources),
    ...results(sources),
    ...discussion(sources),
    ...others(sources),
  ]
  const listed: Section = {
    id: 'references',
    title: 'References',
    level: 1,
    blocks: [{ kind: 'list', items: references.listed() }],
  }
  return {
    title: inputs.value.title
      ? [value(inputs, '/title')]
      : [
          gap('Give the manuscript a title that identifies it as a review'),
          words(': '),
          value(review, '/question'),
        ],
    authors: (inputs.value.authors ?? []).map((_, at) => [value(inputs, pointerTo('authors', at))]),
    notice: review.value.notice === null ? [] : [value(review, '/notice')],
    sections: [...sections, listed],
  }
}

function abstract({ review, flow, log, map }: Sources): Section {
  const kinds = Object.keys(review.value.summary.study_types).length
  return {
    id: 'abstract',
    title: 'Abstract',
    level: 1,
    blocks: [
      { kind: 'paragraph', content: [...say`Background. `, gap('Say why this question matters')] },
      {
        kind: 'paragraph',
        content: say`Objective. To find and map what is published on the question: ${value(review, '/question')}`,
      },
      {
        kind: 'paragraph',
        content: say`Methods. We searched ${words(sourceNames(log.value.searches.filter(({ role }) => role === 'searches').map(({ source }) => source)))}. Records were deduplicated, screened by rules on titles and abstracts, and counted by concept, kind of study and year. No full text was read, and no results were pooled.`,
      },
      {
        kind: 'paragraph',
        content: [
          ...say`Results. Of ${counted(flow, '/identification/records_identified', 'record')} identified, ${value(flow, '/screening/records_screened')} were screened and ${counted(review, '/counts/included', 'paper')} included. `,
          ...(flow.value.screening.records_uncertain > 0
            ? say`${counted(flow, '/screening/records_uncertain', 'record')} could not be judged by the rules. `
            : []),
          ...(kinds > 0 && map.value.gaps.length > 0
            ? say`The map of the evidence has gaps, which are listed below.`
            : []),
        ],
      },
      {
        kind: 'paragraph',
        content: [...say`Conclusions. `, gap('Say what follows from the results, and for whom')],
      },
    ],
  }
}

/** The gaps as Markdown: each sentence with its papers and a number, and the cells behind the numbers in a list at the end. */
import { plural } from '../count.ts'
import { inlineCode, plainText } from '../markdown.ts'
import type { EvidenceMap, MapGap } from './shape.ts'

const TITLES: readonly [kind: MapGap['gap'], title: string][] = [
  ['concept', 'Concepts with few or no papers'],
  ['pair', 'Pairs of concepts that no paper combines'],
  ['kind', 'Kinds of study that are missing'],
  ['concept_and_kind', 'Kinds of study that are rare or missing for a concept'],
  ['recent', 'Concepts that the newest papers do not cover'],
]

export function gapsMarkdown({ question, notice, papers, gaps }: EvidenceMap): string {
  const ordered = TITLES.flatMap(([kind]) => gaps.filter(({ gap }) => gap === kind))
  const numberOf = (gap: MapGap) => ordered.indexOf(gap) + 1
  const lines = [
    '# Gaps',
    ...(notice ? ['', `> ${plainText(notice)}`] : []),
    '',
    `Question: ${plainText(question)}`,
    '',
    `These counts cover ${plural(papers, 'included paper')}. A gap is what this review did not find. It does not mean`,
    'that nothing exists. Each sentence is computed from one cell of the map: its number leads to the list at the end.',
    ...(gaps.length === 0
      ? ['', papers === 0 ? 'No paper is included, so nothing can be counted.' : 'No gap was found.']
      : []),
    ...TITLES.flatMap(([kind, title]) => {
      const some = gaps.filter(({ gap }) => gap === kind)
      return some.length === 0 ? [] : ['', `## ${title}`, '', ...some.map((gap) => line(gap, numberOf(gap)))]
    }),
    ...(gaps.length === 0 ? [] : ['', '## Cells of evidence_map.json', '', ...ordered.map(cell)]),
  ]
  return `${lines.join('\n')}\n`
}

function line({ text, paper_ids }: MapGap, number: number): string {
  const papers = paper_ids.length > 0 ? ` (${paper_ids.map(inlineCode).join(', ')})` : ''
  return `- ${plainText(text)}${papers} (cell ${number})`
}

function cell({ pointer, count, of }: MapGap, at: number): string {
  return `${at + 1}. ${inlineCode(pointer)}: ${count} of ${plural(of, 'paper')}`
}

/** The gaps as Markdown: each sentence with its cell and its papers. */
import { plural } from '../count.ts'
import { inlineCode, plainText } from '../markdown.ts'
import type { EvidenceMap, MapGap } from './shape.ts'

const TITLES: readonly [kind: MapGap['gap'], title: string][] = [
  ['concept', 'What was asked and hardly found'],
  ['pair', 'What was not found together'],
  ['kind', 'Kinds of study that were not found'],
  ['concept_and_kind', 'Kinds of study that were hardly found on a subject'],
  ['recent', 'What the newest papers do not deal with'],
]

export function gapsMarkdown({ question, notice, papers, gaps }: EvidenceMap): string {
  const lines = [
    '# Gaps',
    ...(notice ? ['', `> ${plainText(notice)}`] : []),
    '',
    `Question: ${plainText(question)}`,
    '',
    `Counted over ${plural(papers, 'included paper')}. A gap is what this review did not find. Behind each sentence stands the cell`,
    'of evidence_map.json that it is computed from.',
    ...(gaps.length === 0
      ? ['', papers === 0 ? 'No paper is included, so nothing can be counted.' : 'No gap was found.']
      : []),
    ...TITLES.flatMap(([kind, title]) => {
      const some = gaps.filter(({ gap }) => gap === kind)
      return some.length === 0 ? [] : ['', `## ${title}`, '', ...some.map(line)]
    }),
  ]
  return `${lines.join('\n')}\n`
}

function line({ text, pointer, count, of, paper_ids }: MapGap): string {
  const papers = paper_ids.length > 0 ? `: ${paper_ids.map(inlineCode).join(', ')}` : ''
  return `- ${plainText(text)} (${inlineCode(pointer)}, ${count} of ${of}${papers})`
}

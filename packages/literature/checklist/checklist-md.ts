/** The checklist as Markdown. */
import { inlineCode, plainText } from '../markdown.ts'
import type { CheckedItem, Checklist } from './checklist.ts'

const STATES: Readonly<Record<CheckedItem['state'], string>> = {
  told: 'reported',
  told_in_part: 'partly reported; the rest is for the author',
  for_the_author: 'for the author',
  not_assessed: 'not assessed',
}

export function checklistMarkdown({ manuscript, items, unbound }: Checklist): string {
  const lines = [
    '# Checklist: PRISMA 2020',
    '',
    `${inShort(items)} The list shows where the draft reports each item. It makes no judgement and gives no score.`,
    '"Not assessed" means that the draft has no section for the item. The items are paraphrased.',
    ...items.flatMap(({ item, topic, asks, state, places }) => [
      '',
      `## ${item}. ${topic}: ${STATES[state]}`,
      '',
      `The item asks: ${asks}`,
      ...places.flatMap(({ title, quotation, gap }) => [
        '',
        `${gap ? 'Gap in section' : 'Section'}: ${title}`,
        '',
        `> ${gap ? gapOf(quotation) : plainText(unmarked(quotation))}`,
      ]),
    ]),
    '',
    '## Numbers that are not bound to a file',
    '',
    ...(unbound.length === 0
      ? ['None.']
      : unbound.map(({ text, start }) => `- ${text} at character ${start}`)),
    '',
    '## Checked text',
    '',
    `${inlineCode(manuscript.name)}, SHA-256 ${inlineCode(manuscript.sha256)}.`,
  ]
  return `${lines.join('\n')}\n`
}

const COUNTED: readonly [CheckedItem['state'], string][] = [
  ['told', 'reported'],
  ['told_in_part', 'partly reported'],
  ['for_the_author', 'for the author'],
  ['not_assessed', 'not assessed'],
]

function inShort(items: readonly CheckedItem[]): string {
  const counts = COUNTED.map(([wanted, words]) => {
    return `${items.filter(({ state }) => state === wanted).length} ${words}`
  })
  return `${items.length} items: ${counts.join(', ')}.`
}

/** A gap stays bold, as in the draft. */
function gapOf(quotation: string): string {
  return `**${plainText(unmarked(quotation.replace(/^\*\*|\*\*$/g, '')))}**`
}

/** The quoted text without the draft's own Markdown escapes. */
function unmarked(quotation: string): string {
  return quotation.replace(/\\(?=[\\`*_[\]<>#|~&])/g, '')
}

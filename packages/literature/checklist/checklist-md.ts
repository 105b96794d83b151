/** The checklist as Markdown. */
import { inlineCode, plainText } from '../markdown.ts'
import type { CheckedItem, Checklist } from './checklist.ts'

const STATES: Readonly<Record<CheckedItem['state'], string>> = {
  told: 'told',
  told_in_part: 'told in part; the rest is for the author',
  for_the_author: 'for the author',
  not_assessed: 'not assessed',
}

export function checklistMarkdown({ manuscript, items, unbound }: Checklist): string {
  const lines = [
    '# Checklist: PRISMA 2020',
    '',
    `Of ${inlineCode(manuscript.name)}, SHA-256 ${inlineCode(manuscript.sha256)}.`,
    '',
    'The items are in our own words. The list says what stands where in the draft. It judges nothing and gives no score.',
    '"Not assessed" means that the draft has no place for the item.',
    ...items.flatMap(({ item, topic, asks, state, places }) => [
      '',
      `## ${item}. ${topic}: ${STATES[state]}`,
      '',
      asks,
      ...places.flatMap(({ title, quotation, gap }) => [
        '',
        `${gap ? 'Gap in' : 'Place'}: ${title}`,
        '',
        `> ${plainText(quotation.replace(/\\(?=[\\`*_[\]<>#|~&])/g, ''))}`,
      ]),
    ]),
    '',
    '## Numbers without an artifact behind them',
    '',
    ...(unbound.length === 0
      ? ['None.']
      : unbound.map(({ text, start }) => `- ${text} at character ${start}`)),
  ]
  return `${lines.join('\n')}\n`
}

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
    `Of ${inlineCode(manuscript.name)}, SHA-256 ${inlineCode(manuscript.sha256)}.`,
    '',
    'The items are in our own words. The list shows where the draft reports each item. It makes no judgement and gives no score.',
    '"Not assessed" means that the draft has no section for the item.',
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
    '## Numbers that are not bound to an artifact',
    '',
    ...(unbound.length === 0
      ? ['None.']
      : unbound.map(({ text, start }) => `- ${text} at character ${start}`)),
  ]
  return `${lines.join('\n')}\n`
}

/** The protocol as Markdown. */
import { inlineCode, plainText } from '../markdown.ts'
import { sourceNameFirst } from '../source-names.ts'
import type { Protocol } from './protocol.ts'

export function protocolMarkdown(protocol: Protocol): string {
  const { title, question, notice, concepts, left_out, queries, sources, criteria } = protocol
  const required = concepts.filter((one) => one.required)
  const others = concepts.filter((one) => !one.required)
  const lines = [
    `# Protocol: ${plainText(title ?? question)}`,
    ...(notice ? ['', `> ${plainText(notice)}`] : []),
    '',
    '## Question',
    '',
    plainText(question),
    '',
    '## Groups of terms',
    '',
    'A paper must match every group. Any term of a group is enough.',
    '',
    '| group | role | terms | synonyms |',
    '|---|---|---|---|',
    ...required.map(({ role, terms, synonyms }, at) => {
      return `| ${at + 1} | ${role} | ${terms.map(plainText).join(', ')} | ${synonyms.map(plainText).join(', ') || '–'} |`
    }),
    ...(others.length > 0
      ? ['', `Only for ranking: ${others.map(({ label }) => plainText(label)).join(', ')}.`]
      : []),
    ...(left_out.length > 0
      ? [
          '',
          'Not searched:',
          '',
          ...left_out.map((one) => `- ${plainText(one.word)}: ${plainText(one.reason)}`),
        ]
      : []),
    '',
    '## Criteria',
    '',
    'A paper is eligible if it',
    '',
    ...criteria.map(({ text }) => `- ${plainText(text)}`),
    '',
    '## Sources',
    '',
    ...sources.map((source) => `- ${sourceNameFirst(source)}`),
    '',
    '## Draft queries',
    '',
    'The strictest query for each source. A search that finds too few records continues with broader queries.',
    ...queries.flatMap(({ source, says, request }) => [
      '',
      `### ${sourceNameFirst(source)}`,
      '',
      `It searches for ${plainText(says)}.`,
      '',
      ...Object.entries(request).map(([name, value]) => `- ${name}: ${inlineCode(value)}`),
    ]),
  ]
  return `${lines.join('\n')}\n`
}

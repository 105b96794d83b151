/** How sixty questions from ten fields are understood: groups, query and mistakes of each. */

import { printed, readQuestions } from '../packages/literature/bench/questions.ts'
import type { Benchmark, Row } from './benchmark.ts'

export const questions: Benchmark = {
  name: 'questions',
  title: 'From sixty questions to queries',
  async run() {
    const lines = readQuestions()
    console.log(printed(lines))
    const count = (what: string, value: number, target: NonNullable<Row['target']>): Row => {
      return { what, unit: '', subject: `${lines.length} questions`, figure: exactly(value), target }
    }
    const none = { at: 'most', value: 0 } as const
    return [
      count('without a query', lines.filter(({ query }) => query === '').length, none),
      count('with a word lost without a reason', lines.filter(({ lost }) => lost.length > 0).length, none),
      count('that a librarian would ask otherwise', lines.filter(({ wrong }) => wrong).length, {
        at: 'most',
        value: 6,
      }),
    ]
  },
}

function exactly(value: number): Row['figure'] {
  return { median: value, min: value, max: value }
}

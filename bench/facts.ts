/** Measures how often a review states the right kind and size of a study, with the confusion matrix of kinds. */
import { confusion, measureFacts } from '../packages/literature/bench/facts.ts'
import type { Benchmark, Row } from './benchmark.ts'

const RIGHT = 0.95

export const facts: Benchmark = {
  name: 'facts',
  title: 'Facts about a paper: how many of the stated ones are right',
  async run(bench) {
    bench.say('kind of study: label -> answer, how often')
    for (const { label, answer, count } of confusion()) {
      bench.say(`  ${label === answer ? ' ' : '!'} ${label} -> ${answer}: ${count}`)
    }
    return measureFacts().flatMap(({ fact, set, abstracts, known, stated, right, faults }): Row[] => {
      for (const { title, label, answer } of faults)
        bench.say(`${fact}, ${set}: "${title}": ${label}, not ${answer}`)
      const subject = `${set}, ${abstracts} abstracts`
      return [
        {
          what: `${fact}: right, of those stated`,
          unit: '',
          subject,
          figure: exactly(right / stated),
          target: { at: 'least', value: RIGHT },
          note: `${right} of ${stated}`,
        },
        {
          what: `${fact}: stated, of those known`,
          unit: '',
          subject,
          figure: exactly(right / known),
          note: `${right} of ${known}`,
        },
      ]
    })
  },
}

function exactly(value: number): Row['figure'] {
  return { median: value, min: value, max: value }
}

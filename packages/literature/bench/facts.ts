/**
 * Measures how often the review states the right kind of study and sample size, on labelled abstracts from many fields.
 * Only stated facts count: a fact left out is not wrong. No rule was written for the 40 held-out abstracts.
 */
import { extract } from '../extract.ts'
import { normalise } from '../normalise.ts'
import { emptyRecord } from '../paper.ts'
import { HELD_OUT } from './facts/held-out.ts'
import type { Labelled } from './facts/labelled.ts'
import { TUNING_1 } from './facts/tuning-1.ts'
import { TUNING_2 } from './facts/tuning-2.ts'

export interface Score {
  fact: 'kind of study' | 'sample size'
  set: 'tuning' | 'held out'
  abstracts: number
  /** Abstracts whose label has the fact; those where the review stated it; those where it was right. */
  known: number
  stated: number
  right: number
  /** Wrong or missing facts. */
  faults: { title: string; label: string; answer: string }[]
}

export const SETS = { tuning: [...TUNING_1, ...TUNING_2], 'held out': [...HELD_OUT] } as const

export function measureFacts(): Score[] {
  return (['tuning', 'held out'] as const).flatMap((set) => {
    const answers = SETS[set].map((one) => ({ one, ...answerTo(one) }))
    return [
      scored(
        'kind of study',
        set,
        answers.map(({ one, kind }) => [one.title, one.kind, kind]),
      ),
      scored(
        'sample size',
        set,
        answers.map(({ one, size }) => [one.title, one.size, size]),
      ),
    ]
  })
}

/** How often each pair of label and answer occurs; equal pairs are the diagonal. */
export function confusion(): { label: string; answer: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const one of [...SETS.tuning, ...SETS['held out']]) {
    const key = `${one.kind ?? 'none'}\t${answerTo(one).kind ?? 'none'}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].sort().map(([key, count]) => {
    const [label = '', answer = ''] = key.split('\t')
    return { label, answer, count }
  })
}

function answerTo({ title, abstract, publication_types = [], mesh = [] }: Labelled) {
  const record = { ...emptyRecord('pubmed', '1'), title, abstract, publication_types, mesh }
  const paper = normalise(record, 1)
  if (!paper) throw new Error('no title')
  const { design, sample_size } = extract(paper)
  return { kind: design?.type ?? null, size: sample_size?.value ?? null }
}

function scored<T>(
  fact: Score['fact'],
  set: Score['set'],
  pairs: readonly (readonly [title: string, label: T | null, answer: T | null])[],
): Score {
  return {
    fact,
    set,
    abstracts: pairs.length,
    known: pairs.filter(([, label]) => label !== null).length,
    stated: pairs.filter(([, , answer]) => answer !== null).length,
    right: pairs.filter(([, label, answer]) => answer !== null && label === answer).length,
    faults: pairs
      .filter(([, label, answer]) => label !== answer)
      .map(([title, label, answer]) => ({ title, label: String(label), answer: String(answer) })),
  }
}

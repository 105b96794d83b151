/** Which words of the question are missing from a source's query, and why. */
import type { Climb } from './ladder.ts'
import { termsIn } from './plan.ts'
import type { LeftOut, Query } from './query.ts'
import { words } from './text.ts'

/** Empty for the user's own query, which need not contain them. */
export function lostWords(query: Query, climb: Climb | null | undefined): LeftOut[] {
  if (!climb?.expression) return []
  const held = new Set(termsIn(climb.expression).flatMap(words))
  const counted = new Map(climb.lines.map(({ term, hits }) => [term, hits]))
  const lost = new Map<string, LeftOut>()
  for (const { terms, required, label } of query.concepts) {
    if (!required) continue
    for (const word of terms.flatMap((term) => term.split(/\s+/))) {
      const stems = words(word)
      if (stems.length === 0 || stems.every((stem) => held.has(stem)) || lost.has(stems.join(' '))) continue
      lost.set(stems.join(' '), { word, reason: reason(counted.get(word), climb, label) })
    }
  }
  return [...lost.values()]
}

function reason(hits: number | undefined, { chosen }: Climb, label: string): string {
  if (hits === 0) return 'no record has it'
  if (chosen?.step.startsWith('weight_')) {
    return hits === undefined
      ? 'too common to be looked for alone'
      : 'the rarer words of the question were enough for a query'
  }
  if (chosen?.step.startsWith('without_'))
    return `"${label}" was let go, because too little was found with it`
  return 'it is too common to tell records apart, or had no room in the query'
}

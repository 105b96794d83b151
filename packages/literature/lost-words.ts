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
  if (hits === 0) return 'no record contains it'
  if (chosen?.step.startsWith('weight_')) {
    return hits === undefined
      ? 'too common to search for on its own'
      : 'the rarer words of the question were enough'
  }
  if (chosen?.step.startsWith('without_')) return `"${label}" was dropped because it left too few hits`
  return 'it is too common to distinguish records, or the query had no room for it'
}

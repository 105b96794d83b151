/** Step 1: turns a question into concepts to search for and to find in records. */
import type { Concept, LeftOut, Query } from './query.ts'
import { piecesOf } from './question/pieces.ts'
import { wholePhrases } from './question/shared-heads.ts'
import { isWeak, type Slot, slotsOf } from './question/slots.ts'
import { tokensOf } from './question/tokens.ts'
import { otherNames } from './synonyms.ts'
import { words } from './text.ts'

/** Frames a question. A question of only function words has no concepts. */
export function frame(text: string): Query {
  const question = text.trim().replace(/\s+/g, ' ')
  const { slots, left_out } = slotsOf(piecesOf(tokensOf(question)))
  const concepts = decide(merge(slots.flatMap((slot) => conceptsOf(slot, slots))))
  return {
    question,
    by: 'question',
    concepts,
    left_out: [...distinct(left_out, concepts), ...tooCommon(concepts)],
  }
}

/** Uses the user's lists of terms unchanged, without synonyms or roles. */
export function given(text: string, groups: readonly (readonly string[])[]): Query {
  const concepts = groups.map((terms): Concept => {
    return { label: terms.join(' or '), role: 'topic', terms: [...terms], synonyms: [], required: true }
  })
  return { question: text.trim().replace(/\s+/g, ' '), by: 'concepts', concepts, left_out: [] }
}

/** List items are alternatives, unless the question is about how two of them relate. */
function conceptsOf(slot: Slot, slots: readonly Slot[]): Concept[] {
  const phrases = wholePhrases(slot).map((term, at) => {
    return {
      term,
      weak: isWeak(slot.phrases[at] ?? []) && !words(term).some((word) => /\d/.test(word) && word.length > 2),
    }
  })
  const only = slots.filter(({ role }) => role === 'topic' || role === 'intervention').length === 1
  const pair = !slot.or && phrases.length === 2 && (slot.pair || (only && slot.role === 'topic'))
  const strong = phrases.filter(({ weak }) => !weak).map(({ term }) => term)
  const weak = phrases.filter((one) => one.weak).map(({ term }) => term)
  const groups = pair ? strong.map((term) => [term]) : strong.length > 0 ? [strong] : []
  return [
    ...groups.map((terms) => concept(terms, slot, true)),
    ...weak.map((term) => concept([term], slot, false)),
  ]
}

function concept(terms: string[], { role }: Slot, required: boolean): Concept {
  const known = new Set(terms.map((term) => words(term).join(' ')))
  const synonyms: string[] = []
  for (const name of terms.flatMap(otherNames)) {
    const stems = words(name).join(' ')
    if (known.has(stems)) continue
    known.add(stems)
    synonyms.push(name)
  }
  return { label: terms.join(' or '), role, terms, synonyms, required }
}

/** Drops terms that an earlier concept covers. */
function merge(concepts: readonly Concept[]): Concept[] {
  const kept: Concept[] = []
  const seen: Set<string>[] = []
  for (const one of concepts) {
    const terms = one.terms.filter(
      (term) => !seen.some((stems) => words(term).every((word) => stems.has(word))),
    )
    if (terms.length === 0) continue
    seen.push(...terms.map((term) => new Set(words(term))))
    kept.push(terms.length === one.terms.length ? one : { ...one, terms, label: terms.join(' or ') })
  }
  return kept
}

/** Common words are required only if the question has no others. */
function decide(concepts: Concept[]): Concept[] {
  if (concepts.some(({ required }) => required)) return concepts
  return concepts.map((concept) => ({ ...concept, required: true }))
}

function tooCommon(concepts: readonly Concept[]): LeftOut[] {
  return concepts.flatMap(({ label, required }) =>
    required ? [] : { word: label, reason: 'too common to select papers by; used only for ranking' },
  )
}

/** Drops a word that another part of the question searches for. */
function distinct(left_out: readonly LeftOut[], concepts: readonly Concept[]): LeftOut[] {
  const searched = new Set(concepts.flatMap(({ terms }) => terms.flatMap(words)))
  const seen = new Set<string>()
  return left_out.filter(({ word }) => {
    const [stem = ''] = words(word)
    if (searched.has(stem) || seen.has(stem)) return false
    seen.add(stem)
    return true
  })
}

/** Groups phrases that share a preposition or verb, and gives them its role. */
import type { LeftOut, Role } from '../query.ts'
import { ASPECTS, type Link, SETTINGS, WEAK_WORDS } from '../vocabulary.ts'
import type { Piece } from './pieces.ts'
import type { Token } from './tokens.ts'

export interface Slot {
  phrases: Token[][]
  /** How each phrase connects to the one before it. */
  joins: ('and' | 'or' | 'list' | undefined)[]
  role: Role
  /** Contains "or", or has more than two items. */
  or: boolean
  /** Two things related to each other: "between A and B", "the relationship of A and B". */
  pair: boolean
}

export function slotsOf(pieces: readonly Piece[]): { slots: Slot[]; left_out: LeftOut[] } {
  const slots: Slot[] = []
  const left_out: LeftOut[] = []
  let link: Link | undefined
  let joined: 'and' | 'or' | 'list' | undefined
  /** The kind of question word seen since the last phrase. */
  let asked: 'asking' | 'relation' | undefined
  let anyAsked = false
  let behindVerb = false
  let inClause = false
  for (const piece of pieces) {
    const last = slots.at(-1)
    switch (piece.kind) {
      case 'link':
        // The first of two prepositions decides: "compared with", "up to".
        link ??= piece.link
        joined = undefined
        break
      case 'and':
      case 'or':
        joined = piece.kind
        break
      case 'comma':
      case 'open':
        joined ??= 'list'
        break
      case 'close':
        break
      case 'stop':
        link = undefined
        joined = undefined
        asked = undefined
        behindVerb = false
        inClause = false
        break
      case 'asking':
        asked = piece.relation ? 'relation' : 'asking'
        anyAsked = true
        joined = undefined
        left_out.push({
          word: piece.token.text,
          reason: 'it belongs to the wording of the question, not to its subject',
        })
        break
      case 'verb':
        if (last?.role === 'topic' && !behindVerb) last.role = 'intervention'
        if (piece.content) {
          slots.push({
            phrases: [[piece.token]],
            joins: [undefined],
            role: 'outcome',
            or: false,
            pair: false,
          })
        } else
          left_out.push({ word: piece.token.text, reason: 'a verb that links two parts of the question' })
        behindVerb ||= inClause
        inClause = true
        link = undefined
        joined = undefined
        break
      case 'phrase': {
        inClause = true
        if (joined && link === undefined && last) {
          last.phrases.push(piece.tokens)
          last.joins.push(joined)
          last.or ||= joined !== 'and'
        } else {
          const role = roleOf(piece.tokens, link, last, { asked, anyAsked, behindVerb })
          slots.push({
            phrases: [piece.tokens],
            joins: [undefined],
            role,
            or: false,
            pair: link === 'between' || asked === 'relation',
          })
        }
        link = undefined
        joined = undefined
        asked = undefined
      }
    }
  }
  return { slots, left_out }
}

interface Context {
  asked: 'asking' | 'relation' | undefined
  anyAsked: boolean
  behindVerb: boolean
}

function roleOf(
  phrase: readonly Token[],
  link: Link | undefined,
  last: Slot | undefined,
  context: Context,
): Role {
  const { asked, anyAsked, behindVerb } = context
  // In "barriers to" and "prevalence of", the first phrase is an aspect of the second.
  const aspect = last !== undefined && asked === undefined && last.phrases.every(isAspect)
  switch (link) {
    case 'of':
    case 'to':
    case 'for':
    case 'on':
      if (aspect && last) {
        if (last.role === 'topic' || last.role === 'intervention') last.role = 'outcome'
        return behindVerb ? 'outcome' : 'topic'
      }
      if (link === 'of') return asked === 'asking' ? 'intervention' : behindVerb ? 'outcome' : 'topic'
      if (link === 'for') return last ? 'population' : 'topic'
      return anyAsked || behindVerb || last?.role === 'intervention' ? 'outcome' : 'topic'
    case 'in':
      if (isSetting(phrase)) return 'setting'
      if (!last) return 'topic'
      if (!aspect || last.role !== 'topic') return 'population'
      last.role = 'outcome'
      return 'topic'
    case 'while':
      return last ? 'population' : 'topic'
    case 'with':
      return last?.phrases.every(isWeak) ? 'population' : 'topic'
    case 'by':
      return last ? 'intervention' : 'topic'
    case 'versus':
      return 'comparator'
    case 'between':
    case 'against':
    case 'as':
      return 'topic'
    default:
      return behindVerb ? 'outcome' : 'topic'
  }
}

/** One or two words that end in an aspect: "barriers", "risk factors". */
function isAspect(phrase: readonly Token[]): boolean {
  return phrase.length <= 2 && ASPECTS.has(phrase.at(-1)?.lower ?? '')
}

export function isWeak(phrase: readonly Token[]): boolean {
  return phrase.every(({ lower, text }) => WEAK_WORDS.has(lower) || /^(?:\d+|\p{Ll})$/u.test(text))
}

/** A place, by its last word, or a proper name that is not an abbreviation. */
function isSetting(phrase: readonly Token[]): boolean {
  const last = phrase.at(-1)
  if (!last) return false
  const named = /(?:^|-)\p{Lu}\p{Ll}/u.test(last.text) && last.tag === 'PROPN'
  return named || SETTINGS.has(last.lower) || /^(?:UK|US|USA|EU)$/.test(last.text)
}

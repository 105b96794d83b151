/** Splits a question into phrases and the words that connect them. */
import {
  ASKING_WORDS,
  FUNCTION_WORDS,
  LINKS,
  type Link,
  OF_PHRASES,
  RELATION_WORDS,
  relationOf,
} from '../vocabulary.ts'
import type { Token } from './tokens.ts'

export type Piece =
  | { kind: 'phrase'; tokens: Token[] }
  | { kind: 'link'; link: Link }
  /** Connects the subject to what it acts on. */
  | { kind: 'verb'; token: Token; content: boolean }
  /** A question word, such as "effect" or "relationship". */
  | { kind: 'asking'; token: Token; relation: boolean }
  | { kind: 'and' | 'or' | 'comma' | 'open' | 'close' | 'stop' }

const SIGNS: Readonly<Record<string, Piece['kind'] & ('comma' | 'open' | 'close' | 'stop')>> = {
  ',': 'comma',
  '(': 'open',
  ')': 'close',
  '.': 'stop',
  ';': 'stop',
  ':': 'stop',
}
const AUXILIARY = /^(?:do|does|did|can|could|may|might|will|would|should|must)$/
const ADJECTIVES_OF_ASKING =
  /^(?:effective|effectively|efficient|useful|important|possible|good|bad|true|really|actually|common|current|recent|new|latest|known|likely|due|interested|associated|linked|give|given|used|using|finding|tell|show|explain|describe|make|makes|know|happen|happens|exist|exists)$/

/** Participles that only introduce the next phrase: "defects occurring in". */
const PARTICIPLES =
  /^(?:occurring|found|seen|observed|resulting|reported|referred|undergoing|receiving|taking|living|suffering|presenting|performed|caused|obtained|selected|based|followed|involving|having)$/
const TRAILING = new RegExp(`${ADJECTIVES_OF_ASKING.source}|${PARTICIPLES.source}`)

export function piecesOf(tokens: readonly Token[]): Piece[] {
  const pieces: Piece[] = []
  let run: Token[] = []
  const close = () => {
    pieces.push(...fromRun(run))
    run = []
  }
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    const sign = SIGNS[token.before]
    if (sign) {
      close()
      pieces.push({ kind: sign })
    } else if (token.before === '"') close()
    const fixed = run.length === 0 ? fixedPhraseAt(tokens, at) : 0
    if (fixed > 0) {
      run.push(...tokens.slice(at, at + fixed))
      at += fixed - 1
      continue
    }
    const joint = jointAt(tokens, at)
    if (joint) {
      close()
      pieces.push(joint.piece)
      at += joint.length - 1
      continue
    }
    if (FUNCTION_WORDS.has(token.lower) && !isAcronym(token, tokens)) {
      close()
      const link = LINKS.get(token.lower)
      if (link) pieces.push({ kind: 'link', link })
      else if (token.lower === 'and' || token.lower === 'or') pieces.push({ kind: token.lower })
      continue
    }
    // "Safer than", "less costly than": a comparison that belongs to neither side.
    if (tokens[at + 1]?.lower === 'than' && run.length > 0) {
      close()
      pieces.push({ kind: 'asking', token, relation: false })
      continue
    }
    const verb = verbAt(tokens, at, run.length > 0)
    if (verb) {
      close()
      pieces.push({ kind: 'verb', token, content: verb === 'content' })
    } else run.push(token)
  }
  close()
  return pieces
}

/** Conjunctions and prepositions of several words. */
function jointAt(tokens: readonly Token[], at: number): { piece: Piece; length: number } | undefined {
  const [one, two, three] = [0, 1, 2].map((more) => tokens[at + more]?.lower ?? '')
  if (one === 'including' || one === 'include' || one === 'includes' || one === 'namely')
    return { piece: { kind: 'or' }, length: 1 }
  if (one === 'e.g' || one === 'i.e' || one === '&') return { piece: { kind: 'or' }, length: 1 }
  if (one === 'such' && two === 'as') return { piece: { kind: 'or' }, length: 2 }
  if (one === 'as' && two === 'well' && three === 'as') return { piece: { kind: 'and' }, length: 3 }
  if (/^(?:due|owing|related|relating|secondary)$/.test(one ?? '') && two === 'to')
    return { piece: { kind: 'link', link: 'while' }, length: 2 }
  if (one === 'because' && two === 'of') return { piece: { kind: 'link', link: 'while' }, length: 2 }
  if (/^(?:compared|comparison|relative)$/.test(one ?? '') && /^(?:with|to)$/.test(two ?? ''))
    return { piece: { kind: 'link', link: 'versus' }, length: 2 }
  if (
    (one === 'instead' && two === 'of') ||
    (one === 'rather' && two === 'than') ||
    (one === 'opposed' && two === 'to')
  )
    return { piece: { kind: 'link', link: 'versus' }, length: 2 }
  return undefined
}

/** The number of words in a fixed phrase that starts here, such as "quality of life". */
function fixedPhraseAt(tokens: readonly Token[], at: number): number {
  for (const phrase of OF_PHRASES) {
    const parts = phrase.split(' ')
    if (parts.every((part, more) => tokens[at + more]?.lower === part)) return parts.length
  }
  return 0
}

/** Names that look like function words, such as WHO. In an all-capitals question they are function words. */
function isAcronym({ text }: Token, tokens: readonly Token[]): boolean {
  return /^(?:WHO|IT|US|ALL|AS)$/.test(text) && tokens.some((one) => /\p{Ll}/u.test(one.text))
}

/** Whether the word is the verb of its clause. The tag alone is never enough. */
function verbAt(tokens: readonly Token[], at: number, inRun: boolean): 'relating' | 'content' | undefined {
  const { lower, tag, text } = tokens[at] as Token
  if (/^\p{Lu}{2,}$/u.test(text)) return undefined
  const before = tokens[at - 1]?.lower ?? ''
  const next = tokens[at + 1]
  const ends = !next || SIGNS[next.before] !== undefined
  const leads = !ends && !LINKS.has(next.lower) && next.lower !== 'and' && next.lower !== 'or'
  if (relationOf(lower)) {
    if (before === 'to' && leads) return 'relating'
    if (lower.endsWith('ing')) return leads ? 'relating' : undefined
    if (lower.endsWith('ed')) return inRun || !leads ? 'relating' : undefined
    if (!inRun) {
      if (/^(?:it|they|that|which|who)$/.test(before)) return 'relating'
      const asked = /^(?:what|help|to|can|may|could|might|does|do|did|will|would|should)$/.test(before)
      return asked && leads && tag !== 'ADJ' ? 'relating' : undefined
    }
    if (RELATION_WORDS.has(lower) || laterVerb(tokens, at)) return undefined
    if (tag === 'VERB') return 'relating'
    return auxiliaryBefore(tokens, at) && !/[^s]s$/.test(lower) ? 'relating' : undefined
  }
  // An unknown verb separates two phrases only in a clause without another verb. It is searched too.
  const subject = /^(?:NOUN|PROPN)$/.test(tokens[at - 1]?.tag ?? '')
  if (!inRun || !subject || tag !== 'VERB' || /(?:ing|ed)$/.test(lower) || ASKING_WORDS.has(lower))
    return undefined
  if (!auxiliaryBefore(tokens, at) || clauseVerb(tokens, at) || laterTagged(tokens, at)) return undefined
  return 'content'
}

function clause(tokens: readonly Token[], at: number): { from: number; to: number } {
  let from = at
  while (from > 0 && !SIGNS[tokens[from]?.before ?? '']) from--
  let to = at + 1
  while (to < tokens.length && !SIGNS[tokens[to]?.before ?? '']) to++
  return { from, to }
}

function auxiliaryBefore(tokens: readonly Token[], at: number): boolean {
  return tokens.slice(clause(tokens, at).from, at).some(({ lower }) => AUXILIARY.test(lower))
}

/** If a relating verb comes before the next preposition, this word is a noun ("climate change affects"). */
function laterVerb(tokens: readonly Token[], at: number): boolean {
  for (const { lower, before, tag } of tokens.slice(at + 1)) {
    if (SIGNS[before] || LINKS.has(lower)) return false
    if (relationOf(lower) && tag === 'VERB') return true
  }
  return false
}

function clauseVerb(tokens: readonly Token[], at: number): boolean {
  const { from, to } = clause(tokens, at)
  return tokens.slice(from, to).some(({ lower }) => relationOf(lower) !== undefined)
}

function laterTagged(tokens: readonly Token[], at: number): boolean {
  const { to } = clause(tokens, at)
  return tokens.slice(at + 1, to).some(({ tag, lower }) => tag === 'VERB' && !/(?:ing|ed)$/.test(lower))
}

/** "Does it work?" but "social work": the tag decides, and the second reading is searched. */
function isTrailing({ lower, tag }: Token): boolean {
  return TRAILING.test(lower) || (tag === 'VERB' && /^(?:works?|matters?|use)$/.test(lower))
}

/** Longer runs are keywords without commas. No record contains so many words in a row. */
const LONGEST_PHRASE = 6
const CUT_PHRASE = 2

/** Question words are separate pieces, except inside a phrase ("placebo effect", "role conflict"). */
function fromRun(run: readonly Token[]): Piece[] {
  const pieces: Piece[] = []
  let tokens = [...run]
  const asking = (token: Token): Piece => ({
    kind: 'asking',
    token,
    relation: RELATION_WORDS.has(token.lower),
  })
  while (tokens[0] && ADJECTIVES_OF_ASKING.test(tokens[0].lower)) {
    pieces.push(asking(tokens[0]))
    tokens = tokens.slice(1)
  }
  const trailing: Piece[] = []
  for (let last = tokens.at(-1); last && isTrailing(last); last = tokens.at(-1)) {
    trailing.unshift(asking(last))
    tokens = tokens.slice(0, -1)
  }
  const allAsking = tokens.every(({ lower }) => ASKING_WORDS.has(lower))
  if (allAsking) pieces.push(...tokens.map(asking))
  const size = tokens.length > LONGEST_PHRASE ? CUT_PHRASE : LONGEST_PHRASE
  for (let at = 0; !allAsking && at < tokens.length; at += size) {
    pieces.push({ kind: 'phrase', tokens: tokens.slice(at, at + size) })
  }
  return [...pieces, ...trailing]
}

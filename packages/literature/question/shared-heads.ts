/** Completes list items that share words: "low- and middle-income countries", "lung or bronchial neoplasms". */
import type { Slot } from './slots.ts'
import type { Token } from './tokens.ts'

/** The phrases of a list as text, each with the head that it shares with a later one. */
export function wholePhrases({ phrases, joins }: Slot): string[] {
  return phrases.map((phrase, at) => {
    const own = phrase.map(({ text }) => text).join(' ')
    const next = phrases
      .slice(at + 1)
      .find((one) => !own.endsWith('-') || one.some(({ text }) => /\p{L}-\p{L}/u.test(text)))
    if (!next) return own.replace(/-$/, '')
    if (own.endsWith('-')) return `${own}${tailBehindHyphen(next)}`
    const join = joins[at + 1]
    if (
      (join !== 'and' && join !== 'or') ||
      phrase.length > 1 ||
      next.length < 2 ||
      next.some(({ text }) => text.includes('-'))
    )
      return own
    const [first] = phrase
    const [modifier, ...head] = next
    if (
      !first ||
      !modifier ||
      !(
        isAdjective(first) ||
        (/(?:[^n]al|ic|ary|ous|ar)$/.test(modifier.lower) && next.length === 2 && join === 'or')
      )
    )
      return own
    return [own, ...head.map(({ text }) => text)].join(' ')
  })
}

function tailBehindHyphen(phrase: readonly Token[]): string {
  const text = phrase.map((token) => token.text).join(' ')
  return text.slice(text.indexOf('-') + 1)
}

/** Also checks the ending, because the tagger is often wrong about rare words. */
function isAdjective({ lower, tag }: Token): boolean {
  return tag === 'ADJ'
    ? !/(?:s|ism|ity|tion|ment|ness)$/.test(lower) || /ous$/.test(lower)
    : /(?:[^n]al|ic|ary|ous)$/.test(lower) && tag !== 'NOUN'
}

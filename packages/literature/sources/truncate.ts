/** Truncates a word to its stem for sources that do not stem: "placental" finds "placenta" as "placent*". */
import { words } from '../text.ts'

/** Shorter stems match too many other words. */
const SHORTEST = 5
/** A stem that lost more ("organization") matches unrelated words. */
const MOST_CUT = 4

/** Undefined for words to search unchanged: short words, abbreviations, and words that do not start with their stem. */
export function truncated(word: string): string | undefined {
  if (!/^\p{L}+$/u.test(word) || /\p{Lu}{2}/u.test(word)) return undefined
  const [stem = ''] = words(word)
  const whole = word.toLowerCase()
  if (stem.length < SHORTEST || whole.length - stem.length > MOST_CUT || !whole.startsWith(stem))
    return undefined
  return `${stem}*`
}

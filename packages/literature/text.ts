/** Normalises words for comparison: no case or accents, one spelling for British and American, Snowball stems. */
import snowball from 'wink-porter2-stemmer'

/** Stems in text order. Hyphenated words are split, because records write them either way. */
export function words(text: string): string[] {
  return (unaccented(text).match(/[\p{L}\p{N}]+/gu) ?? []).map(stem)
}

export function unaccented(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
}

export function phraseText(text: string): string {
  return ` ${words(text).join(' ')} `
}

/** Whether `phrase` occurs as whole words in a text made by `phraseText`. */
export function hasPhrase(prepared: string, phrase: string): boolean {
  const wanted = words(phrase)
  return wanted.length > 0 && prepared.includes(` ${wanted.join(' ')} `)
}

/** A stem takes microseconds, but a review needs a million stems of a few thousand words. */
const STEMS = new Map<string, string>()
const MOST_STEMS = 50_000

function stem(word: string): string {
  const known = STEMS.get(word)
  if (known !== undefined) return known
  if (STEMS.size >= MOST_STEMS) STEMS.clear()
  const found = word.length > 40 ? word : snowball(american(word))
  STEMS.set(word, found)
  return found
}

/** Maps both spellings to one. It changes some other words too, but harmlessly, because it does so on both sides. */
function american(word: string): string {
  const spelled = word.replaceAll('ae', 'e').replaceAll('oe', 'e')
  if (spelled.length < 5) return spelled
  return spelled
    .replace(/our/g, 'or')
    .replace(/tre(s?)$/, 'ter$1')
    .replace(/ys(e[ds]?|ing)$/, 'yz$1')
    .replace(/(?<=...[^crvwp])is(e[ds]?|ing|ations?)$/, 'iz$1')
}

/** Parses numbers in abstracts: "1,776", "Ninety-six", "One hundred and forty", "1.2 million". */
const ONES =
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')
const WORD = [...ONES, ...TENS, 'hundred', 'thousand'].join('|')

/** Pattern for one number, without a capturing group. */
export const NUMBER = String.raw`(?:\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+|\d+|(?:a (?=hundred|thousand))?(?:${WORD})\b(?:[- ](?:and )?(?:${WORD})\b)*)`

/** The value of a `NUMBER` match; undefined if it is invalid or too large to count people. */
export function numberOf(text: string): number | undefined {
  const digits = text.replace(/[,\u00a0\u2009\u202f]/g, '')
  const value = /^\d+$/.test(digits) ? Number(digits) : spelled(text)
  return value !== undefined && value > 0 && Number.isSafeInteger(value) ? value : undefined
}

/** "two hundred and fourteen"; undefined if it is not a number. */
function spelled(text: string): number | undefined {
  const words = text
    .toLowerCase()
    .trim()
    .split(/[\s-]+/)
    .filter((word) => word !== 'and')
  let [total, part] = [0, 0]
  let [unit, ten] = [false, false]
  for (const word of words) {
    if (word === 'a') part = 1
    else if (word === 'hundred') [part, unit, ten] = [Math.max(1, part) * 100, false, false]
    else if (word === 'thousand')
      [total, part, unit, ten] = [total + Math.max(1, part) * 1000, 0, false, false]
    else {
      const one = ONES.indexOf(word) + 1
      const tens = (TENS.indexOf(word) + 2) * 10
      // "twenty-ten" and "four five" are not numbers.
      if (one > 0 && (unit || (ten && one > 9))) return undefined
      if (one === 0 && (tens < 20 || ten || unit)) return undefined
      part += one || tens
      if (one) unit = true
      else ten = true
    }
  }
  return words.length > 0 ? total + part : undefined
}

/** Numbers that begin a sentence are written as words: "Ninety-six participants". */
const ONES =
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')

/** 1 to 99, or undefined. */
export function smallNumber(text: string): number | undefined {
  const [first = '', second] = text.toLowerCase().split('-')
  const ten = TENS.indexOf(first)
  const one = ONES.indexOf(second ?? first)
  if (ten === -1) return second === undefined && one !== -1 ? one + 1 : undefined
  if (second === undefined) return (ten + 2) * 10
  return one !== -1 && one < 9 ? (ten + 2) * 10 + one + 1 : undefined
}

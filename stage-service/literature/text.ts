/** Words as they are compared: without case, accents, plural endings and British or American spelling. */

/** Normalised words of any text, in order. */
export function words(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).map(stem)
}

/** Text prepared for `hasPhrase`. */
export function phraseText(text: string): string {
  return ` ${words(text).join(' ')} `
}

/** Whether `phrase` occurs as whole words in a text made by `phraseText`. */
export function hasPhrase(prepared: string, phrase: string): boolean {
  const wanted = words(phrase)
  return wanted.length > 0 && prepared.includes(` ${wanted.join(' ')} `)
}

/** Deliberately light: a cut too deep makes two things one. */
function stem(word: string): string {
  const spelled = word.replaceAll('ae', 'e').replaceAll('oe', 'e')
  if (spelled.length > 4 && spelled.endsWith('ies')) return `${spelled.slice(0, -3)}y`
  if (spelled.length > 3 && /[^sui]s$/.test(spelled)) return spelled.slice(0, -1)
  return spelled
}

/** Words as they are compared: without case, accents, plural endings and British or American spelling. */

export interface Word {
  normal: string
  /** In lower case, with its accents and endings. */
  written: string
}

/** Normalised words of any text, in order. */
export function words(text: string): string[] {
  return (unaccented(text).match(/[\p{L}\p{N}]+/gu) ?? []).map(stem)
}

/** The same words, each beside its own spelling. */
export function wordsAsWritten(text: string): Word[] {
  const found =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
  return found.flatMap((written) => {
    const normal = words(written).join('')
    return normal === '' ? [] : { normal, written }
  })
}

function unaccented(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
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

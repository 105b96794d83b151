/** Makes foreign text safe for a terminal and measures its width. */

/** Removes control characters, which could move the cursor or change colours. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}

/** Cuts text to `width` columns, with an ellipsis if something is missing. */
export function cut(text: string, width: number): string {
  const graphemes = Array.from(new Intl.Segmenter().segment(plain(text)), ({ segment }) => segment)
  if (columns(graphemes) <= width) return graphemes.join('')
  const kept: string[] = []
  for (const grapheme of graphemes) {
    if (columns([...kept, grapheme]) > width - 1) break
    kept.push(grapheme)
  }
  return `${kept.join('').trimEnd()}…`
}

/** Cuts or pads text to exactly `width` columns. */
export function fit(text: string, width: number): string {
  const short = cut(text, width)
  return (
    short + ' '.repeat(width - columns(Array.from(new Intl.Segmenter().segment(short), (s) => s.segment)))
  )
}

/** Scripts and emoji that terminals draw two columns wide. */
const WIDE =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u

function columns(graphemes: string[]): number {
  return graphemes.reduce((sum, grapheme) => sum + (WIDE.test(grapheme) ? 2 : 1), 0)
}

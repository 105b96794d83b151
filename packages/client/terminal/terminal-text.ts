/** Text from elsewhere on a terminal: harmless, and of a known width. */

/** Without control characters, which could move the cursor or recolour the screen. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}

/** Cut to `width` columns, with an ellipsis when something is missing. */
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

/** Cut and filled up to exactly `width` columns. */
export function fit(text: string, width: number): string {
  const short = cut(text, width)
  return (
    short + ' '.repeat(width - columns(Array.from(new Intl.Segmenter().segment(short), (s) => s.segment)))
  )
}

/** Scripts and pictures that terminals draw two columns wide. */
const WIDE =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u

function columns(graphemes: string[]): number {
  return graphemes.reduce((sum, grapheme) => sum + (WIDE.test(grapheme) ? 2 : 1), 0)
}

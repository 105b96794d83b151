/** Text of others inside Markdown: it stays text, whatever it holds. */

/** What Markdown or HTML would take for markup is escaped; line breaks become blanks. */
export function plainText(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .replace(/[\\`*_[\]<>#|~&]/g, '\\$&')
    .replace(/^([-+=])/, '\\$1')
    .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2')
}

/** A text as code, fenced by more backticks than it holds. */
export function inlineCode(text: string): string {
  const flat = text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = longest > 0 ? ' ' : ''
  return `${fence}${pad}${flat}${pad}${fence}`
}

/** Puts external text into Markdown so that it stays plain text. */

/** Escapes Markdown and HTML; replaces line breaks by spaces. */
export function plainText(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .replace(/[\\`*_[\]<>#|~&]/g, '\\$&')
    .replace(/^([-+=])/, '\\$1')
    .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2')
}

/** Inline code, fenced by more backticks than it contains. */
export function inlineCode(text: string): string {
  const flat = text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = longest > 0 ? ' ' : ''
  return `${fence}${pad}${flat}${pad}${fence}`
}

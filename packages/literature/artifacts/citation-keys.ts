/** Citation keys: surname and year, with letters to make them unique; the same in every file. */
import type { Paper } from '../paper.ts'

export function citationKeys(papers: readonly Paper[]): Map<string, string> {
  const taken = new Set<string>()
  const keys = new Map<string, string>()
  for (const paper of papers) {
    const base = `${surname(paper)}${paper.year ?? 'nd'}`
    let key = base
    for (let n = 1; taken.has(key); n++) key = `${base}-${n + 1}`
    taken.add(key)
    keys.set(paper.id, key)
  }
  return keys
}

/** Only plain letters, because every BibTeX program reads them. */
function surname({ authors: [first] }: Paper): string {
  const name = first === undefined ? '' : 'family' in first ? first.family : first.literal
  const plain = name
    .normalize('NFKD')
    .replace(/[^A-Za-z]+/g, '')
    .toLowerCase()
  return plain.slice(0, 20) || 'anon'
}

/** RIS: lines of a two-letter tag, two blanks, a hyphen, a blank and a value. */
import type { Paper } from '../paper.ts'
import { noteOf } from './note.ts'

export function risEntry(paper: Paper, key: string): string {
  const { title, authors, year, journal, volume, issue, pages, doi, pmid, pmcid, abstract, language } = paper
  const [first, last] = pages?.split(/\s*[-–]\s*/, 2) ?? []
  const fields: [tag: string, value: string | null | undefined][] = [
    // Readers know a journal (here the server) for articles alone; a note tells a preprint.
    ['TY', 'JOUR'],
    ['ID', key],
    ['TI', title],
    ...authors.map((author): [string, string] => ['AU', nameOf(author)]),
    ['PY', year === null ? null : String(year)],
    ['JO', journal],
    ['VL', volume],
    ['IS', issue],
    ['SP', first],
    ['EP', last],
    ['DO', doi],
    ['AN', pmid],
    ['C2', pmcid],
    ['LA', language],
    ['AB', abstract],
    ['N1', noteOf(paper)],
    ['DB', paper.source],
    ['UR', doi && `https://doi.org/${doi}`],
    ['ER', ''],
  ]
  return `${fields.flatMap(([tag, value]) => (typeof value === 'string' ? line(tag, value) : [])).join('\r\n')}\r\n`
}

function nameOf(author: Paper['authors'][number]): string {
  // A comma would make the rest a given name.
  if ('literal' in author) return author.literal.replaceAll(',', '')
  return author.given === null ? author.family : `${author.family}, ${author.given}`
}

/** A value stands on one line. */
function line(tag: string, value: string): string {
  return `${tag}  - ${value.replace(/\s+/g, ' ').trim()}`
}

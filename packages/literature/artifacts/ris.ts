/** RIS: each line is a two-letter tag, two spaces, a hyphen, a space and a value. */
import type { Author } from '../paper.ts'
import { noteOf } from './note.ts'
import type { Reference } from './reference.ts'
import { formOf, placeOf } from './work-types.ts'

export function risEntry({ paper, key, screening }: Reference): string {
  const { year, month, pages, doi } = paper
  const { ris } = formOf(paper)
  const { container, publisher } = placeOf(paper)
  const [first, last] = pages?.split(/\s*[-–]\s*/, 2) ?? []
  const fields: [tag: string, value: string | null | undefined][] = [
    ['TY', ris],
    ['ID', key],
    ['TI', paper.title],
    ...paper.authors.map((author): [string, string] => ['AU', nameOf(author)]),
    ['PY', year === null ? null : String(year)],
    ['DA', year === null || month === null ? null : `${year}/${String(month).padStart(2, '0')}//`],
    // For a conference, T2 holds its name and C3 the title of its proceedings. Some readers know only one of them.
    [ris === 'JOUR' ? 'JO' : 'T2', container],
    ['C3', ris === 'CONF' ? container : null],
    ['VL', paper.volume],
    ['IS', paper.issue],
    ['SP', first],
    ['EP', last],
    ['C7', paper.article_number],
    ['PB', publisher],
    ['M3', paper.preprint ? 'Preprint' : null],
    ...paper.isbn.map((isbn): [string, string] => ['SN', isbn]),
    ['DO', doi],
    ['AN', paper.pmid],
    ['C2', paper.pmcid],
    ['LA', paper.languages.join(', ') || null],
    ['AB', paper.abstract],
    ['N1', noteOf(paper, screening)],
    ['DB', paper.source],
    ['UR', doi && `https://doi.org/${doi}`],
    ...paper.open_access.map(({ url, format }): [string, string] => [format === 'pdf' ? 'L1' : 'L2', url]),
    ['ER', ''],
  ]
  return `${fields.flatMap(([tag, value]) => (typeof value === 'string' ? line(tag, value) : [])).join('\r\n')}\r\n`
}

function nameOf(author: Author): string {
  // Readers would take the text after a comma for a given name.
  if ('literal' in author) return author.literal.replaceAll(',', '')
  return [author.family, author.given ?? (author.suffix ? '' : null), author.suffix]
    .filter((part) => part !== null && part !== undefined)
    .join(', ')
}

/** A value must fit on one line. */
function line(tag: string, value: string): string {
  return `${tag}  - ${value.replace(/\s+/g, ' ').trim()}`
}

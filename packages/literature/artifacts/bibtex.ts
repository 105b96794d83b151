/** BibTeX. Non-ASCII letters stay as they are: the file is UTF-8. */
import type { Author, Paper } from '../paper.ts'
import { noteOf } from './note.ts'

export function bibtexEntry(paper: Paper, key: string): string {
  const { title, authors, year, journal, volume, issue, pages, doi, pmid, pmcid, abstract, language } = paper
  const fields: [name: string, value: string | null][] = [
    // A second pair of braces keeps capitals as they are.
    ['title', `{${escaped(title)}}`],
    ['author', authors.length > 0 ? authors.map(name).join(' and ') : null],
    ['year', year === null ? null : String(year)],
    ['journal', journal && escaped(journal)],
    ['volume', volume && escaped(volume)],
    ['number', issue && escaped(issue)],
    ['pages', pages && escaped(pages).replace(/(?<=\w)[-–](?=\w)/g, '--')],
    // Readers take it as it is: an escaped sign would become part of it.
    ['doi', doi?.replaceAll('{', '%7B').replaceAll('}', '%7D') ?? null],
    ['pmid', pmid],
    ['pmcid', pmcid],
    ['language', language],
    ['abstract', abstract && escaped(abstract)],
    ['note', noteOf(paper)],
  ]
  const lines = fields.flatMap(([field, value]) => (value === null ? [] : `  ${field} = {${value}}`))
  return `@article{${key},\n${lines.join(',\n')}\n}\n`
}

/** A group in braces is not torn apart at its "and" or commas. */
function name(author: Author): string {
  if ('literal' in author) return `{${escaped(author.literal)}}`
  const family = /\s|,/.test(author.family) ? `{${escaped(author.family)}}` : escaped(author.family)
  return author.given === null ? family : `${family}, ${escaped(author.given)}`
}

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  '%': '\\%',
  '&': '\\&',
  $: '\\$',
  '#': '\\#',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
}

/** Two hyphens or quotes in a row would be read as one longer sign. */
function escaped(text: string): string {
  return text
    .replace(/[\\{}%&$#_~^]/g, (sign) => SPECIAL[sign] ?? sign)
    .replace(/([-'`])(?=\1)/g, '$1{}')
    .replace(/\s+/g, ' ')
}

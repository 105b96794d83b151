/** BibTeX. Non-ASCII letters stay as they are: the file is UTF-8. */
import type { Author, Paper } from '../paper.ts'

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
    ['doi', doi && escaped(doi)],
    ['pmid', pmid],
    ['pmcid', pmcid],
    ['language', language],
    ['abstract', abstract && escaped(abstract)],
    ['note', noteOf(paper)],
  ]
  const lines = fields.flatMap(([field, value]) => (value === null ? [] : `  ${field} = {${value}}`))
  return `@${paper.preprint ? 'misc' : 'article'}{${key},\n${lines.join(',\n')}\n}\n`
}

function noteOf({ source, preprint }: Paper): string | null {
  if (source === 'sample') return 'Invented sample record'
  return preprint ? 'Preprint' : null
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

function escaped(text: string): string {
  return text.replace(/[\\{}%&$#_~^]/g, (sign) => SPECIAL[sign] ?? sign).replace(/\s+/g, ' ')
}

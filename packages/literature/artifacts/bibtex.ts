/** BibTeX. Non-ASCII letters stay unescaped because the file is UTF-8. */
import type { Author } from '../paper.ts'
import { noteOf } from './note.ts'
import type { Reference } from './reference.ts'
import { formOf, placeOf } from './work-types.ts'

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

export function bibtexEntry({ paper, key, screening }: Reference): string {
  const { authors, year, month, doi, open_access } = paper
  const form = formOf(paper)
  const { container, publisher } = placeOf(paper)
  const text = (value: string | null | undefined) => (value ? `{${escaped(value)}}` : null)
  const fields: [name: string, value: string | null][] = [
    // Double braces keep the capitals.
    ['title', `{{${escaped(paper.title)}}}`],
    ['author', authors.length > 0 ? `{${authors.map(name).join(' and ')}}` : null],
    ['year', year === null ? null : `{${year}}`],
    // Months are macros, so they take no braces.
    ['month', month === null ? null : (MONTHS[month - 1] ?? null)],
    [form.container ?? 'howpublished', text(container)],
    ['volume', text(paper.volume)],
    ['number', text(paper.issue)],
    ['pages', paper.pages && `{${escaped(paper.pages).replace(/(?<=\w)[-–](?=\w)/g, '--')}}`],
    ['eid', text(paper.article_number)],
    [form.publisher ?? 'publisher', text(publisher)],
    ['isbn', text(paper.isbn.join(', '))],
    // Readers take a DOI literally: an escape would become part of it.
    ['doi', doi && `{${doi.replaceAll('{', '%7B').replaceAll('}', '%7D')}}`],
    [
      'url',
      doi === null && open_access[0]
        ? `{${open_access[0].url.replace(/[{}\\]/g, encodeURIComponent)}}`
        : null,
    ],
    ['pmid', text(paper.pmid)],
    ['pmcid', text(paper.pmcid)],
    // Languages are joined with "and", as names are.
    ['language', text(paper.languages.join(' and '))],
    ['abstract', text(paper.abstract)],
    ['note', text(noteOf(paper, screening))],
  ]
  const lines = fields.flatMap(([field, value]) => (value === null ? [] : `  ${field} = ${value}`))
  return `@${form.bibtex}{${key},\n${lines.join(',\n')}\n}\n`
}

/** Braces keep BibTeX from splitting a group's name at "and" or a comma. */
function name(author: Author): string {
  if ('literal' in author) return `{${escaped(author.literal)}}`
  const family = /\s|,/.test(author.family) ? `{${escaped(author.family)}}` : escaped(author.family)
  const given = author.given === null ? '' : escaped(author.given)
  if (author.suffix) return `${family}, ${escaped(author.suffix)}, ${given}`
  return given === '' ? family : `${family}, ${given}`
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

/** BibTeX ligatures would merge two hyphens or quotes in a row. */
function escaped(text: string): string {
  return text
    .replace(/[\\{}%&$#_~^]/g, (sign) => SPECIAL[sign] ?? sign)
    .replace(/([-'`])(?=\1)/g, '$1{}')
    .replace(/\s+/g, ' ')
}

/** CSL-JSON for reference managers and citation processors. The schema allows extra fields only in `custom`. */
import type { Author } from '../paper.ts'
import { noteOf } from './note.ts'
import type { Reference } from './reference.ts'
import { formOf, placeOf } from './work-types.ts'

export function cslItem({ paper, key, screening }: Reference): Record<string, unknown> {
  const { year, month, doi, open_access } = paper
  const { container, publisher } = placeOf(paper)
  const item: Record<string, unknown> = {
    id: key,
    type: formOf(paper).csl,
    title: paper.title,
    author: paper.authors.map(name),
    ...(year !== null && { issued: { 'date-parts': [month === null ? [year] : [year, month]] } }),
    'container-title': container,
    volume: paper.volume,
    issue: paper.issue,
    page: paper.pages,
    number: paper.article_number,
    publisher,
    ISBN: paper.isbn[0],
    genre: paper.preprint ? 'Preprint' : null,
    DOI: doi,
    PMID: paper.pmid,
    PMCID: paper.pmcid,
    URL: doi === null ? open_access[0]?.url : `https://doi.org/${doi}`,
    abstract: paper.abstract,
    language: paper.language,
    note: noteOf(paper, screening),
    custom: {
      id: paper.id,
      source: paper.source,
      retracted: paper.retracted,
      preprint: paper.preprint,
      ...(paper.languages.length > 1 && { languages: paper.languages }),
      ...(paper.isbn.length > 1 && { isbn: paper.isbn }),
      ...(open_access.length > 0 && { open_access: open_access.map(({ url }) => url) }),
      ...(screening && { decision: screening.decision, rule: screening.rule, reason: screening.reason }),
    },
  }
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null && value !== undefined))
}

function name(author: Author): Record<string, string> {
  if ('literal' in author) return { literal: author.literal }
  const { family, given, suffix } = author
  return { family, ...(given !== null && { given }), ...(suffix && { suffix }) }
}

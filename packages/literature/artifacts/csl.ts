/** CSL-JSON, as reference managers and citation processors read it. It takes no foreign fields: those go into `custom`. */
import type { Paper } from '../paper.ts'

export function cslItem(paper: Paper, key: string): Record<string, unknown> {
  const { title, authors, year, journal, volume, issue, pages, doi, pmid, pmcid, abstract, language } = paper
  const item: Record<string, unknown> = {
    id: key,
    type: paper.preprint ? 'article' : 'article-journal',
    title,
    author: authors.map((author) => {
      if ('literal' in author) return { literal: author.literal }
      return author.given === null
        ? { family: author.family }
        : { family: author.family, given: author.given }
    }),
    ...(year !== null && { issued: { 'date-parts': [[year]] } }),
    'container-title': journal,
    volume,
    issue,
    page: pages,
    DOI: doi,
    PMID: pmid,
    PMCID: pmcid,
    URL: doi === null ? null : `https://doi.org/${doi}`,
    abstract,
    language,
    custom: { id: paper.id, source: paper.source, retracted: paper.retracted, preprint: paper.preprint },
  }
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null && value !== undefined))
}

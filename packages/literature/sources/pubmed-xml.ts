/** PubMed's article XML. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import type { Author, SourceRecord } from '../paper.ts'
import { integer, isObject, type Json, list, object, text, unreadable, yearIn } from './values.ts'

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  // Both hold inline tags (<i>, <sup>, MathML): parsed, their text would be torn apart and put in another order.
  stopNodes: ['*.ArticleTitle', '*.VernacularTitle', '*.AbstractText'],
})

export type Article = Partial<SourceRecord> & { pmid: string }

/** Articles in the order of the document. Throws a `SourceFailure` when it is no whole document of them. */
export function parseArticles(xml: string): Article[] {
  if (XMLValidator.validate(xml) !== true) throw unreadable()
  const set: unknown = parser.parse(xml).PubmedArticleSet
  if (!isObject(set) && set !== '') throw unreadable()
  return list(object(set).PubmedArticle).filter(isObject).flatMap(toArticle)
}

function toArticle(entry: Json): Article[] {
  const citation = object(entry.MedlineCitation)
  const article = object(citation.Article)
  const pmid = textOf(citation.PMID)
  if (!pmid) return []
  const issue = object(object(article.Journal).JournalIssue)
  const types = list(object(article.PublicationTypeList).PublicationType).flatMap(
    (type) => textOf(type) ?? [],
  )
  const ids = list(object(object(entry.PubmedData).ArticleIdList).ArticleId)
  const idOf = (type: string) => textOf(ids.find((id) => isObject(id) && id['@IdType'] === type))
  return [
    {
      pmid,
      doi:
        idOf('doi') ??
        textOf(list(article.ELocationID).find((id) => isObject(id) && id['@EIdType'] === 'doi')),
      pmcid: idOf('pmc'),
      title: bracketless(textOf(article.ArticleTitle)) ?? textOf(article.VernacularTitle) ?? '',
      authors: list(object(article.AuthorList).Author).filter(isObject).flatMap(toAuthor),
      year: yearOf(issue) ?? integer(object(list(article.ArticleDate)[0]).Year),
      journal: textOf(object(article.Journal).Title),
      volume: textOf(issue.Volume),
      issue: textOf(issue.Issue),
      pages: textOf(object(article.Pagination).MedlinePgn),
      abstract: abstractOf(list(object(article.Abstract).AbstractText)),
      publication_types: types,
      language: textOf(list(article.Language)[0]),
      retracted: types.some((type) => /^retracted publication$/i.test(type)),
      preprint: types.some((type) => /^preprint$/i.test(type)),
    },
  ]
}

/** PubMed puts a translated title into brackets. */
function bracketless(title: string | null): string | null {
  return title?.trim().replace(/^\[([\s\S]*)\](\.?)$/, '$1$2') ?? null
}

/** A year of its own, or the first one in a MedlineDate such as "1998 Dec-1999 Jan". */
function yearOf(issue: Json): number | null {
  const date = object(issue.PubDate)
  return integer(date.Year) ?? yearIn(date.MedlineDate)
}

function toAuthor(author: Json): Author[] {
  const family = textOf(author.LastName)
  const literal = textOf(author.CollectiveName)
  if (family) return [{ family, given: textOf(author.ForeName) ?? textOf(author.Initials) }]
  return literal ? [{ literal }] : []
}

/** Labelled parts keep their label as a heading, in the markup the other sources use. */
function abstractOf(parts: unknown[]): string | null {
  const written = parts.flatMap((part) => {
    const words = textOf(part)
    const label = isObject(part) ? text(part['@Label']) : null
    return words ? (label ? `<h4>${label}</h4>${words}` : `<p>${words}</p>`) : []
  })
  return written.length > 0 ? written.join('') : null
}

/** The text of an element, with or without attributes. */
function textOf(element: unknown): string | null {
  return text(isObject(element) ? element['#text'] : element)
}

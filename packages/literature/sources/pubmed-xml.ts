/** Parses PubMed's XML: articles, and NCBI Bookshelf books and chapters. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { noticeOf, noticeTypeOf } from '../notice-words.ts'
import type { Author, SourceRecord } from '../paper.ts'
import { integer, isObject, type Json, list, monthIn, object, text, unreadable, yearIn } from './values.ts'

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  // These contain inline tags (<i>, <sup>, MathML). Parsing them would split and reorder their text.
  stopNodes: ['*.ArticleTitle', '*.VernacularTitle', '*.AbstractText', '*.BookTitle'],
})

export type Article = Partial<SourceRecord> & { pmid: string }

/** Articles, then books, in document order. Throws a `SourceFailure` if the document is incomplete. */
export function parseArticles(xml: string): Article[] {
  if (XMLValidator.validate(xml) !== true) throw unreadable()
  const set: unknown = parser.parse(xml).PubmedArticleSet
  if (!isObject(set) && set !== '') throw unreadable()
  const { PubmedArticle: articles, PubmedBookArticle: books } = object(set)
  return [
    ...list(articles).filter(isObject).flatMap(toArticle),
    ...list(books).filter(isObject).flatMap(toBook),
  ]
}

function toArticle(entry: Json): Article[] {
  const citation = object(entry.MedlineCitation)
  const article = object(citation.Article)
  const pmid = textOf(citation.PMID)
  if (!pmid) return []
  const issue = object(object(article.Journal).JournalIssue)
  const date = object(issue.PubDate)
  const [online] = list(article.ArticleDate).map(object)
  const types = typesOf(article.PublicationTypeList)
  const idOf = idsIn(object(entry.PubmedData).ArticleIdList)
  const locationOf = (type: string) =>
    textOf(list(article.ELocationID).find((id) => isObject(id) && id['@EIdType'] === type))
  const pages = textOf(object(article.Pagination).MedlinePgn)
  const pii = locationOf('pii')
  const comments = list(object(citation.CommentsCorrectionsList).CommentsCorrections).filter(isObject)
  const preprint = types.some((type) => /^preprint$/i.test(type))
  const languages = list(article.Language).flatMap((language) => textOf(language) ?? [])
  return [
    {
      pmid,
      doi: idOf('doi') ?? locationOf('doi'),
      pmcid: idOf('pmc'),
      title: bracketless(textOf(article.ArticleTitle)) ?? textOf(article.VernacularTitle) ?? '',
      authors: authorsOf(article.AuthorList),
      // The year, or the first one in a MedlineDate such as "1998 Dec-1999 Jan".
      year: integer(date.Year) ?? yearIn(date.MedlineDate) ?? integer(online?.Year),
      month: monthIn(date.Month ?? date.MedlineDate ?? (date.Year ? undefined : online?.Month)),
      journal: textOf(object(article.Journal).Title),
      volume: textOf(issue.Volume),
      issue: textOf(issue.Issue),
      pages,
      // Use the publisher item identifier only if it looks like an article number.
      article_number: pages === null && pii && /^[a-z]{0,3}\d{1,10}$/i.test(pii) ? pii : null,
      abstract: abstractOf(article.Abstract),
      publication_types: types,
      mesh: list(object(citation.MeshHeadingList).MeshHeading).flatMap(
        (heading) => textOf(object(heading).DescriptorName) ?? [],
      ),
      language: languages[0] ?? null,
      languages,
      retracted: types.some((type) => /^retracted publication$/i.test(type)),
      preprint,
      work_type: preprint ? 'preprint' : 'article',
      notice: noticeOf(
        types,
        comments.map((one) => ({
          relation: text(one['@RefType']) ?? '',
          doi: /\b10\.\d{4,9}\/\S+?(?=\.?(?:\s|$))/.exec(textOf(one.RefSource) ?? '')?.[0] ?? null,
          pmid: textOf(one.PMID),
        })),
      ),
      notices: comments.flatMap((one) => {
        const type = noticeTypeOf(text(one['@RefType']) ?? '', 'in')
        return type ? [{ type, by: { doi: null, pmid: textOf(one.PMID) } }] : []
      }),
    },
  ]
}

/** A chapter has its own title as well as its book's. */
function toBook(entry: Json): Article[] {
  const document = object(entry.BookDocument)
  const book = object(document.Book)
  const pmid = textOf(document.PMID)
  if (!pmid) return []
  const bookTitle = textOf(book.BookTitle)
  const chapterTitle = textOf(document.ArticleTitle)
  const date = object(book.PubDate)
  const idOf = idsIn(document.ArticleIdList)
  const languages = list(document.Language).flatMap((language) => textOf(language) ?? [])
  const own = authorsOf(document.AuthorList)
  return [
    {
      pmid,
      doi:
        idOf('doi') ?? textOf(list(book.ELocationID).find((id) => isObject(id) && id['@EIdType'] === 'doi')),
      title: chapterTitle ?? bookTitle ?? '',
      authors: own.length > 0 ? own : authorsOf(book.AuthorList),
      year: integer(date.Year) ?? yearIn(date.MedlineDate) ?? integer(object(document.ContributionDate).Year),
      month: monthIn(date.Month),
      journal: chapterTitle === null ? null : bookTitle,
      publisher: textOf(object(book.Publisher).PublisherName),
      volume: textOf(book.Volume),
      pages: textOf(object(document.Pagination).MedlinePgn),
      isbn: list(book.Isbn).flatMap((isbn) => textOf(isbn) ?? []),
      abstract: abstractOf(document.Abstract),
      publication_types: typesOf(document),
      language: languages[0] ?? null,
      languages,
      work_type: chapterTitle === null ? 'book' : 'chapter',
    },
  ]
}

function typesOf(holder: unknown): string[] {
  return list(object(holder).PublicationType).flatMap((type) => textOf(type) ?? [])
}

function idsIn(holder: unknown): (type: string) => string | null {
  const ids = list(object(holder).ArticleId).filter(isObject)
  return (type) => textOf(ids.find((id) => id['@IdType'] === type))
}

/** Removes the brackets that PubMed puts around translated titles. */
function bracketless(title: string | null): string | null {
  return title?.trim().replace(/^\[([\s\S]*)\](\.?)$/, '$1$2') ?? null
}

/** Uses a book's authors, or its editors if there are no authors. */
function authorsOf(lists: unknown): Author[] {
  const all = list(lists).filter(isObject)
  const authors = all.find((one) => text(one['@Type']) !== 'editors') ?? all[0]
  return list(authors?.Author).filter(isObject).flatMap(toAuthor)
}

function toAuthor(author: Json): Author[] {
  const family = textOf(author.LastName)
  const literal = textOf(author.CollectiveName)
  const suffix = textOf(author.Suffix)
  if (!family) return literal ? [{ literal }] : []
  return [{ family, given: textOf(author.ForeName) ?? textOf(author.Initials), ...(suffix && { suffix }) }]
}

/** Keeps section labels as headings, in the markup of the other sources. */
function abstractOf(holder: unknown): string | null {
  const written = list(object(holder).AbstractText).flatMap((part) => {
    const words = textOf(part)
    const label = isObject(part) ? text(part['@Label']) : null
    return words ? (label ? `<h4>${label}</h4>${words}` : `<p>${words}</p>`) : []
  })
  return written.length > 0 ? written.join('') : null
}

/** An element's text, whether or not it has attributes. */
function textOf(element: unknown): string | null {
  return text(isObject(element) ? element['#text'] : element)
}

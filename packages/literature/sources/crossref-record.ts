/** Converts a Crossref work to a record. */
import { noticeTypeOfUpdate } from '../notice-words.ts'
import {
  type Author,
  emptyRecord,
  type OpenLink,
  type SourceRecord,
  type Target,
  type WorkType,
} from '../paper.ts'
import { integer, isObject, type Json, list, object, text, texts } from './values.ts'

const NAME = 'crossref'

const WORK_TYPES: Readonly<Record<string, WorkType>> = {
  'journal-article': 'article',
  'posted-content': 'preprint',
  book: 'book',
  monograph: 'book',
  'edited-book': 'book',
  'reference-book': 'book',
  'book-set': 'book',
  'book-series': 'book',
  'book-chapter': 'chapter',
  'book-section': 'chapter',
  'book-part': 'chapter',
  'book-track': 'chapter',
  'reference-entry': 'chapter',
  dissertation: 'thesis',
  'proceedings-article': 'conference_paper',
  proceedings: 'proceedings',
  'proceedings-series': 'proceedings',
  report: 'report',
  'report-component': 'report',
  'report-series': 'report',
  dataset: 'dataset',
  database: 'dataset',
}

export function toRecord(work: Json): SourceRecord {
  const type = text(work.type)
  const subtype = text(work.subtype)
  const preprint = type === 'posted-content' && (subtype === null || subtype === 'preprint')
  const [year, month] = dateOf(work)
  const server = text(object(list(work.institution)[0]).name)
  const language = text(work.language)
  return {
    ...emptyRecord(NAME, text(work.DOI) ?? ''),
    doi: text(work.DOI),
    title: titleOf(work),
    authors: list(work.author).filter(isObject).flatMap(toAuthor),
    year,
    month,
    journal: texts(work['container-title'])[0] ?? (preprint ? (server ?? text(work.publisher)) : null),
    publisher: text(work.publisher) ?? server,
    volume: text(work.volume),
    issue: text(work.issue),
    pages: text(work.page),
    article_number: text(work['article-number']),
    isbn: [...new Set(texts(work.ISBN).map((isbn) => isbn.replace(/^.*\//, '')))],
    abstract: text(work.abstract),
    publication_types: type ? [type] : [],
    cited_by: integer(work['is-referenced-by-count']),
    language,
    languages: language ? [language] : [],
    retracted: list(work['updated-by']).some((update) => {
      const what = noticeTypeOfUpdate(text(object(update).type) ?? '')
      return what === 'retraction' || what === 'withdrawal'
    }),
    preprint,
    work_type:
      preprint || type !== 'posted-content' ? (WORK_TYPES[type ?? ''] ?? (type ? 'other' : null)) : 'other',
    open_access: linksOf(work),
    notice: noticeIn(work),
    notices: updates(work, 'updated-by').map(({ type: what, target }) => ({ type: what, by: target })),
  }
}

/** Crossref keeps the subtitle apart, but some publishers repeat it in the title. */
function titleOf(work: Json): string {
  const title = texts(work.title)[0] ?? ''
  const subtitle = texts(work.subtitle)[0] ?? ''
  if (title === '' || subtitle === '') return title || subtitle
  if (title.toLowerCase().includes(subtitle.toLowerCase())) return title
  return /[:–—-]\s*$/.test(title) ? `${title} ${subtitle}` : `${title}: ${subtitle}`
}

/** `issued` is the earliest date but may be empty. `created` is when the DOI was registered, so it is not used. */
function dateOf(work: Json): [year: number | null, month: number | null] {
  for (const field of ['issued', 'published', 'published-print', 'published-online', 'posted']) {
    const [year, month] = list(list(object(work[field])['date-parts'])[0]).map(integer)
    if (year) return [year, month && month >= 1 && month <= 12 ? month : null]
  }
  return [null, null]
}

function updates(work: Json, field: 'updated-by' | 'update-to') {
  return list(work[field])
    .filter(isObject)
    .flatMap((update): { type: NonNullable<SourceRecord['notice']>['type']; target: Target }[] => {
      const word = text(update.type) ?? text(update.label) ?? ''
      const target = { doi: text(update.DOI), pmid: null }
      // New versions and editions are listed, but readers need no warning about them.
      return word === '' ? [] : [{ type: noticeTypeOfUpdate(word) ?? 'other_update', target }]
    })
}

/** A work that updates others is a notice, unless it is a new version or edition. */
function noticeIn(work: Json): SourceRecord['notice'] {
  const about = updates(work, 'update-to').filter(({ type }) => type !== 'other_update')
  const [first] = about
  return first ? { type: first.type, about: about.map(({ target }) => target) } : null
}

/** A link counts as open if the work has a Creative Commons licence without an embargo. */
function linksOf(work: Json): OpenLink[] {
  const license = list(work.license)
    .filter(isObject)
    .find(
      (one) =>
        /creativecommons\.org/i.test(text(one.URL) ?? '') && (integer(one['delay-in-days']) ?? 0) === 0,
    )
  if (!license) return []
  return list(work.link)
    .filter(isObject)
    .flatMap((link): OpenLink[] => {
      const url = text(link.URL)
      if (!url || link['intended-application'] === 'similarity-checking') return []
      return [
        {
          url,
          source: NAME,
          format: link['content-type'] === 'application/pdf' ? 'pdf' : 'page',
          license: text(license.URL),
        },
      ]
    })
}

function toAuthor(author: Json): Author[] {
  const family = text(author.family)
  const literal = text(author.name)
  if (!family) return literal ? [{ literal }] : []
  const suffix = text(author.suffix)
  return [{ family, given: text(author.given), ...(suffix && { suffix }) }]
}

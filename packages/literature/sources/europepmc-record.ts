/** Converts a Europe PMC hit to a record. */
import { noticeOf, noticeTypeOf } from '../notice-words.ts'
import { type Author, emptyRecord, type OpenLink, type SourceRecord, type WorkType } from '../paper.ts'
import { integer, isObject, type Json, list, object, text, texts, yearIn } from './values.ts'

const NAME = 'europepmc'

export function toRecord(hit: Json): SourceRecord {
  const journal = object(hit.journalInfo)
  const book = object(hit.bookOrReportDetails)
  const types = texts(object(hit.pubTypeList).pubType)
  // The short form of a hit has all types in one string.
  if (types.length === 0) types.push(...(text(hit.pubType)?.split(/;\s*/) ?? []))
  const preprint = hit.source === 'PPR' || types.some((type) => /^preprint$/i.test(type))
  const comments = list(object(hit.commentCorrectionList).commentCorrection).filter(isObject)
  const raw_id = `${text(hit.source) ?? 'UNK'}/${text(hit.id) ?? ''}`
  return {
    ...emptyRecord(NAME, raw_id),
    doi: text(hit.doi),
    pmid: text(hit.pmid),
    pmcid: text(hit.pmcid),
    title: text(hit.title) ?? '',
    authors: authorsOf(hit),
    year: integer(hit.pubYear) ?? yearIn(journal.dateOfPublication),
    month: monthOf(journal.monthOfPublication),
    // A preprint's server is in the publisher field.
    journal:
      text(object(journal.journal).title) ??
      text(hit.journalTitle) ??
      text(book.comprisingTitle) ??
      (preprint ? text(book.publisher) : null),
    publisher: text(book.publisher),
    volume: text(journal.volume) ?? text(hit.journalVolume),
    issue: text(journal.issue) ?? text(hit.issue),
    pages: text(hit.pageInfo),
    isbn: [...texts(book.isbn13), ...texts(book.isbn10)].slice(0, 2),
    abstract: text(hit.abstractText),
    publication_types: types,
    mesh: list(object(hit.meshHeadingList).meshHeading).flatMap(
      (one) => text(object(one).descriptorName) ?? [],
    ),
    cited_by: integer(hit.citedByCount),
    language: text(hit.language),
    languages: texts(hit.language).flatMap((codes) => codes.split(/[,;]\s*/)),
    retracted: types.some((type) => /^retracted publication$/i.test(type)),
    preprint,
    work_type: workTypeOf(hit, types, preprint),
    open_access: linksOf(hit),
    notice: noticeOf(
      types,
      comments.map((one) => ({
        relation: text(one.type) ?? '',
        doi: /\b10\.\d{4,9}\/\S+?(?=\.?(?:\s|$))/.exec(text(one.reference) ?? '')?.[0] ?? null,
        pmid: one.source === 'MED' ? text(one.id) : null,
      })),
    ),
    notices: comments.flatMap((one) => {
      const type = noticeTypeOf(text(one.type) ?? '', 'in')
      return type ? [{ type, by: { doi: null, pmid: one.source === 'MED' ? text(one.id) : null } }] : []
    }),
    related: comments
      .filter((one) => /^preprint (?:in|of)$/i.test(text(one.type) ?? ''))
      .map((one) => `${text(one.source) ?? 'UNK'}/${text(one.id) ?? ''}`),
  }
}

function workTypeOf(hit: Json, types: readonly string[], preprint: boolean): WorkType | null {
  if (preprint) return 'preprint'
  const given = new Set(types.map((type) => type.toLowerCase()))
  if (hit.source === 'ETH' || given.has('thesis') || given.has('dissertation')) return 'thesis'
  if (given.has('book chapter') || given.has('chapter')) return 'chapter'
  if (given.has('book') || given.has('monograph')) return 'book'
  if (hit.source === 'NBK') return object(hit.bookOrReportDetails).comprisingTitle ? 'chapter' : 'book'
  if (given.has('conference proceedings') || given.has('conference paper')) return 'conference_paper'
  if (given.has('technical report') || given.has('report')) return 'report'
  if (given.has('dataset')) return 'dataset'
  if (hit.source === 'PAT') return 'other'
  return hit.source === 'MED' || hit.source === 'PMC' ? 'article' : null
}

/** Only links that the source calls open or free. */
function linksOf(hit: Json): OpenLink[] {
  return list(object(hit.fullTextUrlList).fullTextUrl)
    .filter(isObject)
    .flatMap((link): OpenLink[] => {
      const url = text(link.url)
      if (!url || !['OA', 'F'].includes(text(link.availabilityCode) ?? '')) return []
      return [
        {
          url,
          source: NAME,
          format: link.documentStyle === 'pdf' ? 'pdf' : 'page',
          license: text(hit.license),
        },
      ]
    })
}

function monthOf(value: unknown): number | null {
  const month = integer(value)
  return month !== null && month >= 1 && month <= 12 ? month : null
}

function authorsOf(hit: Json): Author[] {
  const listed = list(object(hit.authorList).author)
    .filter(isObject)
    .flatMap((author): Author[] => {
      const family = text(author.lastName)
      const literal = text(author.collectiveName) ?? text(author.fullName)
      if (!family) return literal ? [{ literal }] : []
      const suffix = text(author.suffix)
      return [{ family, given: text(author.firstName) ?? text(author.initials), ...(suffix && { suffix }) }]
    })
  return listed.length > 0 ? listed : authorsIn(text(hit.authorString) ?? '')
}

/** Parses "Surname AB, Other C, Third D Jr." */
export function authorsIn(line: string): Author[] {
  return line
    .replace(/\.\s*$/, '')
    .split(/,\s*/)
    .filter((name) => name.trim() !== '')
    .map((name) => {
      const [, family = '', given = '', suffix] =
        /^(.*\S)\s+(\p{Lu}{1,4})(?:\s+(Jr|Sr|[1-5](?:st|nd|rd|th)|I{2,3}|IV))?$/u.exec(name.trim()) ?? []
      return family ? { family, given, ...(suffix && { suffix }) } : { literal: name.trim() }
    })
}

/** Converts an OpenAlex work to a record. */
import { noticeOf } from '../notice-words.ts'
import { type Author, emptyRecord, type OpenLink, type SourceRecord, type WorkType } from '../paper.ts'
import { integer, isObject, type Json, list, object, text } from './values.ts'

const NAME = 'openalex'

const WORK_TYPES: Readonly<Record<string, WorkType>> = {
  article: 'article',
  review: 'article',
  letter: 'article',
  editorial: 'article',
  preprint: 'preprint',
  book: 'book',
  'book-chapter': 'chapter',
  dissertation: 'thesis',
  report: 'report',
  dataset: 'dataset',
  standard: 'other',
  software: 'other',
  'reference-entry': 'chapter',
}

export function toRecord(work: Json): SourceRecord {
  const ids = object(work.ids)
  const { volume, issue, first_page, last_page } = object(work.biblio)
  const pages = [text(first_page), text(last_page)].filter((page) => page !== null)
  const type = text(work.type)
  const venue = object(object(work.primary_location).source)
  const language = text(work.language)
  return {
    ...emptyRecord(NAME, lastPart(work.id) ?? ''),
    doi: text(work.doi) ?? text(ids.doi),
    pmid: lastPart(ids.pmid),
    pmcid: lastPart(ids.pmcid),
    title: text(work.title) ?? text(work.display_name) ?? '',
    authors: list(work.authorships).flatMap((one) => authorOf(text(object(object(one).author).display_name))),
    year: integer(work.publication_year),
    month: monthOf(text(work.publication_date)),
    journal: text(venue.display_name),
    publisher: text(venue.host_organization_name),
    volume: text(volume),
    issue: text(issue),
    pages: pages.length > 0 ? [...new Set(pages)].join('-') : null,
    abstract: wordsInOrder(work.abstract_inverted_index),
    publication_types: type ? [type] : [],
    mesh: list(work.mesh).flatMap((one) => text(object(one).descriptor_name) ?? []),
    cited_by: integer(work.cited_by_count),
    language,
    languages: language ? [language] : [],
    retracted: work.is_retracted === true,
    preprint: type === 'preprint',
    work_type: workTypeOf(work, type, venue),
    open_access: linksOf(work),
    notice: noticeOf(type ? [type] : [], []),
  }
}

/** Only the venue shows that an article is a conference paper. */
function workTypeOf(work: Json, type: string | null, venue: Json): WorkType | null {
  if (type === 'article' && (venue.type === 'conference' || work.type_crossref === 'proceedings-article'))
    return 'conference_paper'
  return WORK_TYPES[type ?? ''] ?? (type === null ? null : 'other')
}

/** OpenAlex uses 1 January if it knows only the year. */
function monthOf(date: string | null): number | null {
  const [, month, day] = /^\d{4}-(\d\d)-(\d\d)$/.exec(date ?? '') ?? []
  return month && !(month === '01' && day === '01') ? Number(month) : null
}

function linksOf(work: Json): OpenLink[] {
  const places = [work.best_oa_location, ...list(work.locations), work.primary_location]
    .filter(isObject)
    .filter((place) => place.is_oa === true)
  const links = places.flatMap((place): OpenLink[] => {
    const license = text(place.license)
    const pdf = text(place.pdf_url)
    const page = text(place.landing_page_url)
    return [
      ...(pdf ? [{ url: pdf, source: NAME, format: 'pdf' as const, license }] : []),
      ...(page ? [{ url: page, source: NAME, format: 'page' as const, license }] : []),
    ]
  })
  const told = text(object(work.open_access).oa_url)
  return told ? [...links, { url: told, source: NAME, format: 'page', license: null }] : links
}

function lastPart(value: unknown): string | null {
  return text(text(value)?.replace(/\/+$/, '').split('/').at(-1))
}

const SUFFIX = /^(?:jr|sr|[ivx]{2,4}|2nd|3rd)\.?$/i

/** OpenAlex gives one string. We take its last word as the surname, which is sometimes wrong. */
function authorOf(name: string | null): Author[] {
  const words = name?.trim().replaceAll(',', ' ').split(/\s+/) ?? []
  const suffix =
    words.length > 2 && SUFFIX.test(words.at(-1) ?? '') ? words.pop()?.replace(/\.$/, '') : undefined
  const family = words.pop()
  if (!family) return []
  return [{ family, given: words.length > 0 ? words.join(' ') : null, ...(suffix && { suffix }) }]
}

/** OpenAlex stores the abstract as words with their positions. */
function wordsInOrder(index: unknown): string | null {
  const words: string[] = []
  for (const [word, places] of Object.entries(object(index))) {
    for (const place of list(places)) {
      if (Number.isInteger(place) && Number(place) >= 0 && Number(place) < 20_000) words[Number(place)] = word
    }
  }
  return text(Object.values(words).join(' '))
}

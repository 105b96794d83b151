/** Converts a CSL-JSON item to a record. */
import { type Author, emptyRecord, type SourceRecord, type WorkType } from '../paper.ts'
import { integer, isObject, list, object, text, texts, yearIn } from '../sources/values.ts'

const TYPES: Readonly<Record<string, WorkType>> = {
  'article-journal': 'article',
  'article-magazine': 'article',
  'article-newspaper': 'article',
  article: 'preprint',
  manuscript: 'other',
  book: 'book',
  chapter: 'chapter',
  thesis: 'thesis',
  'paper-conference': 'conference_paper',
  report: 'report',
  dataset: 'dataset',
}

/** `place` is the entry's position in its text, and serves as its id. */
export function recordOf(item: Record<string, unknown>, source: string, place: number): SourceRecord {
  const [year, month] = list(list(object(item.issued)['date-parts'])[0]).map((part) => integer(part) ?? null)
  const language = text(item.language)
  const type = text(item.type) ?? ''
  const preprint =
    /preprint/i.test(text(item.genre) ?? '') || (type === 'article' && text(item.genre) === null)
  const custom = object(item.custom)
  return {
    ...emptyRecord(source, String(place)),
    doi: text(item.DOI),
    pmid: text(item.PMID),
    pmcid: text(item.PMCID),
    title: text(item.title) ?? '',
    authors: list(item.author).filter(isObject).flatMap(authorOf),
    year: year ?? yearIn(object(item.issued).raw) ?? yearIn(object(item.issued).literal),
    month: month && month >= 1 && month <= 12 ? month : null,
    journal: text(item['container-title']) ?? (preprint ? text(item.publisher) : null),
    publisher: text(item.publisher),
    volume: text(item.volume),
    issue: text(item.issue),
    pages: text(item.page),
    article_number: text(item.number),
    isbn: texts(item.ISBN).flatMap((isbn) => isbn.split(/[,;]\s*|\s+(?=97)/)),
    abstract: text(item.abstract),
    publication_types: texts(item.genre),
    language,
    languages: language ? language.split(/\s*(?:,|;|\band\b)\s*/) : [],
    preprint,
    work_type: preprint ? 'preprint' : (TYPES[type] ?? null),
    retracted: custom.retracted === true,
  }
}

function authorOf(name: Record<string, unknown>): Author[] {
  const particles = [text(name['dropping-particle']), text(name['non-dropping-particle'])].filter(Boolean)
  const family = text(name.family)
  const literal = text(name.literal)
  const suffix = text(name.suffix)
  if (!family) return literal ? [{ literal }] : []
  // A BibTeX group in braces arrives as a surname of several words.
  if (!text(name.given) && !suffix && /\s/.test(family)) return [{ literal: family }]
  return [{ family: [...particles, family].join(' '), given: text(name.given), ...(suffix && { suffix }) }]
}

/** Step 4: gives all records the same shape and spelling, and notes the source of each field. */
import { doiOf, isPreprintDoi, pmcidOf, pmidOf } from './identifiers.ts'
import { plainLine, plainText } from './markup.ts'
import { markInTitle, noticeInAbstract, noticeInTitle, takesBack } from './notice-words.ts'
import { type Author, FIELDS, type OpenLink, type Paper, type SourceRecord } from './paper.ts'
import { languageCode } from './sources/languages.ts'

/** Makes a paper from one record; `place` counts from 1 in the source's order. Undefined without a title. */
export function normalise(record: SourceRecord, place: number): Paper | undefined {
  const title = plainLine(record.title).replace(/(?<![.!?])\.$/, '')
  if (title === '') return undefined
  const doi = doiOf(record.doi)
  const pmid = pmidOf(record.pmid)
  const pmcid = pmcidOf(record.pmcid)
  const abstract = record.abstract === null ? null : plainText(record.abstract) || null
  const languages = [
    ...new Set([record.language, ...record.languages].flatMap((one) => languageCode(one) ?? [])),
  ]
  const preprint = record.preprint || isPreprintDoi(doi)
  const marked = markInTitle(title)
  const paper: Paper = {
    id: idOf({ doi, pmid, pmcid, source: record.source, raw: record.raw_id }),
    source: record.source,
    records: [{ source: record.source, id: record.raw_id, place }],
    field_sources: {},
    title,
    authors: record.authors.map(author).filter((one) => ('literal' in one ? one.literal : one.family) !== ''),
    year: record.year,
    journal: line(record.journal),
    volume: line(record.volume),
    issue: line(record.issue),
    pages: line(record.pages),
    doi,
    pmid,
    pmcid,
    abstract: withoutPlaceholder(abstract),
    publication_types: [...new Set(record.publication_types.map(plainLine))],
    cited_by: record.cited_by,
    language: languages[0] ?? null,
    retracted: record.retracted || marked !== null || record.notices.some(({ type }) => takesBack(type)),
    preprint,
    work_type: record.work_type ?? (preprint ? 'preprint' : null),
    month: record.month,
    article_number: line(record.article_number),
    publisher: line(record.publisher),
    isbn: [...new Set(record.isbn.flatMap((isbn) => isbn.replace(/[^\dXx]/g, '') || []))],
    languages,
    mesh: [...new Set(record.mesh.map(plainLine))],
    open_access: linksOf(record.open_access),
    notice: noticeOf(record, title, abstract, marked !== null),
    notices: record.notices.map(({ type, by }) => ({
      type,
      doi: doiOf(by.doi),
      pmid: pmidOf(by.pmid),
      source: record.source,
    })),
    related: [],
  }
  for (const field of FIELDS) if (isThere(paper[field])) paper.field_sources[field] = record.source
  return paper
}

export function isThere(value: Paper[keyof Paper]): boolean {
  return value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
}

/** The strongest identifier available, stable across sources and runs. */
export function idOf(ids: {
  doi: string | null
  pmid: string | null
  pmcid: string | null
  source: string
  raw: string
}): string {
  if (ids.doi) return `doi:${ids.doi}`
  if (ids.pmid) return `pmid:${ids.pmid}`
  if (ids.pmcid) return `pmcid:${ids.pmcid}`
  return `${ids.source}:${ids.raw}`
}

function author(one: Author): Author {
  if ('literal' in one) return { literal: plainLine(one.literal) }
  const suffix = line(one.suffix ?? null)
  return { family: plainLine(one.family), given: line(one.given), ...(suffix && { suffix }) }
}

/** Uses the source's own data first, then the title, then a sentence in place of the abstract. */
function noticeOf(
  record: SourceRecord,
  title: string,
  abstract: string | null,
  marked: boolean,
): Paper['notice'] {
  const targets = (about: { doi: string | null; pmid: string | null }[]) =>
    about
      .map(({ doi, pmid }) => ({ doi: doiOf(doi), pmid: pmidOf(pmid) }))
      .filter(({ doi, pmid }) => doi || pmid)
  const inAbstract = noticeInAbstract(abstract ?? '')
  if (record.notice) {
    const about = targets([...record.notice.about, ...(inAbstract ? [inAbstract.about] : [])])
    return {
      type: record.notice.type,
      about: about.filter(({ doi }, at) => doi === null || about.findIndex((one) => one.doi === doi) === at),
    }
  }
  if (inAbstract) return { type: inAbstract.type, about: targets([inAbstract.about]) }
  // "RETRACTED: Correction of …" is a retracted paper, not a notice.
  const inTitle = marked ? null : noticeInTitle(title)
  return inTitle ? { type: inTitle.type, about: [] } : null
}

/** Distinct URLs that a browser can open. */
export function linksOf(links: readonly OpenLink[]): OpenLink[] {
  const byUrl = new Map<string, OpenLink>()
  for (const link of links) {
    const url = link.url.trim()
    if (/^https?:\/\/[^\s<>"]+$/i.test(url) && !byUrl.has(url)) byUrl.set(url, { ...link, url })
  }
  return [...byUrl.values()]
}

function line(value: string | null): string | null {
  return value === null ? null : plainLine(value) || null
}

/** Removes the sentence that some databases put in place of a missing abstract. */
function withoutPlaceholder(abstract: string | null): string | null {
  return abstract &&
    /^\W*(?:no abstract(?: available)?|n\/?a|null|abstract not available)\W*$/i.test(abstract)
    ? null
    : abstract
}

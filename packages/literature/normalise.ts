/** Step 4: every record in one shape and one spelling, with the source of each field. */
import { doiOf, isPreprintDoi, pmcidOf, pmidOf } from './identifiers.ts'
import { plainLine, plainText } from './markup.ts'
import { type Author, FIELDS, type Paper, type SourceRecord } from './paper.ts'
import { languageCode } from './sources/languages.ts'

/** A paper of one record; `place` is its place in the source's order, from 1 on. Undefined without a title. */
export function normalise(record: SourceRecord, place: number): Paper | undefined {
  const title = plainLine(record.title).replace(/(?<![.!?])\.$/, '')
  if (title === '') return undefined
  const doi = doiOf(record.doi)
  const pmid = pmidOf(record.pmid)
  const pmcid = pmcidOf(record.pmcid)
  const abstract = record.abstract === null ? null : plainText(record.abstract) || null
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
    language: languageCode(record.language),
    retracted: record.retracted || /^retracted(?: article)?\s*[:\]-]/i.test(title),
    preprint: record.preprint || isPreprintDoi(doi),
    related: [],
  }
  for (const field of FIELDS) if (isThere(paper[field])) paper.field_sources[field] = record.source
  return paper
}

export function isThere(value: Paper[keyof Paper]): boolean {
  return value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
}

/** The strongest identifier there is; stable over sources and runs. */
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
  return { family: plainLine(one.family), given: line(one.given) }
}

function line(value: string | null): string | null {
  return value === null ? null : plainLine(value) || null
}

/** Some databases write a sentence where an abstract is missing. */
function withoutPlaceholder(abstract: string | null): string | null {
  return abstract &&
    /^\W*(?:no abstract(?: available)?|n\/?a|null|abstract not available)\W*$/i.test(abstract)
    ? null
    : abstract
}

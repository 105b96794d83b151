/** Crossref, works by DOI: completes what other sources left open. https://api.crossref.org */
import { type Author, emptyRecord, type SourceRecord } from '../paper.ts'
import type { Completing } from '../source.ts'
import { type Connection, openSession } from './client.ts'
import { integer, isObject, type Json, list, object, parseObject, text, texts, unreadable } from './values.ts'

const NAME = 'crossref'
/** DOIs of one request: an address has room for these. */
const BATCH = 20

export function crossref(connection: Connection): Completing {
  return {
    name: NAME,
    kind: 'completes',
    notice: null,
    cached: true,

    plan(dois) {
      // A comma or a space would end the DOI inside the filter.
      const usable = dois.filter((doi) => /^10\.\d{4,9}\/[^\s,]+$/.test(doi))
      return { request: { filter: usable.map((doi) => `doi:${doi}`).join(',') }, limit: usable.length }
    },

    async search({ request }, signal) {
      const session = openSession(connection, signal)
      const wanted = (request.filter ?? '').split(',').filter((part) => part !== '')
      const records: SourceRecord[] = []
      for (let at = 0; at < wanted.length; at += BATCH) {
        const parameters = {
          filter: wanted.slice(at, at + BATCH).join(','),
          rows: String(BATCH),
          ...(connection.contact && { mailto: connection.contact }),
        }
        const { message } = parseObject(await session.get('/works', parameters, 'json'))
        if (!isObject(message) || !Array.isArray(message.items)) throw unreadable()
        records.push(...message.items.filter(isObject).map(toRecord))
      }
      return { total: records.length, records }
    },
  }
}

function toRecord(work: Json): SourceRecord {
  const type = text(work.type)
  const dates = list(object(work.issued)['date-parts'])
  const subtype = text(work.subtype)
  return {
    ...emptyRecord(NAME, text(work.DOI) ?? ''),
    doi: text(work.DOI),
    title: texts(work.title)[0] ?? '',
    authors: list(work.author).filter(isObject).flatMap(toAuthor),
    year: integer(list(dates[0])[0]),
    journal: texts(work['container-title'])[0] ?? null,
    volume: text(work.volume),
    issue: text(work.issue),
    pages: text(work.page),
    abstract: text(work.abstract),
    publication_types: type ? [type] : [],
    cited_by: integer(work['is-referenced-by-count']),
    language: text(work.language),
    retracted: list(work['updated-by']).some((update) => object(update).type === 'retraction'),
    preprint: type === 'posted-content' && (subtype === null || subtype === 'preprint'),
  }
}

function toAuthor(author: Json): Author[] {
  const family = text(author.family)
  const literal = text(author.name)
  if (family) return [{ family, given: text(author.given) }]
  return literal ? [{ literal }] : []
}

/** PubMed, by the E-utilities: ESearch gives ids as JSON, EFetch the records as XML. */
import { emptyRecord, type SourceRecord } from '../paper.ts'
import { expressionOf, quoted, render } from '../plan.ts'
import type { Searching } from '../source.ts'
import { type Connection, openSession } from './client.ts'
import { bibliographicCode } from './languages.ts'
import { parseArticles } from './pubmed-xml.ts'
import { integer, isObject, parseObject, texts, unreadable } from './values.ts'

const NAME = 'pubmed'
/** So many ids fit into one address. */
const BATCH = 100

export function pubmed(connection: Connection): Searching {
  const identity = {
    tool: 'stagecast',
    ...(connection.contact && { email: connection.contact }),
    ...(connection.key && { api_key: connection.key }),
  }
  return {
    name: NAME,
    kind: 'searches',
    notice: null,
    cached: true,

    plan(query, inputs, limit) {
      const { year_from, year_to, language } = inputs
      const code = language === undefined ? undefined : bibliographicCode(language)
      // The field tag keeps PubMed from mapping a phrase to other subjects.
      const parts = [render(expressionOf(query, inputs) ?? '', (term) => `${quoted(term)}[tiab]`)]
      if (year_from !== undefined || year_to !== undefined) {
        parts.push(`${year_from ?? 1500}:${year_to ?? 2200}[dp]`)
      }
      if (code) parts.push(`${code}[la]`)
      return {
        request: { db: 'pubmed', term: parts.join(' AND '), sort: 'relevance', retmode: 'json' },
        limit,
      }
    },

    async search({ request, limit }, signal) {
      const session = openSession(connection, signal)
      const found = parseObject(
        await session.get('/esearch.fcgi', { ...request, retmax: String(limit), ...identity }, 'json'),
      ).esearchresult
      if (!isObject(found) || !Array.isArray(found.idlist)) throw unreadable()
      const ids = texts(found.idlist).slice(0, limit)
      const byId = new Map<string, SourceRecord>()
      for (let at = 0; at < ids.length; at += BATCH) {
        const batch = { db: 'pubmed', retmode: 'xml', id: ids.slice(at, at + BATCH).join(',') }
        const xml = await session.get('/efetch.fcgi', { ...batch, ...identity }, 'xml')
        for (const article of parseArticles(xml)) {
          byId.set(article.pmid, { ...emptyRecord(NAME, article.pmid), ...article })
        }
      }
      // In the order of the search; what EFetch left out was merged or deleted.
      return { total: integer(found.count) ?? ids.length, records: ids.flatMap((id) => byId.get(id) ?? []) }
    },
  }
}

/** PubMed through the E-utilities: ESearch returns ids as JSON, EFetch returns records as XML. */
import { emptyRecord, type SourceRecord } from '../paper.ts'
import { type Leaf, plainTerm, quoted, render, withKeywords } from '../plan.ts'
import type { Searching } from '../source.ts'
import { type Connection, openSession } from './client.ts'
import { bibliographicCode } from './languages.ts'
import { parseArticles } from './pubmed-xml.ts'
import { integer, isObject, type Json, object, parseObject, text, texts, unreadable } from './values.ts'

const NAME = 'pubmed'
/** The number of ids that fit into one URL. */
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

    plan(wanted, inputs, limit) {
      const fixed = { db: 'pubmed', sort: 'relevance', retmode: 'json' }
      if (typeof wanted === 'string') return { request: { term: wanted, ...fixed }, limit }
      const { year_from, year_to, language } = inputs
      const code = language === undefined ? undefined : bibliographicCode(language)
      const parts = [render(withKeywords(wanted, inputs), term)]
      if (year_from !== undefined || year_to !== undefined) {
        parts.push(`${year_from ?? 1500}:${year_to ?? 2200}[dp]`)
      }
      if (code) parts.push(`${code}[la]`)
      return { request: { term: parts.join(' AND '), ...fixed }, limit }
    },

    async search({ request, limit }, signal) {
      const session = openSession(connection, signal)
      const found = parseObject(
        await session.get('/esearch.fcgi', { ...request, retmax: String(limit), ...identity }, 'json'),
      ).esearchresult
      if (!isObject(found) || !Array.isArray(found.idlist)) throw unreadable()
      const remarks = remarksIn(found)
      const ids = texts(found.idlist).slice(0, limit)
      const byId = new Map<string, SourceRecord>()
      for (let at = 0; at < ids.length; at += BATCH) {
        const batch = { db: 'pubmed', retmode: 'xml', id: ids.slice(at, at + BATCH).join(',') }
        const xml = await session.get('/efetch.fcgi', { ...batch, ...identity }, 'xml')
        for (const article of parseArticles(xml)) {
          byId.set(article.pmid, { ...emptyRecord(NAME, article.pmid), ...article })
        }
      }
      // Keep the search order. EFetch omits merged and deleted records.
      return {
        total: integer(found.count) ?? ids.length,
        records: ids.flatMap((id) => byId.get(id) ?? []),
        remarks,
      }
    },
  }
}

/**
 * PubMed maps a bare term to its subject headings, and an unknown phrase to its words. A capital after the first word
 * marks a name ("Great Depression"), which mapping would turn into something else.
 */
function term({ term: text, form }: Leaf): string {
  if (form === 'phrase' && /[\s-]\p{Lu}\p{Ll}/u.test(text)) return `${quoted(text)}[tiab]`
  const plain = plainTerm(text).replace(/[:/]/g, ' ')
  return /^(?:and|or|not)$/i.test(plain) ? quoted(plain) : plain
}

/** How PubMed read the query, and its warnings. */
function remarksIn({ querytranslation, errorlist, warninglist }: Json): string[] {
  const translation = text(querytranslation)
  const said = [errorlist, warninglist].flatMap((list) =>
    Object.entries(object(list)).flatMap(([kind, values]) =>
      texts(values).map((value) => `${kind}: ${value}`),
    ),
  )
  return [...(translation ? [`read as ${translation}`] : []), ...said]
}

/** Europe PMC, REST search: https://europepmc.org/RestfulWebService */
import type { SourceRecord } from '../paper.ts'
import { type Leaf, quoted, render, withKeywords } from '../plan.ts'
import type { Searching } from '../source.ts'
import { type Connection, openSession } from './client.ts'
import { toRecord } from './europepmc-record.ts'
import { bibliographicCode } from './languages.ts'
import { truncated } from './truncate.ts'
import { integer, isObject, type Json, list, parseObject, text, unreadable } from './values.ts'

const NAME = 'europepmc'
const PAGE = 100

export function europePmc(connection: Connection): Searching {
  return {
    name: NAME,
    kind: 'searches',
    notice: null,
    cached: true,

    plan(wanted, inputs, limit) {
      // Europe PMC adds MeSH synonyms to our words.
      const fixed = { resultType: 'core', format: 'json', synonym: 'TRUE' }
      if (typeof wanted === 'string') return { request: { query: wanted, ...fixed, synonym: 'FALSE' }, limit }
      const { year_from, year_to, language } = inputs
      const code = language === undefined ? undefined : bibliographicCode(language)
      const parts = [render(withKeywords(wanted, inputs), term)]
      if (year_from !== undefined || year_to !== undefined) {
        parts.push(`PUB_YEAR:[${year_from ?? 1500} TO ${year_to ?? 2200}]`)
      }
      if (code) parts.push(`LANG:"${code}"`)
      return { request: { query: parts.join(' AND '), ...fixed }, limit }
    },

    async search({ request, limit }, signal) {
      const session = openSession(connection, signal)
      const records: SourceRecord[] = []
      let total = 0
      if (limit === 0) {
        const page = parseObject(
          await session.get('/search', { ...request, resultType: 'idlist', pageSize: '1' }, 'json'),
        )
        const hits = integer(page.hitCount)
        if (hits === null) throw unreadable()
        return { total: hits, records: [] }
      }
      for (let cursor: string | null = '*'; cursor !== null && records.length < limit; ) {
        const page: Json = parseObject(
          await session.get(
            '/search',
            {
              ...request,
              pageSize: String(Math.min(PAGE, limit)),
              cursorMark: cursor,
              ...(connection.contact && { email: connection.contact }),
            },
            'json',
          ),
        )
        const hits = integer(page.hitCount)
        if (hits === null || !isObject(page.resultList)) throw unreadable()
        total = hits
        const found = list(page.resultList.result).filter(isObject).map(toRecord)
        records.push(...found)
        const next = text(page.nextCursorMark)
        cursor = found.length === 0 || next === cursor ? null : next
      }
      return { total, records: records.slice(0, limit) }
    },
  }
}

/** Europe PMC matches plurals but no other endings, so truncate words to their stems. */
function term({ term: text, form }: Leaf): string {
  return `TITLE_ABS:${form === 'phrase' ? quoted(text) : (truncated(text) ?? (/^[\p{L}\p{N}]+$/u.test(text) ? text : quoted(text)))}`
}

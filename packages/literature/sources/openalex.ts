/** OpenAlex, list of works: https://docs.openalex.org */
import type { SourceRecord } from '../paper.ts'
import { type Leaf, quoted, render, withKeywords } from '../plan.ts'
import type { Searching } from '../source.ts'
import { type Connection, openSession } from './client.ts'
import { toRecord } from './openalex-record.ts'
import { integer, isObject, object, parseObject, text, unreadable } from './values.ts'

const NAME = 'openalex'
const PAGE = 100

export function openAlex(connection: Connection): Searching {
  const identity = {
    ...(connection.contact && { mailto: connection.contact }),
    ...(connection.key && { api_key: connection.key }),
  }
  return {
    name: NAME,
    kind: 'searches',
    notice: null,
    cached: true,

    plan(wanted, inputs, limit) {
      if (typeof wanted === 'string') {
        return { request: { filter: `title_and_abstract.search:${wanted.replaceAll(',', ' ')}` }, limit }
      }
      const { year_from, year_to, language } = inputs
      const filter = [`title_and_abstract.search:${render(withKeywords(wanted, inputs), term)}`]
      if (year_from !== undefined) filter.push(`from_publication_date:${year_from}-01-01`)
      if (year_to !== undefined) filter.push(`to_publication_date:${year_to}-12-31`)
      if (language !== undefined) filter.push(`language:${language}`)
      return { request: { filter: filter.join(',') }, limit }
    },

    async search({ request, limit }, signal) {
      const session = openSession(connection, signal)
      const records: SourceRecord[] = []
      let total = 0
      if (limit === 0) {
        const parameters = { ...request, select: 'id', per_page: '1', ...identity }
        const count = integer(object(parseObject(await session.get('/works', parameters, 'json')).meta).count)
        if (count === null) throw unreadable()
        return { total: count, records: [] }
      }
      for (let cursor: string | null = '*'; cursor !== null && records.length < limit; ) {
        const parameters = { ...request, per_page: String(Math.min(PAGE, limit)), cursor, ...identity }
        const page = parseObject(await session.get('/works', parameters, 'json'))
        const count = integer(object(page.meta).count)
        if (count === null || !Array.isArray(page.results)) throw unreadable()
        total = count
        records.push(...page.results.filter(isObject).map(toRecord))
        cursor = page.results.length === 0 ? null : text(object(page.meta).next_cursor)
      }
      return { total, records: records.slice(0, limit) }
    },
  }
}

/** OpenAlex stems terms itself. Commas, colons and bars have a meaning in its filters. */
function term({ term: words, form }: Leaf): string {
  const text = quoted(words).replace(/[:/]/g, ' ')
  return form === 'phrase' || !/^"[\p{L}\p{N}]+"$/u.test(text) ? text : text.slice(1, -1)
}

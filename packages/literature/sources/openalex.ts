/** OpenAlex, list of works: https://docs.openalex.org */
import type { SourceRecord } from '../paper.ts'
import { expressionOf, quoted, render } from '../plan.ts'
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

    plan(query, inputs, limit) {
      const { year_from, year_to, language } = inputs
      // In a filter a comma, a colon or a bar would begin something else.
      const term = (words: string) => quoted(words).replace(/[:/]/g, ' ')
      const filter = [`title_and_abstract.search:${render(expressionOf(query, inputs) ?? '', term)}`]
      if (year_from !== undefined) filter.push(`from_publication_date:${year_from}-01-01`)
      if (year_to !== undefined) filter.push(`to_publication_date:${year_to}-12-31`)
      if (language !== undefined) filter.push(`language:${language}`)
      return { request: { filter: filter.join(',') }, limit }
    },

    async search({ request, limit }, signal) {
      const session = openSession(connection, signal)
      const records: SourceRecord[] = []
      let total = 0
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

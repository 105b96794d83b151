/** Crossref looks up works by DOI to complete records from other sources. https://api.crossref.org */
import type { SourceRecord } from '../paper.ts'
import type { Completing } from '../source.ts'
import { type Connection, openSession } from './client.ts'
import { toRecord } from './crossref-record.ts'
import { isObject, parseObject, unreadable } from './values.ts'

const NAME = 'crossref'
/** DOIs per request, limited by the length of a URL. */
const BATCH = 20

export function crossref(connection: Connection): Completing {
  return {
    name: NAME,
    kind: 'completes',
    notice: null,
    cached: true,

    plan(dois) {
      // A comma or a space would end the DOI in the filter.
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

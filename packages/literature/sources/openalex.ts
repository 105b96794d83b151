/** OpenAlex, list of works: https://docs.openalex.org */
import { type Author, emptyRecord, type SourceRecord } from '../paper.ts'
import { expressionOf, quoted, render } from '../plan.ts'
import type { Searching } from '../source.ts'
import { type Connection, openSession } from './client.ts'
import { integer, isObject, type Json, list, object, parseObject, text, unreadable } from './values.ts'

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

function toRecord(work: Json): SourceRecord {
  const ids = object(work.ids)
  const { volume, issue, first_page, last_page } = object(work.biblio)
  const pages = [text(first_page), text(last_page)].filter((page) => page !== null)
  const type = text(work.type)
  return {
    ...emptyRecord(NAME, lastPart(work.id) ?? ''),
    doi: text(work.doi) ?? text(ids.doi),
    pmid: lastPart(ids.pmid),
    pmcid: lastPart(ids.pmcid),
    title: text(work.title) ?? text(work.display_name) ?? '',
    authors: list(work.authorships).flatMap((one) => authorOf(text(object(object(one).author).display_name))),
    year: integer(work.publication_year),
    journal: text(object(object(work.primary_location).source).display_name),
    volume: text(volume),
    issue: text(issue),
    pages: pages.length > 0 ? [...new Set(pages)].join('-') : null,
    abstract: wordsInOrder(work.abstract_inverted_index),
    publication_types: type ? [type] : [],
    cited_by: integer(work.cited_by_count),
    language: text(work.language),
    retracted: work.is_retracted === true,
    preprint: type === 'preprint',
  }
}

function lastPart(value: unknown): string | null {
  return text(text(value)?.replace(/\/+$/, '').split('/').at(-1))
}

/** OpenAlex gives one name; its last word is taken for the surname, which is wrong for some. */
function authorOf(name: string | null): Author[] {
  const words = name?.trim().split(/\s+/) ?? []
  const family = words.pop()
  return family ? [{ family, given: words.length > 0 ? words.join(' ') : null }] : []
}

/** The abstract comes as each word with its places. */
function wordsInOrder(index: unknown): string | null {
  const words: string[] = []
  for (const [word, places] of Object.entries(object(index))) {
    for (const place of list(places)) {
      if (Number.isInteger(place) && Number(place) >= 0 && Number(place) < 20_000) words[Number(place)] = word
    }
  }
  return text(Object.values(words).join(' '))
}

/** Europe PMC, REST search: https://europepmc.org/RestfulWebService */
import { type Author, emptyRecord, type SourceRecord } from '../paper.ts'
import { expressionOf, quoted, render } from '../plan.ts'
import type { Searching } from '../source.ts'
import { type Connection, openSession } from './client.ts'
import { bibliographicCode } from './languages.ts'
import {
  integer,
  isObject,
  type Json,
  list,
  object,
  parseObject,
  text,
  texts,
  unreadable,
  yearIn,
} from './values.ts'

const NAME = 'europepmc'
const PAGE = 100

export function europePmc(connection: Connection): Searching {
  return {
    name: NAME,
    kind: 'searches',
    notice: null,
    cached: true,

    plan(query, inputs, limit) {
      const { year_from, year_to, language } = inputs
      const code = language === undefined ? undefined : bibliographicCode(language)
      const parts = [render(expressionOf(query, inputs) ?? '', (term) => `TITLE_ABS:${quoted(term)}`)]
      if (year_from !== undefined || year_to !== undefined) {
        parts.push(`PUB_YEAR:[${year_from ?? 1500} TO ${year_to ?? 2200}]`)
      }
      if (code) parts.push(`LANG:"${code}"`)
      return { request: { query: parts.join(' AND '), resultType: 'core', format: 'json' }, limit }
    },

    async search({ request, limit }, signal) {
      const session = openSession(connection, signal)
      const records: SourceRecord[] = []
      let total = 0
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

function toRecord(hit: Json): SourceRecord {
  const journal = object(hit.journalInfo)
  const types = texts(object(hit.pubTypeList).pubType)
  return {
    ...emptyRecord(NAME, `${text(hit.source) ?? 'UNK'}/${text(hit.id) ?? ''}`),
    doi: text(hit.doi),
    pmid: text(hit.pmid),
    pmcid: text(hit.pmcid),
    title: text(hit.title) ?? '',
    authors: authorsOf(hit),
    year: integer(hit.pubYear) ?? yearIn(journal.dateOfPublication),
    journal: text(object(journal.journal).title),
    volume: text(journal.volume),
    issue: text(journal.issue),
    pages: text(hit.pageInfo),
    abstract: text(hit.abstractText),
    publication_types: types,
    cited_by: integer(hit.citedByCount),
    language: text(hit.language),
    retracted: types.some((type) => /^retracted publication$/i.test(type)),
    preprint: hit.source === 'PPR' || types.some((type) => /^preprint$/i.test(type)),
  }
}

function authorsOf(hit: Json): Author[] {
  const listed = list(object(hit.authorList).author)
    .filter(isObject)
    .flatMap((author): Author[] => {
      const family = text(author.lastName)
      const literal = text(author.collectiveName) ?? text(author.fullName)
      if (family) return [{ family, given: text(author.firstName) ?? text(author.initials) }]
      return literal ? [{ literal }] : []
    })
  return listed.length > 0 ? listed : authorsIn(text(hit.authorString) ?? '')
}

/** "Surname AB, Other C." as databases print it. */
export function authorsIn(line: string): Author[] {
  return line
    .replace(/\.\s*$/, '')
    .split(/,\s*/)
    .filter((name) => name.trim() !== '')
    .map((name) => {
      const [, family = '', given = ''] = /^(.*\S)\s+(\p{Lu}{1,4})$/u.exec(name.trim()) ?? []
      return family ? { family, given } : { literal: name.trim() }
    })
}

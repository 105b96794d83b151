/** The shipped set of invented records: for the demo and for machines without a network. */
import { hits, matches } from '../match.ts'
import { emptyRecord, type SourceRecord } from '../paper.ts'
import type { Query } from '../query.ts'
import type { Searching } from '../source.ts'
import { authorsIn } from './europepmc-record.ts'
import { ANTIBIOTICS } from './sample/antibiotics.ts'
import { EXERCISE } from './sample/exercise.ts'
import { FASTING } from './sample/fasting.ts'
import { OTHERS } from './sample/others.ts'
import type { SampleRecord } from './sample/record.ts'
import { SLEEP } from './sample/sleep.ts'
import { STATINS } from './sample/statins.ts'
import { TELEMEDICINE } from './sample/telemedicine.ts'

export const SAMPLE_RECORDS: readonly SampleRecord[] = [
  ...FASTING,
  ...STATINS,
  ...SLEEP,
  ...TELEMEDICINE,
  ...ANTIBIOTICS,
  ...EXERCISE,
  ...OTHERS,
]

export const sample: Searching = {
  name: 'sample',
  kind: 'searches',
  notice:
    'Sample data: every record, author, journal and number here is invented. It shows how a review works and ' +
    'says nothing about medicine.',
  cached: false,
  // A plan is text by nature; here it carries the framed question to the search below.
  plan: (query, _inputs, limit) => ({ request: { concepts: JSON.stringify(query.concepts) }, limit }),
  async search({ request, limit }, signal) {
    signal.throwIfAborted()
    const query: Query = { question: '', concepts: JSON.parse(request.concepts ?? '[]'), extra: [] }
    const found = SAMPLE_RECORDS.map(toRecord)
      .filter((record) => matches(query, record))
      .map((record) => ({ record, weight: weightOf(query, record) }))
      .sort((a, b) => b.weight - a.weight || (a.record.raw_id < b.record.raw_id ? -1 : 1))
    return { total: found.length, records: found.slice(0, limit).map(({ record }) => record) }
  },
}

/** As a search engine would order them: who names more of the question, and in the title, comes first. */
function weightOf(query: Query, record: SourceRecord): number {
  return hits(query, record).reduce((sum, { title, abstract }) => sum + 3 * title.length + abstract.length, 0)
}

function toRecord(record: SampleRecord): SourceRecord {
  return {
    ...emptyRecord('sample', record.id),
    doi: record.doi,
    title: record.title,
    authors: authorsIn(record.authorString),
    year: record.pubYear,
    journal: record.journal,
    abstract: record.abstractText,
    publication_types: record.pubTypes,
    cited_by: record.citedByCount,
    language: record.language,
    retracted: record.pubTypes.includes('Retracted Publication'),
    preprint: record.pubTypes.includes('Preprint'),
    related: record.related ?? [],
  }
}

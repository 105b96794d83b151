/** Invented records that ship with the package, for demos and machines without a network. */
import { parseBoolean } from '../boolean.ts'
import { meets, type Prepared, prepare } from '../match.ts'
import { emptyRecord, type SourceRecord } from '../paper.ts'
import { type Leaf, plainTerm, quoted, render, termsIn, withKeywords } from '../plan.ts'
import type { Searching } from '../source.ts'
import { words } from '../text.ts'
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
  // Plans are text, so write the expression here for `search` to parse.
  plan: (wanted, inputs, limit) => {
    const expression = typeof wanted === 'string' ? parseBoolean(wanted) : withKeywords(wanted, inputs)
    return { request: { query: render(expression, written) }, limit }
  },
  async search({ request, limit }, signal) {
    signal.throwIfAborted()
    const expression = parseBoolean(request.query ?? '')
    const terms = termsIn(expression).map((term) => ` ${words(term).join(' ')} `)
    const found = recordsOf()
      .filter(({ prepared }) => meets(expression, prepared))
      .map(({ record, prepared }) => ({ record, weight: weightOf(terms, prepared) }))
      .sort((a, b) => b.weight - a.weight || (a.record.raw_id < b.record.raw_id ? -1 : 1))
    return { total: found.length, records: found.slice(0, limit).map(({ record }) => record) }
  },
}

function written({ term, form }: Leaf): string {
  return form === 'phrase' ? quoted(term) : plainTerm(term)
}

let prepared: { record: SourceRecord; prepared: Prepared }[] | undefined

/** Prepares the records on first use. */
function recordsOf() {
  prepared ??= SAMPLE_RECORDS.map(toRecord).map((record) => ({ record, prepared: prepare(record) }))
  return prepared
}

/** Ranks a record higher the more of the terms it has, and the more of them are in its title. */
function weightOf(terms: readonly string[], { title, abstract }: Prepared): number {
  return terms.reduce(
    (sum, term) => sum + (title.includes(term) ? 3 : 0) + (abstract.includes(term) ? 1 : 0),
    0,
  )
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

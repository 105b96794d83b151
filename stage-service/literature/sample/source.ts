/** The shipped set of invented records: for the demo and for machines without a network. */
import { matches } from '../match.ts'
import type { Paper, Source } from '../source.ts'
import { ANTIBIOTICS } from './antibiotics.ts'
import { EXERCISE } from './exercise.ts'
import { FASTING } from './fasting.ts'
import { OTHERS } from './others.ts'
import type { SampleRecord } from './record.ts'
import { SLEEP } from './sleep.ts'
import { STATINS } from './statins.ts'
import { TELEMEDICINE } from './telemedicine.ts'

const RECORDS: readonly SampleRecord[] = [
  ...FASTING,
  ...STATINS,
  ...SLEEP,
  ...TELEMEDICINE,
  ...ANTIBIOTICS,
  ...EXERCISE,
  ...OTHERS,
]

export const sampleSource: Source = {
  name: 'sample',
  notice:
    'Sample data: every record, author, journal and number here is invented. It shows how a review works and ' +
    'says nothing about medicine.',
  async search(query, signal) {
    signal.throwIfAborted()
    const papers = RECORDS.map(toPaper)
    return { read: papers.length, papers: papers.filter((paper) => matches(query, paper)) }
  },
}

function toPaper(record: SampleRecord): Paper {
  return {
    id: record.id,
    source: 'sample',
    title: record.title,
    authors: record.authorString.replace(/\.$/, '').split(', '),
    year: record.pubYear,
    journal: record.journal,
    doi: record.doi,
    abstract: record.abstractText,
    publication_types: record.pubTypes,
    cited_by: record.citedByCount,
    language: record.language,
    retracted: record.pubTypes.includes('Retracted Publication'),
    related: record.related ?? [],
  }
}

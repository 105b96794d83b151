/** Records for tests of single steps. */

import { normalise } from '../normalise.ts'
import { emptyRecord, type Paper, type SourceRecord } from '../paper.ts'

export function record(change: Partial<SourceRecord> = {}): SourceRecord {
  return {
    ...emptyRecord('europepmc', 'MED/1'),
    title: 'Intermittent fasting and blood pressure',
    authors: [{ family: 'Okonjo', given: 'A' }],
    year: 2020,
    ...change,
  }
}

export function paperOf(change: Partial<SourceRecord> = {}, place = 1): Paper {
  const paper = normalise(record(change), place)
  if (!paper) throw new Error('no paper')
  return paper
}

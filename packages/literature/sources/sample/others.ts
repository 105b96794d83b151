/** Invented records on other subjects, so that a search has something to leave out. Nothing here was ever published, measured or written by a real person. */
import type { SampleRecord } from './record.ts'

export const OTHERS: readonly SampleRecord[] = [
  {
    id: 'sample-061',
    title: 'Fine particles in the air and visits for asthma: a time-series study of nine cities',
    authorString: 'Wetherby-Cole N, Assefa T.',
    pubYear: 2013,
    journal: 'Specimen Public Health',
    doi: '10.5555/sample.2013.061',
    abstractText:
      'Fine particles irritate the airways. We related daily concentrations in nine cities to emergency visits for asthma over six years. A rise of ten micrograms per cubic metre was associated with 2.1% more visits two days later. Children were affected most. Effects were larger in summer.',
    pubTypes: ['Journal Article', 'Observational Study'],
    citedByCount: 84,
    language: 'en',
  },
  {
    id: 'sample-062',
    title: 'Vitamin D and falls in residents of nursing homes: a randomized controlled trial',
    authorString: 'Haverford-Diop M, Jelinek S.',
    pubYear: 2006,
    journal: 'Example Journal of Geriatric Medicine',
    doi: '10.5555/sample.2006.062',
    abstractText:
      'Falls are frequent in nursing homes. We randomised 488 residents to vitamin D or placebo for two years. Falls occurred at a rate of 1.9 and 2.2 per person and year. The difference was not significant. Fractures did not differ.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 190,
    language: 'en',
  },
  {
    id: 'sample-063',
    title: 'School gardens and vegetable intake of children: a cluster trial',
    authorString: 'Bramhall-Ncube P, Yoon H.',
    pubYear: 2019,
    journal: 'Specimen Annals of Nutrition',
    doi: '10.5555/sample.2019.063',
    abstractText:
      'Children eat few vegetables. Twenty schools were randomised to a garden programme or to later enrolment. Vegetable intake rose by a third of a portion a day. The effect lasted over the summer holidays. Teachers found the programme demanding.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 28,
    language: 'en',
  },
]

/** Invented records on sleep and cognition. Nothing here was ever published, measured or written by a real person. */
import type { SampleRecord } from './record.ts'

export const SLEEP: readonly SampleRecord[] = [
  {
    id: 'sample-030',
    title: 'One night of total sleep deprivation and working memory: a laboratory experiment',
    authorString: 'Iversen-Cho D, Baptiste M.',
    pubYear: 2010,
    journal: 'Sample Sleep Science',
    doi: '10.5555/sample.2010.030',
    abstractText:
      'Sleep deprivation is common among people who work at night. Forty-eight volunteers were randomly assigned to a night awake or a night asleep. Working memory accuracy fell by 11 percentage points after sleep deprivation. Reaction time lengthened by 64 ms. One night of recovery sleep restored both.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 133,
    language: 'en',
  },
  {
    id: 'sample-031',
    title: 'Sleep duration and cognitive decline in later life: a cohort of 14,500 adults',
    authorString: 'Marchetti-Oduya L, Bergstrom N, Saito K.',
    pubYear: 2019,
    journal: 'Example Journal of Geriatric Medicine',
    doi: '10.5555/sample.2019.031',
    abstractText:
      'Both short and long sleep have been related to dementia. We followed 14,500 adults aged 60 and older for eleven years. Sleep shorter than five hours was associated with faster cognitive decline. Long sleep was associated with decline only in the two years before a diagnosis. Long sleep may be an early sign rather than a cause.',
    pubTypes: ['Journal Article', 'Observational Study'],
    citedByCount: 118,
    language: 'en',
  },
  {
    id: 'sample-032',
    title: 'Cognitive behavioural therapy for insomnia and executive function in older adults',
    authorString: 'Pellegrin-Fox A, Jimoh R.',
    pubYear: 2020,
    journal: 'Sample Sleep Science',
    doi: '10.5555/sample.2020.032',
    abstractText:
      'Insomnia is treatable at any age. In 156 adults older than 65 years with insomnia we compared cognitive behavioural therapy with sleep hygiene advice in a randomised trial. Insomnia severity fell more with therapy. Executive function improved slightly in both groups, without a difference between them. Better sleep did not translate into measurably better cognition within six months.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 44,
    language: 'en',
  },
  {
    id: 'sample-033',
    title: 'Napping and memory consolidation in preschool children',
    authorString: 'Dahlberg-Ruiz E, Achebe O.',
    pubYear: 2013,
    journal: 'Sample Sleep Science',
    doi: '10.5555/sample.2013.033',
    abstractText:
      'Naps vanish between the third and the fifth year of life. We tested memory for picture locations in 40 children with and without a midday nap. Napping preserved memory over the day, and the benefit was larger in habitual nappers. The difference persisted the next morning. Naps may support learning at this age.',
    pubTypes: ['Journal Article', 'Clinical Trial'],
    citedByCount: 89,
    language: 'en',
  },
  {
    id: 'sample-034',
    title: 'Obstructive sleep apnoea, positive airway pressure and attention: a systematic review',
    authorString: 'Kirchner-Abe S, Lombard T.',
    pubYear: 2017,
    journal: 'Sample Sleep Science',
    doi: '10.5555/sample.2017.034',
    abstractText:
      'Sleep apnoea impairs attention during the day. We reviewed 19 randomised trials of positive airway pressure with 2,874 participants. Attention improved slightly, memory did not. Effects were larger in participants who used the device for more than four hours a night. Most trials lasted less than six months.',
    pubTypes: ['Journal Article', 'Systematic Review'],
    citedByCount: 102,
    language: 'en',
  },
  {
    id: 'sample-035',
    title: 'Blue light before bedtime and next-day reaction time in adolescents',
    authorString: 'Thorvald-Nguyen P, Castellanos B, Mwangi J.',
    pubYear: 2022,
    journal: 'Sample Sleep Science',
    doi: '10.5555/sample.2022.035',
    abstractText:
      'Adolescents use bright screens late in the evening. In a crossover trial 36 adolescents wore either blue-blocking or clear glasses for five evenings each, in random order. Sleep began 17 minutes earlier with blue-blocking glasses. Reaction time the next morning did not change. The effect on cognition may need longer exposure to appear.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 21,
    language: 'en',
  },
  {
    id: 'sample-036',
    title: 'Sleep spindles and intelligence: a meta-analysis',
    authorString: 'Almeida-Reuter V.',
    pubYear: 2015,
    journal: 'Sample Sleep Science',
    doi: '10.5555/sample.2015.036',
    abstractText: null,
    pubTypes: ['Journal Article', 'Meta-Analysis', 'Systematic Review'],
    citedByCount: 70,
    language: 'en',
  },
  {
    id: 'sample-037',
    title:
      'Sleep restriction, cognitive performance and error rates of resident physicians: a cross-sectional study',
    authorString: 'Hollis-Tanaka F, Bakare Y.',
    pubYear: 2008,
    journal: 'Sample Journal of Internal Medicine',
    doi: '10.5555/sample.2008.037',
    abstractText:
      'Long shifts are common in hospitals. In a cross-sectional study of 611 residents, those who slept less than five hours scored lower on cognitive tests of attention. They reported 1.6 times as many medication errors. The direction of the relation cannot be determined. Work schedules deserve trials.',
    pubTypes: ['Journal Article', 'Observational Study'],
    citedByCount: 147,
    language: 'en',
  },
]

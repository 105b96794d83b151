/** Invented records on exercise and depression. Nothing here was ever published, measured or written by a real person. */
import type { SampleRecord } from './record.ts'

export const EXERCISE: readonly SampleRecord[] = [
  {
    id: 'sample-053',
    title: 'Supervised aerobic exercise as treatment of major depression: a randomized controlled trial',
    authorString: 'Lindstrand-Obi F, Kaplan-Mori Y.',
    pubYear: 2007,
    journal: 'Example Archives of Psychiatry',
    doi: '10.5555/sample.2007.053',
    abstractText:
      'Exercise may relieve depression. We randomised 126 adults with major depression to supervised aerobic exercise three times a week or to stretching for sixteen weeks. Remission occurred in 42% and 28%. The benefit was related to attendance. One participant in each group was injured.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 231,
    language: 'en',
  },
  {
    id: 'sample-054',
    title: 'Exercise for depression: a network meta-analysis of walking, yoga and resistance training',
    authorString: 'Abernethy-Zulu C, Norgaard T, Pires M.',
    pubYear: 2024,
    journal: 'Example Archives of Psychiatry',
    doi: '10.5555/sample.2024.054',
    abstractText:
      'Which form of exercise helps depression most is debated. We compared 88 randomised trials with 6,204 participants in a network meta-analysis. Walking, yoga and resistance training each reduced depressive symptoms compared with usual care. Effects grew with intensity. Risk of bias was high in most trials since blinding is hardly possible.',
    pubTypes: ['Journal Article', 'Meta-Analysis', 'Systematic Review'],
    citedByCount: 57,
    language: 'en',
  },
  {
    id: 'sample-055',
    title: 'Exercise compared with antidepressant medication in older adults with depression',
    authorString: 'Marlowe-Shin D, Eriksen P.',
    pubYear: 2001,
    journal: 'Example Archives of Psychiatry',
    doi: '10.5555/sample.2001.055',
    abstractText:
      'Older people often prefer treatment without drugs. A total of 104 adults older than 60 years with depression were randomly assigned to group exercise or an antidepressant. Depressive symptoms halved in both groups after sixteen weeks. Medication worked faster. Exercise was a reasonable alternative.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 305,
    language: 'en',
  },
  {
    id: 'sample-056',
    title: 'Physical activity and incident depression: a prospective cohort of 24,000 adolescents',
    authorString: 'Ogunleye-Hart S, Weiss-Park A.',
    pubYear: 2017,
    journal: 'Specimen Public Health',
    doi: '10.5555/sample.2017.056',
    abstractText:
      'Depression often begins in adolescence. We followed 24,000 adolescents for five years. Those who were physically active for an hour on most days had a hazard ratio of 0.83 for depression. The association was weaker when screen time was taken into account. Cause and effect remain uncertain.',
    pubTypes: ['Journal Article', 'Observational Study'],
    citedByCount: 99,
    language: 'en',
  },
  {
    id: 'sample-057',
    title: 'Online yoga for postnatal depression: a feasibility trial',
    authorString: 'Trevino-Asker J, Holmqvist B.',
    pubYear: 2021,
    journal: 'Example Archives of Psychiatry',
    doi: '10.5555/sample.2021.057',
    abstractText:
      'Mothers of infants can rarely attend classes. Forty-six women with postnatal depression took part in eight weeks of online yoga in an uncontrolled trial. Thirty-seven completed it. Depressive symptoms fell by 5 points on the Edinburgh scale. A controlled trial is justified.',
    pubTypes: ['Journal Article', 'Clinical Trial'],
    citedByCount: 17,
    language: 'en',
  },
  {
    id: 'sample-058',
    title: 'Resistance training for depressive symptoms after stroke',
    authorString: 'Fonseca-Adler R, Mbatha L, Greaves W.',
    pubYear: 2016,
    journal: 'Example Archives of Psychiatry',
    doi: '10.5555/sample.2016.058',
    abstractText:
      'Depression after stroke impairs recovery. We randomised 72 survivors of stroke to resistance training or to social visits for twelve weeks. Depressive symptoms fell more with training. Walking speed improved as well. No serious adverse event was related to training.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 38,
    language: 'en',
  },
  {
    id: 'sample-059',
    title: 'Does exercise prevent relapse of depression? A trial protocol',
    authorString: 'Kessel-Anane P.',
    pubYear: 1998,
    journal: 'Example Archives of Psychiatry',
    doi: '10.5555/sample.1998.059',
    abstractText:
      'Relapse is frequent after recovery from depression. This protocol describes a randomised trial of twelve months of exercise in 300 adults in remission. The primary outcome is relapse within two years. Assessors will be unaware of the allocation. Exercise will be offered in community centres.',
    pubTypes: ['Journal Article', 'Clinical Trial Protocol'],
    citedByCount: 11,
    language: 'en',
  },
  {
    id: 'sample-060',
    title: 'Voluntary wheel running, stress and depression-like behaviour in rats',
    authorString: 'Zielinska-Poe H, Amankwah D.',
    pubYear: 2004,
    journal: 'Example Archives of Psychiatry',
    doi: '10.5555/sample.2004.060',
    abstractText:
      'Running wheels give rats an outlet. We exposed 48 rats to unpredictable stress with or without a running wheel. Exercise prevented the loss of preference for sugar that counts as a sign of depression. Growth factors in the hippocampus were higher in runners. Transfer to patients needs caution.',
    pubTypes: ['Journal Article'],
    citedByCount: 126,
    language: 'en',
  },
]

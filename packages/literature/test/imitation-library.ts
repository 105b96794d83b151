/** Invented records for the imitated sources. None was published; every DOI is under a prefix for tests. */

export interface Entry {
  pmid: string | null
  pmcid: string | null
  doi: string | null
  title: string
  authors: [family: string, given: string][]
  group?: string
  year: number
  journal: string
  /** Labelled sections, or one without a label; null for none. */
  abstract: [label: string, text: string][] | null
  types: string[]
  cited: number
  language: string
  retracted?: boolean
  preprint?: boolean
}

const base: Omit<Entry, 'title' | 'pmid' | 'doi'> = {
  pmcid: null,
  authors: [
    ['Okonjo', 'Adaeze'],
    ['Velasquez', 'Tomás'],
  ],
  year: 2021,
  journal: 'Example Heart Journal',
  abstract: [
    ['BACKGROUND', 'Whether fasting changes blood pressure is unclear.'],
    ['METHODS', 'We randomised 142 adults to intermittent fasting or usual meals.'],
    ['RESULTS', 'Systolic blood pressure fell by 5.1 mm Hg (p < 0.05). Weight fell by 3.4 kg.'],
    ['CONCLUSIONS', 'Intermittent fasting lowered blood pressure in these adults.'],
  ],
  types: ['Journal Article', 'Randomized Controlled Trial'],
  cited: 40,
  language: 'en',
}

export const LIBRARY: readonly Entry[] = [
  {
    ...base,
    pmid: '90000001',
    pmcid: 'PMC9000001',
    doi: '10.5555/imitation.1',
    title: 'Intermittent fasting and blood pressure: a randomized trial',
  },
  {
    ...base,
    pmid: '90000002',
    doi: '10.5555/imitation.2',
    title: 'Intermittent fasting and coronary outcomes',
    retracted: true,
    types: ['Journal Article', 'Retracted Publication'],
  },
  {
    ...base,
    pmid: '90000003',
    doi: '10.5555/imitation.3',
    title: 'Fasting regimen and endothelial function',
    abstract: null,
    authors: [['Nwosu', 'Chidi']],
  },
  {
    ...base,
    pmid: null,
    doi: '10.1101/2020.01.01.20000001',
    title: 'Time-restricted eating and cardiometabolic risk',
    preprint: true,
    year: 2020,
    types: ['Preprint'],
    journal: 'medRxiv',
    authors: [['Halvorsen', 'Kari']],
  },
  {
    ...base,
    pmid: '90000004',
    doi: '10.5555/imitation.4',
    title: 'Time-restricted eating and cardiometabolic risk',
    year: 2021,
    authors: [['Halvorsen', 'Kari']],
  },
  {
    ...base,
    pmid: '90000005',
    doi: '10.5555/imitation.5',
    title: '間欠的断食と血圧',
    language: 'ja',
    abstract: [['', '本研究は成人を対象とした。']],
    authors: [['田中', '花子']],
  },
  {
    ...base,
    pmid: '90000006',
    doi: '10.5555/imitation.6',
    title: 'Vitamin <i>D</i> and CO<sub>2</sub>: fasting samples &amp; heart rate',
    abstract: [['', 'Samples were taken after fasting. Nothing was measured in cars.']],
    authors: [['Lindqvist', 'Maja']],
    group: 'The Example Study Group',
    types: ['Journal Article'],
  },
]

/** Invented records on antibiotic stewardship. Nothing here was ever published, measured or written by a real person. */
import type { SampleRecord } from './record.ts'

export const ANTIBIOTICS: readonly SampleRecord[] = [
  {
    id: 'sample-046',
    title:
      'Prospective audit and feedback for antimicrobial stewardship in 24 hospitals: a stepped-wedge trial',
    authorString: 'Lindegaard-Amoah J, Petrova S, Cruz-Hale D.',
    pubYear: 2020,
    journal: 'Example Infectious Disease Reports',
    doi: '10.5555/sample.2020.046',
    abstractText:
      'Audit and feedback is the core of antimicrobial stewardship. In a stepped-wedge randomised trial 24 hospitals introduced prospective audit in random order. Antibiotic use fell by 12% in days of therapy. Mortality and length of stay did not change. The effect was largest for broad-spectrum agents.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 73,
    language: 'en',
  },
  {
    id: 'sample-047',
    title: 'Antibiotic prescribing for acute cough: point-of-care C-reactive protein in general practice',
    authorString: 'Vermeulen-Asante K, Doyle R.',
    pubYear: 2012,
    journal: 'Example Infectious Disease Reports',
    doi: '10.5555/sample.2012.047',
    abstractText:
      'Most coughs need no antibiotic. Practices were randomised to point-of-care testing of C-reactive protein or usual care, and 1,207 patients took part. Antibiotic prescribing fell from 51% to 34%. Recovery was the same. Testing is a practical tool of antibiotic stewardship.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 154,
    language: 'en',
  },
  {
    id: 'sample-048',
    title: 'Interventions to improve antibiotic prescribing for hospital inpatients: a systematic review',
    authorString: 'Sundaram-Leigh P, Okeke M, Brandt I.',
    pubYear: 2016,
    journal: 'Example Infectious Disease Reports',
    doi: '10.5555/sample.2016.048',
    abstractText:
      'Antibiotic resistance grows with use. We reviewed 121 studies of interventions on antibiotic prescribing in hospitals. Rules and advice both increased compliance with policy. Duration of treatment fell by two days without more deaths. Feedback made interventions more effective, although few studies used it.',
    pubTypes: ['Journal Article', 'Systematic Review'],
    citedByCount: 201,
    language: 'en',
  },
  {
    id: 'sample-049',
    title: 'Short compared with long antibiotic courses for pneumonia: implications for stewardship',
    authorString: 'Calloway-Idris N, Fujita M.',
    pubYear: 2023,
    journal: 'Example Infectious Disease Reports',
    doi: '10.5555/sample.2023.049',
    abstractText:
      'Shorter courses may limit resistance. We pooled nine trials with 3,391 adults with pneumonia. Clinical cure was 89% with courses of five days or less and 88% with longer ones. Adverse events were fewer with short courses. Antibiotic stewardship programmes can recommend five days for most patients.',
    pubTypes: ['Journal Article', 'Meta-Analysis', 'Systematic Review'],
    citedByCount: 36,
    language: 'en',
  },
  {
    id: 'sample-050',
    title: 'Antimicrobial stewardship in nursing homes: a cluster-randomized trial of nurse-led review',
    authorString: 'Bonnevie-Adu L, Starling H, Mota R.',
    pubYear: 2018,
    journal: 'Example Journal of Geriatric Medicine',
    doi: '10.5555/sample.2018.050',
    abstractText:
      'Residents of nursing homes receive many antibiotics. Thirty homes were randomised to nurse-led review of suspected urinary infection or to usual practice. Antibiotic use for urinary infection fell by 31%. Hospital admissions did not rise. Staff turnover weakened the effect in the second year.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 62,
    language: 'en',
  },
  {
    id: 'sample-051',
    title: 'Resistant infection after stewardship rounds in intensive care: an interrupted time series',
    authorString: 'Radcliffe-Owusu G, Jansson E.',
    pubYear: 2014,
    journal: 'Example Infectious Disease Reports',
    doi: '10.5555/sample.2014.051',
    abstractText:
      'Intensive care units use broad-spectrum antibiotics heavily. We studied monthly rates of resistant infection before and after daily antimicrobial stewardship rounds in five units. Carbapenem use fell by 27%. The rate of resistant infection showed no change in level or slope. Longer observation is needed.',
    pubTypes: ['Journal Article', 'Observational Study'],
    citedByCount: 48,
    language: 'en',
  },
  {
    id: 'sample-052',
    title: 'Stewardship without a specialist: antibiotic policy in small hospitals',
    authorString: 'Tidewell-Nkosi B.',
    pubYear: 2011,
    journal: 'Example Infectious Disease Reports',
    doi: '10.5555/sample.2011.052',
    abstractText: null,
    pubTypes: ['Journal Article'],
    citedByCount: 20,
    language: 'en',
  },
]

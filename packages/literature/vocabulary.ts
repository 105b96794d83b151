/** What the framing knows of English questions and of some subjects. Words stand here as people write them. */
import type { Role } from './query.ts'
import { words } from './text.ts'

const list = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/).flatMap(words))

/** End a phrase and mean nothing by themselves. */
export const STOP_WORDS = list(`
  a an the this that these those it its their there they we you i our your my any some all each both such same other
  what which who whom whose when where why how whether is are was were be been being am do does did done doing has have
  had having can could may might must shall should will would and or but not no nor if then so as at by from to into about
  over under between through during after before per via also more most less least very much many better worse best
  me him her them us give gives given please overview summary known know say says tell show shown explain describe
  find found there out up down one
  taking take using use used people undergoing receiving long-term short-term
`)

/** Words of asking, not of the thing asked. */
export const ASKING_WORDS = list(`
  effect effects impact impacts influence influences role roles association associations associated relationship
  relationships relation link links linked connection evidence benefit benefits beneficial harm harms consequence
  consequences efficacy effective effectively effectiveness efficient usefulness useful safe safety outcome outcomes
  result results change changes difference differences difference study studies research literature review question
  work works good bad important possible matter matters
`)

/** What a word says about the phrase behind it. */
export const LINKING_WORDS: ReadonlyMap<string, Role> = new Map([
  ...each('of', 'intervention'),
  ...each(
    'on for improve improves improving reduce reduces reducing increase increases increasing',
    'outcome',
  ),
  ...each(
    'decrease decreases decreasing lower lowers lowering affect affects affecting prevent prevents',
    'outcome',
  ),
  ...each(
    'preventing treat treats treating cause causes causing help helps helping influence protect',
    'outcome',
  ),
  ...each('in among amongst', 'population'),
  ...each('with', 'topic'),
  ...each('versus vs against than compared comparison', 'comparator'),
])

/** Too common to decide alone whether a record deals with a phrase. */
export const WEAK_WORDS = list(`
  health healthy risk risks disease diseases disorder disorders patient patients adult adults person persons human
  humans man men woman women therapy therapies treatment treatments level levels function functions functioning
  control symptom symptoms condition conditions management care medical clinical measure measures marker markers
  older elderly young younger general population populations group groups quality life system type rate factor factors
`)

/** A subject and the names records use for it; `asked` are recognised in a question only, being too wide elsewhere. */
export interface Subject {
  label: string
  names: string[]
  asked?: string[]
}

export const SUBJECTS: readonly Subject[] = [
  {
    label: 'intermittent fasting',
    names: [
      'intermittent fasting',
      'time-restricted eating',
      'time-restricted feeding',
      'alternate-day fasting',
      'periodic fasting',
      'intermittent energy restriction',
      'fasting regimen',
      '5:2 diet',
    ],
    asked: ['fasting', 'fast'],
  },
  {
    label: 'cardiovascular health',
    names: [
      'cardiovascular',
      'cardiometabolic',
      'blood pressure',
      'hypertension',
      'cholesterol',
      'triglyceride',
      'endothelial function',
      'arterial stiffness',
      'coronary',
      'heart failure',
      'heart rate',
      'myocardial infarction',
      'stroke',
      'atherosclerosis',
      'cardiac',
    ],
    asked: ['heart', 'heart disease', 'heart health', 'lipids'],
  },
  {
    label: 'statins',
    names: [
      'statin',
      'atorvastatin',
      'rosuvastatin',
      'simvastatin',
      'pravastatin',
      'HMG-CoA reductase inhibitor',
    ],
  },
  { label: 'sleep', names: ['sleep', 'insomnia', 'sleep deprivation', 'sleep restriction', 'napping'] },
  {
    label: 'cognition',
    names: ['cognition', 'cognitive', 'memory', 'attention', 'executive function', 'reaction time'],
  },
  { label: 'dementia', names: ['dementia', 'Alzheimer', 'cognitive decline'] },
  {
    label: 'telemedicine',
    names: [
      'telemedicine',
      'telehealth',
      'telemonitoring',
      'remote monitoring',
      'video consultation',
      'mobile health',
      'mHealth',
    ],
    asked: ['digital health', 'remote care'],
  },
  {
    label: 'diabetes',
    names: ['diabetes', 'diabetic', 'HbA1c', 'glycaemic control'],
    asked: ['blood sugar'],
  },
  {
    label: 'antibiotic stewardship',
    names: [
      'antibiotic stewardship',
      'antimicrobial stewardship',
      'antibiotic prescribing',
      'antimicrobial prescribing',
      'prospective audit',
      'antibiotic use',
    ],
    asked: ['antibiotic', 'antimicrobial', 'stewardship'],
  },
  {
    label: 'antimicrobial resistance',
    names: ['antimicrobial resistance', 'antibiotic resistance', 'resistant infection', 'resistant organism'],
  },
  {
    label: 'exercise',
    names: ['exercise', 'physical activity', 'aerobic training', 'resistance training', 'walking', 'yoga'],
    asked: ['sport', 'running'],
  },
  {
    label: 'depression',
    names: ['depression', 'depressive', 'depressed', 'antidepressant'],
    asked: ['mood'],
  },
  { label: 'mortality', names: ['mortality', 'death', 'survival'] },
  { label: 'body weight', names: ['body weight', 'weight loss', 'obesity', 'overweight'] },
]

function each(text: string, role: Role): [string, Role][] {
  return text.split(' ').flatMap((word) => words(word).map((normal): [string, Role] => [normal, role]))
}

/** Other names for a thing. They are added to the question's words and never replace them. */
import { unaccented } from './text.ts'

/** Names for one thing or its kinds. An entry applies only if a whole phrase of the question matches a name. */
const SENSES: readonly string[] = [
  'intermittent fasting | time-restricted eating | time-restricted feeding | alternate-day fasting | periodic fasting | intermittent energy restriction',
  'cardiovascular health | cardiovascular disease | cardiovascular risk | cardiometabolic | cardiac | blood pressure | coronary | heart disease',
  'myocardial infarction | heart attack',
  'hypertension | high blood pressure',
  'heart failure | cardiac failure',
  'stroke | cerebrovascular accident',
  'type 2 diabetes | type 2 diabetes mellitus | T2DM | non-insulin-dependent diabetes',
  'type 1 diabetes | type 1 diabetes mellitus | T1DM',
  'diabetes | diabetes mellitus | diabetic',
  'glycaemic control | glycemic control | HbA1c',
  'obesity | overweight',
  'statins | statin | HMG-CoA reductase inhibitor | atorvastatin | rosuvastatin | simvastatin | pravastatin',
  'sleep deprivation | sleep restriction | sleep loss',
  'insomnia | sleeplessness',
  'cognition | cognitive function | cognitive performance',
  'dementia | Alzheimer | cognitive decline',
  'depression | depressive disorder | depressive symptoms | mood disorder',
  'anxiety | anxiety disorder',
  'post-traumatic stress disorder | PTSD',
  'attention deficit hyperactivity disorder | ADHD',
  'autism | autism spectrum disorder | autistic',
  'telemedicine | telehealth | telemonitoring | remote monitoring | video consultation | mobile health | mHealth',
  'antibiotic stewardship | antimicrobial stewardship',
  'antibiotic resistance | antimicrobial resistance',
  'exercise | physical activity | aerobic training | resistance training | walking | yoga | tai chi',
  'COVID-19 | SARS-CoV-2 | coronavirus disease 2019',
  'HPV vaccination | human papillomavirus vaccination | HPV vaccine',
  'HPV | human papillomavirus',
  'ECMO | extracorporeal membrane oxygenation',
  'ARDS | acute respiratory distress syndrome',
  'COPD | chronic obstructive pulmonary disease',
  'HIV | human immunodeficiency virus',
  'intensive care unit | ICU | critical care',
  'emergency department | emergency room',
  'randomised controlled trial | randomized controlled trial | RCT',
  'chronic kidney disease | chronic renal disease | CKD',
  'irritable bowel syndrome | IBS',
  'traumatic brain injury | TBI',
  'pressure ulcers | pressure injury | bedsore',
  'hand hygiene | hand washing | handwashing',
  'nurse staffing | nurse-to-patient ratio',
  'burnout | occupational burnout',
  'older adults | older people | elderly | late-life | geriatric',
  'adolescents | teenagers | adolescence',
  'children | child | childhood | paediatric | pediatric',
  'newborns | neonates | newborn infants',
  'pregnancy | pregnant women | gestation',
  'breastfeeding | breast feeding | lactation',
  'mortality | death',
  'climate change | global warming',
  'greenhouse gas emissions | carbon emissions | GHG emissions',
  'biodiversity | species richness | species diversity',
  'invasive species | alien species | non-native species',
  'deforestation | forest loss',
  'coral reefs | coral reef',
  'low-income countries | developing countries',
  'middle-income countries | developing countries',
  'low- and middle-income countries | LMIC | developing countries',
  'unemployment | joblessness',
  'minimum wage | wage floor',
  'universal basic income | basic income',
  'microfinance | microcredit',
  'monetary policy | interest rate policy',
  'foreign direct investment | FDI',
  'gross domestic product | GDP',
  'machine learning | deep learning',
  'large language models | large language model | LLM',
  'convolutional neural networks | CNN',
  'natural language processing | NLP',
  'reinforcement learning | policy learning',
  'graph neural networks | GNN',
  'intrusion detection | anomaly detection',
  'fast radio bursts | FRB',
  'gamma-ray bursts | GRB',
  'gravitational waves | gravitational wave',
  'dark matter | WIMP',
  'Bose-Einstein condensate | BEC',
  'school dropout | early school leaving',
  'higher education | tertiary education | university education',
  'cooperative learning | collaborative learning',
  'formative assessment | assessment for learning',
  'cognitive behavioural therapy | cognitive behavior therapy | CBT',
  'working memory | short-term memory',
  'recidivism | reoffending',
  'death penalty | capital punishment',
  'intellectual property | copyright | patent',
  'Black Death | bubonic plague',
  'Industrial Revolution | industrialisation | industrialization',
]

/** Word forms that no stemmer joins: Latin or Greek and English, adjective and noun. Safe in any phrase. */
const FAMILIES: readonly string[] = [
  'kidney kidneys renal',
  'liver hepatic',
  'lung lungs pulmonary',
  'heart cardiac',
  'brain cerebral',
  'stomach gastric',
  'skin cutaneous dermal',
  'eye eyes ocular',
  'bone bones osseous',
  'urine urinary',
  'breast mammary',
  'neoplasm neoplasms cancer cancers tumor tumors tumour tumours malignancy malignancies malignant',
  'newborn newborns neonate neonates neonatal',
  'infant infants infancy infantile',
  'child children childhood pediatric paediatric',
  'adolescent adolescents adolescence teenagers',
  'fetus fetal foetus foetal',
  'pregnancy pregnancies pregnant',
  'mother mothers maternal',
  'father fathers paternal',
  'tooth teeth dental',
  'surgery surgical',
  'death deaths mortality',
  'tuberculosis tuberculous tb',
  'diabetes diabetic',
  'virus viruses viral',
  'bacteria bacterium bacterial',
  'fungus fungi fungal',
  'gene genes genetic genetics',
  'chromosome chromosomes chromosomal',
  'hormone hormones hormonal',
  'enzyme enzymes enzymatic',
  'drug drugs medication medications',
  'mouse mice murine',
  'forest forests woodland',
  'sea marine ocean',
  'school schools',
  'law legal',
  'crime crimes criminal',
]

/** Joins only plurals, because a stem would also join "age" and "aged". */
const key = (text: string) =>
  (unaccented(text).match(/[\p{L}\p{N}]+/gu) ?? [])
    .map((word) => word.replace(/(?<=[^su]..)s$|(?<=..[^su])s$/, ''))
    .join(' ')

const BY_SENSE = new Map<string, string[][]>()
for (const entry of SENSES) {
  const names = entry.split(' | ')
  for (const name of new Set(names.map(key))) BY_SENSE.set(name, [...(BY_SENSE.get(name) ?? []), names])
}

const BY_WORD = new Map<string, string[]>()
for (const entry of FAMILIES) {
  const forms = entry.split(' ')
  for (const form of forms) BY_WORD.set(key(form), forms)
}

/** Other names for the whole phrase. */
export function otherNames(phrase: string): string[] {
  const own = key(phrase)
  const names = (BY_SENSE.get(own) ?? []).flat()
  const forms = own.includes(' ') ? [] : (BY_WORD.get(own) ?? [])
  return distinct([...names, ...forms], own)
}

/** Other forms of one word in any context. */
export function otherForms(word: string): string[] {
  const own = key(word)
  return distinct(BY_WORD.get(own) ?? [], own)
}

/** The first word of a word's family, which stands for all of them. */
export function familyOf(word: string): string {
  return BY_WORD.get(key(word))?.[0] ?? word
}

/** Whether a phrase names something that its separate words do not. */
export function isName(phrase: string): boolean {
  return BY_SENSE.has(key(phrase))
}

/** Removes names with the same stem as another or as `own`. */
function distinct(names: readonly string[], own: string): string[] {
  const seen = new Set([own])
  return names.filter((name) => {
    const stems = key(name)
    if (seen.has(stems)) return false
    seen.add(stems)
    return true
  })
}

/** Word lists for framing English questions, in lower case. */

const list = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Words that hold a question together but name nothing. */
export const FUNCTION_WORDS = list(`
  a an the this that these those it its their there they them we us you i me my our your his her him he she some any all
  each every both either neither such same other others another what which who whom whose when where why how whether is
  are was were be been being am do does did doing done has have had having can could may might must shall should will
  would and or but not no nor if then so because while although though as than at by from to into onto upon about over
  under between through throughout during after before per via also more most less least fewer very much many too only
  just even still already yet well better best worse worst again out up down off without within across along around near
  behind beyond toward towards against among amongst of in on for with versus vs regarding concerning e.g i.e eg ie etc
  particularly especially specifically mainly general respectively etc one ones compared including include includes namely because instead rather one's that's it's what's cannot can't don't
  doesn't isn't aren't didn't following there's please usually often currently who's there's whereas despite depending
`)

/** Prepositions, by how they relate the next phrase. */
export const LINKS: ReadonlyMap<string, Link> = new Map([
  ...each('of', 'of'),
  ...each('on onto upon about', 'on'),
  ...each('for', 'for'),
  ...each('in among amongst within across throughout near at', 'in'),
  ...each('after before during following under without despite', 'while'),
  ...each('with', 'with'),
  ...each('by through via using from', 'by'),
  ...each('to into toward towards', 'to'),
  ...each('between', 'between'),
  ...each('versus vs than', 'versus'),
  ...each('against', 'against'),
  ...each('as', 'as'),
])
export type Link =
  | 'of'
  | 'on'
  | 'for'
  | 'in'
  | 'while'
  | 'with'
  | 'by'
  | 'to'
  | 'between'
  | 'versus'
  | 'against'
  | 'as'

/** Question words, such as "effect". They are not the subject of any record. */
export const ASKING_WORDS = list(`
  effect effects impact impacts influence influences role roles association associations associated relationship
  relationships relation relations link links linked connection connections correlation evidence consequence
  consequences efficacy effective effectively effectiveness efficient usefulness useful important importance
  significance result results difference differences study studies research literature review reviews question
  questions overview summary known know tell show explain describe interested interest information regard reference
  papers articles topic topics implications implication extent way ways possible good bad matter matters work works
  happen happens true really actually common current recent new latest give given make makes use uses used using
  due likely exist exists
`)

/** Question words that relate two things symmetrically. */
export const RELATION_WORDS = list(`
  relationship relationships relation relations association associations link links connection connections correlation
  difference differences interaction interactions
`)

/** Base forms of verbs that connect a cause to its effect. `relationOf` recognises other forms. */
const RELATION_VERBS = list(`
  affect influence impact improve reduce increase decrease lower raise cause prevent help treat promote lead contribute
  protect enhance change alter modify shape determine predict explain drive induce trigger worsen alleviate relieve
  limit boost support benefit harm hurt relate associate correlate depend compare differ impair mitigate facilitate
  hinder encourage discourage allow enable cure delay minimize maximise minimise maximize respond create produce
  strengthen weaken slow accelerate become get outperform
`)

/** Base form of a relating verb in any of its forms, or undefined. */
export function relationOf(word: string): string | undefined {
  if (RELATION_VERBS.has(word)) return word
  for (const [ending, others] of VERB_ENDINGS) {
    if (!word.endsWith(ending)) continue
    const root = word.slice(0, -ending.length)
    const doubled = /(.)\1$/.test(root) ? [root.slice(0, -1)] : []
    const base = [...others.map((other) => root + other), ...doubled].find((one) => RELATION_VERBS.has(one))
    if (base) return base
  }
  return undefined
}

const VERB_ENDINGS: readonly (readonly [string, readonly string[]])[] = [
  ['ing', ['', 'e']],
  ['ed', ['', 'e']],
  ['es', ['', 'e']],
  ['s', ['']],
]

/** Aspects of a subject, before "of", "to", "for" or "in". A search drops them first. */
export const ASPECTS = list(`
  barriers barrier facilitators facilitator attitudes attitude perceptions perception experiences experience views
  prevalence incidence epidemiology burden causes cause risk risks factors predictors determinants determinant
  consequences outcomes outcome benefits benefit harms safety cost costs cost-effectiveness management treatment
  therapy prevention diagnosis prognosis pathogenesis mechanism mechanisms aetiology etiology occurrence development
  measurement assessment detection screening frequency rate rates challenges strategies policies adoption
  acceptability feasibility satisfaction knowledge trends history level levels drivers methods method accuracy
  complications complication symptoms signs genetics morphology physiology toxicity production excretion regulation limits constraints
`)

/** Too common to show alone that a record covers a phrase. */
export const WEAK_WORDS = list(`
  lower higher greater larger smaller increased decreased reduced elevated improved
  health healthy risk risks disease diseases disorder disorders patient patients adult adults person persons people
  human humans man individual individuals participant participants subject subjects therapy therapies
  treatment treatments level levels function functions functioning control controls symptom symptoms condition
  conditions management care medical clinical measure measures measurement marker markers general population
  populations group groups quality life system systems type types rate rates factor factors outcome outcomes change
  changes cause causes case cases case number time times year years age ages term terms increase decrease normal
  abnormal method methods technique techniques analysis assessment development process processes response responses
  animal animals presence model models data area areas form forms part parts
  problem problems specific various different certain particular related long short high low large small experimental
  approach approaches program programs programme programmes
  intervention interventions value values procedure procedures occurrence one two three
  four five six seven eight nine ten day days week weeks month months
`)

/** Places and times of a study, by the last word of the phrase. */
export const SETTINGS = list(`
  country countries hospital hospitals school schools classroom classrooms workplace workplaces home homes unit units
  clinic clinics community communities setting settings university universities city cities region regions area areas
  practice ward wards industry industries firm firms company companies court courts office offices department
  departments prison prisons village villages district districts market markets state states century
`)

/** Fixed phrases that contain a preposition. */
export const OF_PHRASES = [
  'quality of life',
  'standard of care',
  'length of stay',
  'activities of daily living',
  'range of motion',
  'cost of living',
  'cost of illness',
  'burden of disease',
  'theory of mind',
  'sense of belonging',
  'freedom of speech',
  'freedom of expression',
  'rule of law',
  'burden of proof',
  'separation of powers',
  'balance of power',
  'internet of things',
  'quality of service',
  'proof of work',
  'proof of stake',
  'gain of function',
  'loss of function',
  'time of flight',
  'equation of state',
  'density of states',
  'rate of return',
  'terms of trade',
  'point of care',
  'access to justice',
  'access to care',
  'access to education',
  'right to education',
  'return to work',
  'time to treatment',
  'end of life',
  'out of hospital',
] as const

function each(text: string, link: Link): [string, Link][] {
  return text.split(' ').map((word): [string, Link] => [word, link])
}

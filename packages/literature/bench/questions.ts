/**
 * Sixty questions from ten fields: how each is read, and the first query for PubMed. A person has checked each
 * line; `wrong` says what a librarian would do otherwise. Alone: `node --import=tsx packages/literature/bench/questions.ts`.
 */
import { pathToFileURL } from 'node:url'
import { frame } from '../frame.ts'
import { render, strictSteps } from '../plan.ts'
import { words } from '../text.ts'
import { FUNCTION_WORDS } from '../vocabulary.ts'

interface Question {
  field: string
  question: string
  wrong?: string
}

const FIELDS: Readonly<Record<string, readonly (string | [question: string, wrong: string])[]>> = {
  medicine: [
    'Does semaglutide reduce cardiovascular events in adults with obesity?',
    'Is apixaban safer than warfarin for atrial fibrillation in patients with chronic kidney disease?',
    [
      'What are the risk factors for postoperative delirium after hip fracture surgery?',
      'risk factors would be asked for; here they only order the records',
    ],
    'Effect of vitamin D supplementation on asthma exacerbations in children',
    'Does screening colonoscopy lower colorectal cancer mortality?',
    'Long-term outcomes of bariatric surgery in adolescents with type 2 diabetes',
  ],
  nursing: [
    'Does nurse staffing affect patient mortality in intensive care units?',
    'What are the barriers to hand hygiene among nurses in low-income countries?',
    'Effectiveness of repositioning for preventing pressure ulcers in nursing homes',
    [
      'How do newly graduated nurses experience the transition to practice?',
      'experience is a verb here, inside the phrase about the nurses',
    ],
    'Does bedside handover improve patient satisfaction?',
    'Relationship between nurse burnout and turnover intention',
  ],
  education: [
    'Does class size affect reading achievement in primary schools?',
    'What is the effect of retrieval practice on long-term retention?',
    'Flipped classroom versus lecture for engineering students',
    'How does teacher feedback influence student motivation?',
    'Does early childhood education reduce school dropout?',
    'Impact of one-to-one tutoring on mathematics achievement of disadvantaged pupils',
  ],
  ecology: [
    'How do invasive crayfish affect macroinvertebrate diversity in streams?',
    'Does rewilding increase carbon storage in temperate grasslands?',
    'What drives coral bleaching on the Great Barrier Reef?',
    'Effects of neonicotinoids on wild bees',
    'Do wildlife corridors reduce roadkill of large mammals?',
    'Relationship between deforestation and malaria incidence in the Amazon',
  ],
  economics: [
    'Does immigration lower wages of native workers?',
    'What is the effect of carbon taxes on household consumption?',
    'Do conditional cash transfers improve school attendance in Latin America?',
    'How does monetary policy affect income inequality?',
    'Rent control and housing supply',
    'Does microfinance reduce poverty among women in rural Bangladesh?',
  ],
  'computer science': [
    'Do large language models hallucinate less with retrieval-augmented generation?',
    'How robust are convolutional neural networks to adversarial examples?',
    [
      'Static analysis versus fuzzing for finding memory safety bugs in C++',
      'no source searches the signs of C++',
    ],
    'Does pair programming improve code quality?',
    'Energy consumption of proof-of-work blockchains',
    'What are the methods for differential privacy in federated learning?',
  ],
  physics: [
    'What causes high-temperature superconductivity in cuprates?',
    'How do neutron star mergers produce heavy elements?',
    'Limits on dark matter from direct detection experiments with xenon',
    'Does quantum entanglement survive in photosynthetic light harvesting?',
    'Effect of strain on the band gap of MoS2 monolayers',
    'Are gamma-ray bursts associated with supernovae?',
  ],
  psychology: [
    'Does mindfulness meditation reduce anxiety in university students?',
    'What is the relationship between social media use and loneliness in adolescents?',
    'Cognitive behavioural therapy compared with medication for panic disorder',
    'Does growth mindset predict academic performance?',
    'The bystander effect in online harassment',
    'How does sleep deprivation affect working memory?',
  ],
  law: [
    'Does the death penalty deter homicide?',
    'What is the effect of mandatory sentencing on prison populations in the United States?',
    'Impact of the GDPR on the use of third-party cookies',
    'How do constitutional courts protect freedom of speech?',
    'Does legal aid improve access to justice for migrants?',
    [
      'Restorative justice and recidivism of juvenile offenders',
      'the two are held against each other, and would be joined by AND',
    ],
  ],
  history: [
    'How did the Black Death affect wages in England?',
    'What caused the decline of the Ottoman Empire?',
    'Women and the printing trade in early modern Europe',
    'Effect of railways on urban growth in nineteenth-century India',
    ['Did the Marshall Plan speed up economic recovery?', 'speed is a verb here, inside the name'],
    'Relationship between the slave trade and the Industrial Revolution',
  ],
}

export interface Line extends Question {
  groups: string
  query: string
  /** Content words that are neither searched nor listed as left out. */
  lost: string[]
}

export function readQuestions(): Line[] {
  return Object.entries(FIELDS).flatMap(([field, questions]) =>
    questions.map((one): Line => {
      const [question, wrong] = typeof one === 'string' ? [one] : one
      const query = frame(question)
      const [step] = strictSteps(query)
      const groups = query.concepts.map(({ role, terms, required }) => {
        const text = terms.join(' / ')
        return required ? `${role}: ${text}` : `(${text})`
      })
      const told = [
        ...query.concepts.flatMap(({ terms }) => terms),
        ...query.left_out.map(({ word }) => word),
      ]
      const stems = new Set(told.flatMap(words))
      const asked = question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
      const lost = asked.filter(
        (word) => !FUNCTION_WORDS.has(word) && !words(word).every((stem) => stems.has(stem)),
      )
      return {
        field,
        question,
        ...(wrong !== undefined && { wrong }),
        groups: groups.join(' | '),
        query: step
          ? render(step.expression, ({ term, form }) => (form === 'phrase' ? `"${term}"` : term))
          : '',
        lost,
      }
    }),
  )
}

/** Formats four lines per question. */
export function printed(lines: readonly Line[]): string {
  return lines
    .map(({ field, question, groups, query, wrong, lost }) => {
      const faults = [wrong, lost.length > 0 ? `lost: ${lost.join(', ')}` : undefined].filter(Boolean)
      return `${field}: ${question}\n  groups ${groups}\n  query  ${query}\n  wrong  ${faults.join('; ') || '–'}`
    })
    .join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(printed(readQuestions()))

/**
 * How time and memory of steps 4 to 10 grow: reviews of 500 to 4,000 records from four sources.
 * Run it with `node --expose-gc --import=tsx packages/literature/bench/ranking-scaling.ts`.
 */
import { pathToFileURL } from 'node:url'
import { frame } from '../frame.ts'
import { emptyRecord, type SourceRecord } from '../paper.ts'
import { findingsOf } from '../steps.ts'
import { render } from '../write.ts'

export interface Scaling {
  records: number
  papers: number
  /** Fastest run. */
  ms: number
  /** Heap growth in MiB, measured after the last step while all results are still held. */
  mib: number
}

export interface Growth {
  sizes: Scaling[]
  /** Growth in time from the smallest to the largest size, divided by that of n log n: above 1 is worse than n log n. */
  ratio: number
}

const SIZES = [500, 1000, 2000, 4000]
const RUNS = 3
const SOURCES = ['pubmed', 'europepmc', 'openalex', 'crossref']
const QUESTION = 'Does intermittent fasting lower blood pressure in adults?'

export async function main(): Promise<Growth> {
  // Warm-up: compiles the code and is not measured.
  await review(recordsOf(500))
  const sizes: Scaling[] = []
  for (const size of SIZES) {
    const records = recordsOf(size)
    const runs = [await review(records)]
    while (runs.length < RUNS) runs.push(await review(records))
    const best = runs.reduce((a, b) => (a.ms <= b.ms ? a : b))
    const mib = Math.min(...runs.map((run) => run.mib))
    sizes.push({ records: size, papers: best.papers, ms: best.ms, mib })
  }
  const [first, last] = [sizes[0] as Scaling, sizes.at(-1) as Scaling]
  const nlogn = (n: number) => n * Math.log(n)
  const ratio = last.ms / first.ms / (nlogn(last.records) / nlogn(first.records))
  console.log('Steps 4 to 10 of the literature review')
  console.log('  records  papers      ms     MiB')
  for (const { records, papers, ms, mib } of sizes) {
    console.log(
      `  ${String(records).padStart(7)} ${String(papers).padStart(7)} ${ms.toFixed(0).padStart(7)} ${mib.toFixed(1).padStart(7)}`,
    )
  }
  console.log(`  growth over that of n log n: ${ratio.toFixed(2)} (1 = just so, below = slower growth)`)
  return { sizes, ratio }
}

async function review(records: SourceRecord[]): Promise<{ papers: number; ms: number; mib: number }> {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const begun = performance.now()
  const findings = await findingsOf(
    { question: QUESTION, inputs: { sources: ['pubmed'], max_results: 200 } },
    frame(QUESTION),
    { searches: [], records, completions: [] },
    null,
  )
  const { review: whole, files } = render(findings)
  const ms = performance.now() - begun
  const mib = (process.memoryUsage().heapUsed - before) / 1024 / 1024
  if (files.length === 0) throw new Error('no file was made')
  return { papers: whole.counts.screened, ms, mib }
}

const SUBJECTS = [
  'Intermittent fasting',
  'Time-restricted eating',
  'Alternate-day fasting',
  'The 5:2 diet',
  'Salt',
  'Walking',
]
const OUTCOMES = [
  'blood pressure',
  'hypertension',
  'cholesterol',
  'body weight',
  'sleep',
  'heart rate',
  'stroke',
]
const GROUPS = [
  'adults',
  'nurses',
  'shift workers',
  'students',
  'outpatients',
  'veterans',
  'office workers',
  'twins',
]
const PLACES = [
  'a city',
  'nine centres',
  'primary care',
  'a registry',
  'a pilot',
  'two regions',
  'a hospital',
  'a survey',
]

/** Two thirds are distinct papers; one third repeats them from another source. Two abstracts in ten are missing. */
function recordsOf(count: number): SourceRecord[] {
  const next = generator(count)
  const pick = <T>(from: readonly T[]) => from[next(from.length)] as T
  const works = Math.floor((count * 2) / 3)
  const titles = Array.from({ length: works }, (_, at) => {
    const title = `${pick(SUBJECTS)} and ${pick(OUTCOMES)} in ${pick(GROUPS)}: results from ${pick(PLACES)} ${pick(GROUPS)} ${pick(OUTCOMES)} ${at % 97}`
    return {
      title,
      family: `Surname${next(Math.ceil(works / 4))}`,
      year: 1995 + next(30),
      doi: next(3) > 0 ? `10.5555/b.${at}` : null,
    }
  })
  return Array.from({ length: count }, (_, at) => {
    const { title, family, year, doi } = titles[at % works] as (typeof titles)[number]
    const source = SOURCES[at % SOURCES.length] as string
    const size = 20 + next(900)
    return {
      ...emptyRecord(source, String(at)),
      title: next(20) === 0 ? title.replace('results', 'result') : title,
      doi,
      year,
      authors: [
        { family, given: 'A' },
        { family: `Other${next(500)}`, given: 'B' },
      ],
      journal: 'Example Journal',
      language: 'en',
      cited_by: next(400),
      publication_types: [
        'Journal Article',
        pick(['Review', 'Randomized Controlled Trial', 'Observational Study']),
      ],
      abstract:
        next(10) < 2
          ? null
          : `<h4>Background</h4>${title} is little studied. <h4>Methods</h4>We enrolled ${size} adults over ${next(52)} weeks. ` +
            `<h4>Results</h4>${pick(OUTCOMES)} fell by ${next(90) / 10} units (p < 0.05). Blood pressure was measured in all. ` +
            `<h4>Conclusions</h4>${pick(SUBJECTS)} may be considered for ${pick(GROUPS)}.`,
    }
  })
}

/** A seeded generator: the same numbers on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()

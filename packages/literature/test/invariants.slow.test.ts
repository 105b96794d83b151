/** Invariants of every review, checked on thousands of generated records. */
import fc from 'fast-check'
import t from 'tap'
import type { LiteratureInputs } from '../../../contract/literature.ts'
import { frame } from '../frame.ts'
import { emptyRecord, NOTICE_TYPES, type SourceRecord } from '../paper.ts'
import type { LiteratureReview } from '../schema.ts'
import { findingsOf } from '../steps.ts'
import { render } from '../write.ts'
import { QUESTION } from './service-client.ts'

const SOURCES = ['europepmc', 'pubmed', 'openalex', 'import:Embase'] as const
/** How many more hits each source reports than it returns. */
const UNREAD = 7

/** Small pools, so that equal identifiers, titles and authors are frequent, and texts of every kind. */
const words = fc.constantFrom(
  'intermittent fasting',
  'blood pressure',
  'stroke',
  'mice',
  'part 1',
  'part 2',
  'ünïcode',
  '断食',
  'a & b',
  '{x}',
  '<i>y</i>',
  'protocol',
  '',
)
const line = fc.oneof(
  { weight: 4, arbitrary: fc.array(words, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(' ')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
)
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null })
const author = fc.oneof(
  fc.record({
    family: fc.constantFrom('Okonjo', 'Nwosu', 'van der Berg', '田中'),
    given: maybe(fc.constantFrom('A', 'Tomás')),
  }),
  fc.record({ literal: fc.constantFrom('The Group and Friends', 'WHO, Geneva') }),
)
const record: fc.Arbitrary<SourceRecord> = fc
  .record({
    source: fc.constantFrom(...SOURCES),
    raw_id: fc.integer({ min: 1, max: 10_000 }).map(String),
    doi: maybe(fc.integer({ min: 1, max: 12 }).map((n) => `https://doi.org/10.5555/X${n}`)),
    pmid: maybe(fc.integer({ min: 1, max: 12 }).map(String)),
    pmcid: maybe(fc.integer({ min: 1, max: 12 }).map((n) => `PMC${n}`)),
    title: line,
    authors: fc.array(author, { maxLength: 3 }),
    year: maybe(fc.integer({ min: 2015, max: 2025 })),
    journal: maybe(line),
    pages: maybe(fc.constantFrom('1-9', 'e12', '101–9')),
    abstract: maybe(fc.array(line, { maxLength: 5 }).map((parts) => parts.join('. '))),
    publication_types: fc.subarray(['Review', 'Randomized Controlled Trial', 'Preprint']),
    cited_by: maybe(fc.nat(500)),
    language: maybe(fc.constantFrom('eng', 'jpn', 'de', '?')),
    retracted: fc.boolean(),
    preprint: fc.boolean(),
    notice: fc.oneof(
      { weight: 6, arbitrary: fc.constant(null) },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constantFrom(...NOTICE_TYPES),
          about: fc.array(
            fc.integer({ min: 1, max: 12 }).map((n) => ({ doi: `10.5555/x${n}`, pmid: null })),
            { maxLength: 2 },
          ),
        }),
      },
    ),
  })
  .map((fields) => ({ ...emptyRecord(fields.source, fields.raw_id), ...fields }))
const records = fc.uniqueArray(record, {
  maxLength: 40,
  selector: ({ source, raw_id }) => `${source} ${raw_id}`,
})
const inputs: fc.Arbitrary<LiteratureInputs> = fc.record(
  {
    max_results: fc.integer({ min: 1, max: 10 }),
    year_from: fc.integer({ min: 2014, max: 2020 }),
    year_to: fc.integer({ min: 2020, max: 2026 }),
    study_types: fc.constantFrom(
      ['review' as const],
      ['randomized_controlled_trial' as const, 'other' as const],
    ),
    include_keywords: fc.constant(['stroke']),
    exclude_keywords: fc.constant(['mice']),
    language: fc.constantFrom('en', 'ja'),
    require_abstract: fc.boolean(),
    decisions: fc.dictionary(
      fc.integer({ min: 1, max: 14 }).map((n) => `doi:10.5555/X${n}`),
      fc.record({
        decision: fc.constantFrom('include' as const, 'exclude' as const),
        reason: fc.constant('read'),
      }),
      { maxKeys: 5 },
    ),
  },
  { requiredKeys: [] },
)

async function reviewOf(found: readonly SourceRecord[], options: LiteratureInputs) {
  const searches = SOURCES.map((source) => {
    const own = found.filter((one) => one.source === source)
    return {
      source,
      kind: source.startsWith('import') ? ('imported' as const) : ('searches' as const),
      plan: null,
      total: source.startsWith('import') ? own.length : own.length + UNREAD,
      records: own,
      searched_at: null,
      failure: null,
    }
  })
  const searched = { searches, records: searches.flatMap((one) => one.records), completions: [] }
  const asked = {
    question: QUESTION,
    inputs: {
      max_results: 25,
      ...options,
      sources: ['europepmc' as const, 'pubmed' as const, 'openalex' as const],
    },
  }
  return render(await findingsOf(asked, frame(QUESTION), searched, null))
}

const sum = (values: Record<string, number>) => Object.values(values).reduce((all, one) => all + one, 0)
type Files = Record<string, string>
type Check = (
  review: LiteratureReview,
  found: SourceRecord[],
  options: LiteratureInputs,
  files: Files,
) => boolean
const checks: [name: string, check: Check][] = []
const holds = (name: string, check: Check) => void checks.push([name, check])

holds(
  'identified = unread + read, read = unusable + duplicates + notices + screened',
  ({ counts, notices }, found) => {
    return (
      counts.read === found.length &&
      counts.identified === counts.unread + counts.read &&
      counts.unread === 3 * UNREAD &&
      counts.notices === notices.length &&
      counts.read === counts.unusable + counts.duplicates + counts.notices + counts.screened
    )
  },
)

holds('the flow has the same counts, by source too', (review, _found, _options, files) => {
  const { identification, screening, included } = JSON.parse(files['prisma.json'] ?? '')
  return (
    sum(identification.by_source) === review.counts.identified &&
    sum(identification.read_by_source) === review.counts.read &&
    sum(identification.unread_by_source) === review.counts.unread &&
    screening.records_screened === review.counts.screened &&
    included.studies_included === review.counts.included
  )
})

holds(
  'a notice is not a paper, and is about papers of the review',
  ({ notices, papers, uncertain, excluded }) => {
    const ids = new Set([...papers, ...uncertain, ...excluded].map(({ id }) => id))
    return notices.every(({ id, about }) => !ids.has(id) && about.every((one) => ids.has(one)))
  },
)

holds('what a notice takes back is not included, unless a person did', ({ notices, papers }) => {
  const back = new Set(
    notices
      .filter(({ type }) => type === 'retraction' || type === 'withdrawal')
      .flatMap(({ about }) => about),
  )
  return papers.every(({ id, screening }) => !back.has(id) || screening.ruled !== undefined)
})

holds(
  'a person’s decisions are followed and told',
  ({ papers, uncertain, excluded, counts, undecided }, _found, { decisions = {} }) => {
    const by = (id: string) =>
      Object.entries(decisions).find(([key]) => key.toLowerCase() === id)?.[1].decision
    const decided = [...papers.map(({ screening }) => screening), ...excluded].filter(({ ruled }) => ruled)
    return (
      papers.every(({ id }) => by(id) !== 'exclude') &&
      excluded.every(({ id }) => by(id) !== 'include') &&
      uncertain.every(({ id, screening }) => by(id) === undefined && screening.ruled === undefined) &&
      decided.length === counts.decided_by_person &&
      decided.every(
        ({ rule, reason }) => rule === 'decided_by_person' && reason === 'a person decided: read',
      ) &&
      undecided.every((key) => key in decisions)
    )
  },
)

holds('each list is exported whole, with one key for each paper', (review, _found, _options, files) => {
  const lists = { references: review.papers, uncertain: review.uncertain, excluded: review.excluded }
  const keys = Object.entries(lists).flatMap(([name, papers]): string[] => {
    const items: { id: string; custom: { id: string } }[] = JSON.parse(files[`${name}.csl.json`] ?? '')
    const entries = (files[`${name}.ris`] ?? '').match(/^TY {2}- /gm)?.length ?? 0
    const same =
      JSON.stringify(items.map(({ custom }) => custom.id)) === JSON.stringify(papers.map(({ id }) => id))
    return same && entries === papers.length ? items.map(({ id }) => id) : ['differs']
  })
  return new Set(keys).size === keys.length && !keys.includes('differs')
})

holds(
  'screened = included + excluded + uncertain, and rules add up',
  ({ counts, papers, uncertain, excluded }) => {
    return (
      counts.screened === counts.included + counts.excluded + counts.uncertain &&
      counts.excluded === sum(counts.excluded_by_rule) &&
      counts.uncertain === sum(counts.uncertain_by_rule) &&
      papers.length === counts.included &&
      uncertain.length === counts.uncertain &&
      excluded.length === counts.excluded
    )
  },
)

holds('every record is in exactly one paper, every paper in exactly one list', (review, found) => {
  const listed = [...review.papers, ...review.uncertain]
  const ids = [...listed, ...review.excluded].map(({ id }) => id)
  const refs = listed.flatMap((paper) => paper.records.map(({ source, id }) => `${source} ${id}`))
  const known = new Set(found.map(({ source, raw_id }) => `${source} ${raw_id}`))
  return (
    new Set(ids).size === ids.length &&
    new Set(refs).size === refs.length &&
    refs.every((ref) => known.has(ref))
  )
})

holds('every id that is cited exists', (review) => {
  const ids = new Set([...review.papers, ...review.uncertain, ...review.excluded].map(({ id }) => id))
  const cited = review.summary.themes.flatMap(({ paper_ids }) => paper_ids)
  const related = [...review.papers, ...review.uncertain].flatMap((paper) =>
    paper.related.map(({ id }) => id),
  )
  const included = new Set(review.papers.map(({ id }) => id))
  return related.every((id) => ids.has(id)) && cited.every((id) => included.has(id))
})

holds('spans are where they say', (review) =>
  [...review.papers, ...review.uncertain].every(
    ({ abstract, extraction: { sample_size, results, conclusions } }) =>
      [...(sample_size ? [sample_size] : []), ...results, ...conclusions].every(
        ({ text, start, end }) => abstract?.slice(start, end) === text,
      ),
  ),
)

holds('options are obeyed by whatever is included', ({ papers, uncertain }, _found, options) => {
  const { year_from = 0, year_to = 9999, max_results = 25, language, require_abstract } = options
  const ruled = papers.filter(({ screening }) => !screening.ruled)
  return (
    ruled.length <= max_results &&
    uncertain.length <= max_results &&
    ruled.every(
      (paper) =>
        !paper.retracted &&
        paper.abstract !== null &&
        (language === undefined || paper.languages.includes(language)),
    ) &&
    (options.year_from === undefined && options.year_to === undefined
      ? true
      : ruled.every(({ year }) => year !== null && year >= year_from && year <= year_to)) &&
    (!require_abstract || uncertain.every(({ abstract }) => abstract !== null))
  )
})

holds('the score is the sum of its parts, and orders the papers', ({ papers }) =>
  papers.every(({ ranking }, at) => {
    const parts = ranking.parts.reduce((all, { share }) => all + share, 0)
    return Math.abs(parts - ranking.score) < 1e-5 && ranking.score <= (papers[at - 1]?.ranking.score ?? 1)
  }),
)

holds(
  'no two papers share a DOI or PMID; papers linked by a title had none that differ',
  ({ papers, uncertain }) => {
    for (const field of ['doi', 'pmid'] as const) {
      const values = [...papers, ...uncertain].flatMap((paper) => paper[field] ?? [])
      if (new Set(values).size !== values.length) return false
    }
    return true
  },
)

t.test('every review of any records', async (t) => {
  t.ok(checks.length >= 8)
  await fc.assert(
    fc.asyncProperty(records, inputs, async (found, options) => {
      const { review, files } = await reviewOf(found, options)
      for (const [name, check] of checks)
        if (!check(review, found, options, Object.fromEntries(files)))
          throw new Error(`does not hold: ${name}`)
    }),
    { numRuns: 250 },
  )
})

t.test('a second run on the same records is byte-identical', async (t) => {
  await fc.assert(
    fc.asyncProperty(records, inputs, async (found, options) => {
      const one = await reviewOf(found, options)
      const two = await reviewOf(structuredClone(found), structuredClone(options))
      return JSON.stringify(one.files) === JSON.stringify(two.files)
    }),
    { numRuns: 40 },
  )
  t.pass()
})

t.test("the order of the sources' answers does not affect which records are linked", async (t) => {
  await fc.assert(
    fc.asyncProperty(records, fc.infiniteStream(fc.nat()), async (found, order) => {
      const shuffled = found
        .map((one) => ({ one, key: order.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one)
      const shape = async (all: SourceRecord[]) => {
        const { review } = await reviewOf(all, { max_results: 200 })
        const listed = [...review.papers, ...review.uncertain].map((paper) => [
          paper.id,
          paper.title,
          paper.records.map(({ source, id }) => `${source} ${id}`),
        ])
        return JSON.stringify([listed.sort(), review.excluded, review.notices])
      }
      return (await shape(found)) === (await shape(shuffled))
    }),
    { numRuns: 40 },
  )
  t.pass()
})

/** Stage 2 with the four imitated sources: working, failing, unreachable, and cancelled. */
import t from 'tap'
import { connect } from './connected.ts'
import { fakeClock } from './fake-clock.ts'
import { hangUp, imitate, silence, status } from './imitation.ts'
import { LIBRARY } from './imitation-library.ts'
import { stageOver } from './literature-work.ts'

const ALL = { sources: ['europepmc', 'pubmed', 'openalex', 'crossref'] }
type Test = Parameters<typeof imitate>[0]

async function open(t: Test, { requestMs = 30_000, cacheMs = 3_600_000 } = {}) {
  const imitation = await imitate(t)
  const clock = fakeClock()
  const { all } = connect(t, imitation, clock, { requestMs })
  const { work } = stageOver(
    t,
    [...all.values()].filter(({ name }) => name !== 'sample'),
    cacheMs,
    clock,
  )
  return { imitation, clock, work }
}

t.test('four sources, one review', async (t) => {
  const { work } = await open(t)
  const { review, steps, files } = await work({ inputs: ALL })
  const { counts } = review
  t.match(review, {
    degraded: false,
    warnings: [],
    notice: null,
    source: 'europepmc,pubmed,openalex,crossref',
  })
  // 7 of Europe PMC, 7 of OpenAlex, 6 of PubMed; seven papers.
  t.match(counts, { identified: 20, unusable: 0, duplicates: 13, screened: 7 })
  t.match(
    steps.map(({ message }) => message),
    [/concept/, 'queries planned, from strict to broad: europepmc, pubmed, openalex'],
  )
  t.ok(steps.some(({ message }) => message === '20 records from 3 sources'))
  t.ok(steps.some(({ message }) => message === '13 duplicates linked, 7 papers left'))
  const first = review.papers.find(({ doi }) => doi === '10.5555/imitation.1')
  t.match(
    first?.records.map(({ source }) => source),
    ['europepmc', 'openalex', 'pubmed'],
  )
  t.match(first?.field_sources, { title: 'pubmed', pmcid: 'pubmed', cited_by: 'openalex' })
  t.match(first?.extraction, {
    sample_size: { value: 142 },
    results: [{ by: 'label' }, { by: 'label' }],
    conclusions: [{ by: 'label' }],
  })
  const completed = [...review.papers, ...review.uncertain].find(({ doi }) => doi === '10.5555/imitation.3')
  t.equal(completed?.field_sources.abstract, 'crossref', 'Crossref had the abstract nobody else has')
  t.match(
    review.excluded.find(({ id }) => id === 'doi:10.5555/imitation.2'),
    { rule: 'retracted' },
  )
  t.match(
    review.uncertain.find(({ id }) => id === 'doi:10.5555/imitation.6'),
    {
      screening: {
        rule: 'part_of_question',
        criteria: { missed: ['intermittent fasting', 'cardiovascular health'] },
      },
    },
    'samples taken after fasting: half of a concept is a doubt, for a person to settle',
  )
  t.match(
    review.uncertain.find(({ id }) => id === 'doi:10.5555/imitation.5'),
    { screening: { rule: 'other_language_text' } },
  )
  const preprint = review.papers.find((paper) => paper.preprint)
  t.strictSame(preprint?.related, [{ id: 'doi:10.5555/imitation.4', relation: 'article' }])

  const log = JSON.parse(files['search_log.json'] ?? '')
  t.match(log.searches, [
    {
      source: 'europepmc',
      role: 'searches',
      request: { query: /TITLE_ABS/ },
      hits: 7,
      records_read: 7,
      searched_at: /^2026-01-01T/,
      failure: null,
    },
    { source: 'pubmed' },
    { source: 'openalex' },
    { source: 'crossref', role: 'completes', request: { filter: /^doi:/ } },
  ])
  const flow = JSON.parse(files['prisma.json'] ?? '')
  t.match(flow.identification, {
    records_identified: 20,
    by_source: { europepmc: 7, pubmed: 6, openalex: 7 },
  })
})

t.test('one source is slow, one fails, one does not answer: the review completes and says so', async (t) => {
  const { imitation, clock, work } = await open(t, { requestMs: 100 })
  imitation.fail('europepmc', [status(429, { 'retry-after': '4' })])
  imitation.fail('pubmed', [], status(500))
  imitation.fail('openalex', [], silence)
  const { review, outcome, steps } = await work({ inputs: ALL })
  t.ok(clock.waits.includes(4000), 'what Retry-After asked for was waited')
  t.equal(review.degraded, true)
  t.strictSame(review.warnings, [
    {
      source: 'pubmed',
      code: 'server_error',
      message: 'PubMed failed: it answered with status 500: "no"',
    },
    { source: 'openalex', code: 'timeout', message: 'OpenAlex failed: it took too long to answer' },
  ])
  t.match(outcome.results, { degraded: true, warnings: review.warnings })
  t.match(review.counts, { identified: 7, screened: 7 })
  t.ok(steps.some(({ message }) => message === '7 records from 1 source; degraded, without pubmed, openalex'))
  t.match(review.summary.text, /Incomplete: PubMed and OpenAlex could not be searched\./)
  t.ok(
    review.summary.limitations.some((line) => line === 'PubMed failed: it answered with status 500: "no".'),
  )
})

t.test(
  'papers about to be included are looked up at Crossref, and retracted ones are replaced',
  async (t) => {
    const { imitation, work } = await open(t)
    const whole = LIBRARY.filter(({ abstract }) => abstract !== null)
    const [first] = whole
    if (!first) return t.fail('no record')
    // None of the searched sources knows about the retraction.
    imitation.hold('europepmc', [first, ...whole.slice(2)])
    imitation.hold('crossref', [{ ...first, retracted: true }])
    const { review, files } = await work({ inputs: { sources: ['europepmc', 'crossref'] } })
    t.match(
      review.excluded.find(({ id }) => id === `doi:${first.doi}`),
      { rule: 'retracted' },
    )
    t.notOk(review.papers.some(({ doi }) => doi === first.doi))
    t.match(JSON.parse(files['search_log.json'] ?? '').searches.at(-1), {
      source: 'crossref',
      request: { filter: /imitation\.1/ },
    })
  },
)

t.test('a notice is listed separately, linked to its paper, and marks it', async (t) => {
  const { imitation, work } = await open(t)
  const [first] = LIBRARY
  if (!first) return t.fail('no record')
  const notice = {
    ...first,
    pmid: '90000099',
    pmcid: null,
    doi: '10.5555/imitation.99',
    title: `Expression of Concern: ${first.title}`,
    types: ['Journal Article', 'Expression of Concern'],
    abstract: null,
  }
  imitation.hold('europepmc', [first, notice])
  const { review } = await work({ inputs: { sources: ['europepmc'] } })
  t.match(review.counts, { identified: 2, notices: 1, screened: 1, included: 1 })
  t.match(review.notices, [
    { id: 'doi:10.5555/imitation.99', type: 'expression_of_concern', about: [`doi:${first.doi}`] },
  ])
  t.match(review.papers, [
    { retracted: false, notices: [{ type: 'expression_of_concern', doi: '10.5555/imitation.99' }] },
  ])
})

t.test('if only Crossref is unreachable, only its completions are missing', async (t) => {
  const { imitation, work } = await open(t)
  imitation.fail('crossref', [], status(503))
  const { review } = await work({ inputs: ALL })
  t.match(review, {
    degraded: true,
    warnings: [{ source: 'crossref', code: 'server_error' }],
    counts: { identified: 20 },
  })
})

t.test(
  'if all sources are unreachable, the error is retryable, and the next attempt asks again',
  async (t) => {
    const { imitation, work } = await open(t)
    for (const name of ['europepmc', 'pubmed', 'openalex', 'crossref'] as const)
      imitation.fail(name, [], hangUp)
    await t.rejects(work({ inputs: ALL }), {
      code: 'SOURCES_UNREACHABLE',
      status: 503,
      retryable: true,
      message: /europepmc: it could not be reached.*pubmed.*openalex/,
    })
    imitation.fail('europepmc', [])
    t.match((await work({ inputs: ALL })).review, { degraded: true, counts: { identified: 7 } })
  },
)

t.test('a search without hits gives an empty review', async (t) => {
  const { imitation, work } = await open(t)
  for (const name of ['europepmc', 'pubmed', 'openalex'] as const) imitation.hold(name, [])
  const { review } = await work({ inputs: ALL })
  t.match(review, { degraded: false, counts: { identified: 0, screened: 0, included: 0 }, papers: [] })
  t.equal(imitation.count('crossref'), 0, 'nothing to complete')
})

t.test('a retry asks only the sources that failed', async (t) => {
  const { imitation, clock, work } = await open(t)
  imitation.fail('pubmed', [], status(500))
  const first = await work({ inputs: ALL })
  t.equal(first.review.degraded, true)
  const asked = imitation.count('europepmc') + imitation.count('openalex')
  imitation.fail('pubmed', [])
  clock.advance(60_000)
  const second = await work({
    inputs: ALL,
    question: 'what ARE effects of  intermittent fasting, on cardiovascular health',
  })
  t.equal(second.review.degraded, false)
  t.equal(
    imitation.count('europepmc') + imitation.count('openalex'),
    asked,
    'also for other words of the same question',
  )
  t.ok(second.steps.some(({ message }) => /^europepmc: 7 of 7 hits read.*, from the cache$/.test(message)))

  const before = imitation.requests.length
  const third = await work({ inputs: ALL })
  t.equal(imitation.requests.length, before)
  clock.advance(1000)
  t.strictSame((await work({ inputs: ALL })).files, third.files, 'the same bytes, at another hour')
  clock.advance(3_600_000)
  await work({ inputs: ALL })
  t.ok(imitation.requests.length > before, 'what is too old is asked for again')
})

t.test('cancelling aborts the running requests and sends no others', async (t) => {
  const { imitation, work } = await open(t)
  for (const name of ['europepmc', 'pubmed', 'openalex'] as const) imitation.fail(name, [], silence)
  const controller = new AbortController()
  const working = work({ inputs: ALL, signal: controller.signal })
  working.catch(() => undefined)
  while (imitation.open() < 3) await imitation.arrival()
  const reason = new Error('cancelled')
  controller.abort(reason)
  await t.rejects(working, reason)
  await imitation.quiet()
  t.equal(imitation.requests.length, 3)
})

t.test('cancelling while it waits for a source', async (t) => {
  const { imitation, clock, work } = await open(t)
  const controller = new AbortController()
  imitation.fail('europepmc', [], (request, response) => {
    status(429, { 'retry-after': '30' })(request, response)
    controller.abort(new Error('cancelled'))
  })
  await t.rejects(work({ inputs: { sources: ['europepmc'] }, signal: controller.signal }), {
    message: 'cancelled',
  })
  t.equal(imitation.requests.length, 1)
  t.notOk(clock.waits.includes(30_000))
})

/** Stage 2 as a whole, on the shipped sample: options obeyed, counts that add up, the same bytes twice. */
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { LiteratureReview } from '../schema.ts'
import { SAMPLE_RECORDS, sample } from '../sources/sample.ts'
import { FILES } from './files.ts'
import { stageOver } from './literature-work.ts'
import { QUESTION, stageRequest } from './service-client.ts'

t.test('the question of the demo', async (t) => {
  const { outcome, review, steps, files } = await stageOver(t).work()
  t.ok(review.papers.length >= 15)
  t.equal(review.papers.at(0)?.doi, '10.5555/sample.2022.009', 'both concepts in its title: it leads')
  t.strictSame(outcome.artifacts, FILES)
  t.strictSame(Object.keys(files).sort(), [...FILES].sort(), 'exactly what is named is written')
  t.match(outcome.results, { source: 'sample', notice: /invented/, counts: review.counts, top_papers: Array })
  t.match(outcome.results, { degraded: false, warnings: [] })
  t.ok(steps.length >= 10 && steps.every(({ percent }) => percent > 0 && percent < 100))
  const told = steps.map(({ message }) => message).join('\n')
  for (const line of [
    /^question framed: 2 concepts, \d+ search terms$/m,
    /^queries planned, from strict to broad: sample$/m,
    new RegExp(`^${review.counts.identified} records from 1 source$`, 'm'),
    /^0 duplicates linked, \d+ papers left$/m,
    new RegExp(`^screened: ${review.counts.included} included, 1 excluded, 2 uncertain$`, 'm'),
    /^13 files written, \d+ KiB$/m,
  ]) {
    t.match(told, line)
  }
  t.notMatch(told, /fasting|cardio/i, 'no step quotes the question')
  t.match(review, { source: 'sample', notice: /invented/, question: QUESTION, summary: { source: 'sample' } })
  t.match(review.summary.text, /Sample data: every record/)
  for (const paper of review.papers) {
    t.match(paper, { source: 'sample', doi: /^10\.5555\//, why: /^Mentions /, screening: { rule: 'all' } })
    t.ok(paper.matched_terms.length > 0 && paper.ranking.score > 0)
  }
  const entry = ({ doi }: { doi: string | null }) => doi ?? ''
  t.notOk(review.papers.some((paper) => entry(paper).endsWith('.012')))
  t.match(
    review.excluded.find(({ id }) => id.endsWith('.012')),
    { rule: 'retracted', reason: 'it was retracted' },
  )
  t.strictSame(review.uncertain.map(({ screening }) => screening.rule).sort(), [
    'no_abstract',
    'part_of_question',
  ])
  const other = review.uncertain.find(({ screening }) => screening.rule === 'part_of_question')
  t.strictSame(other?.screening.criteria, {
    met: ['cardiovascular health'],
    missed: ['intermittent fasting'],
  })
  const preprint = review.papers.find((paper) => paper.preprint)
  t.match(preprint?.related, [{ relation: 'article' }], 'preprint and article know each other')
  const article = review.papers.find(({ id }) => id === preprint?.related[0]?.id)
  t.strictSame(article?.related, [{ id: preprint?.id, relation: 'preprint' }])
})

t.test('no paper is included for one word while undecided papers deal with more', async (t) => {
  const question = 'Does regular exercise improve sleep quality in older adults?'
  const { review } = await stageOver(t).work({ question })
  const labels = review.concepts.map(({ label }) => label)
  const covered = (papers: LiteratureReview['papers']) =>
    papers.map(({ screening }) => screening.criteria.met.filter((one) => labels.includes(one)).length)
  t.ok(Math.max(...covered(review.uncertain)) >= 2, 'undecided papers meet two concepts')
  t.ok(review.papers.length > 0)
  t.ok(
    covered(review.papers).every((count) => count > 0),
    'each included one meets a concept',
  )
  const fasting = review.uncertain.find(({ title }) => title.startsWith('Long-term fasting'))
  t.match(fasting?.screening, { decision: 'uncertain', rule: 'part_of_question', reason: /only one word/ })
  t.equal(review.counts.uncertain, review.uncertain.length)
})

t.test('the same question gives the same bytes, and each file its hash', async (t) => {
  const [one, two] = [await stageOver(t).work(), await stageOver(t).work()]
  t.strictSame(one.files, two.files)
  const described = one.outcome.results.files as { name: string; bytes: number; sha256: string }[]
  t.strictSame(
    described.map(({ name }) => name),
    FILES,
  )
  for (const { name, bytes, sha256 } of described) {
    const text = one.files[name] ?? ''
    t.strictSame(
      [Buffer.byteLength(text), createHash('sha256').update(text).digest('hex')],
      [bytes, sha256],
      name,
    )
  }
  t.strictSame(one.review.artifacts, described.slice(1), 'the review names the files beside it')
})

t.test('a question without a hit, or without a word, completes with no paper', async (t) => {
  const { work } = stageOver(t)
  for (const question of ['Does quantum gravity bend spoons?', 'What is it?', '!?']) {
    const { review, files } = await work({ question })
    t.match(review.counts, { identified: 0, screened: 0, excluded: 0, uncertain: 0, included: 0 }, question)
    t.strictSame([review.papers, review.degraded], [[], false])
    t.match(review.summary.text, /^(No record matches|The question contains no word)/)
    t.strictSame([files['references.bib'], files['references.ris']], ['', ''])
    t.strictSame(JSON.parse(files['references.csl.json'] ?? ''), [])
  }
})

t.test('every option is obeyed', async (t) => {
  const { work } = stageOver(t)
  const all = (await work()).review
  const papers = async (inputs: Record<string, unknown>) => {
    const { review } = await work({ inputs })
    t.ok(review.papers.length < all.papers.length, `${JSON.stringify(inputs)} leaves something out`)
    t.ok(review.papers.length > 0, 'and something in')
    t.match(review.inputs, inputs)
    return review.papers
  }
  t.ok((await papers({ year_from: 2020 })).every(({ year }) => year !== null && year >= 2020))
  t.ok((await papers({ year_to: 2018 })).every(({ year }) => year !== null && year <= 2018))
  const types = ['cohort', 'review']
  t.ok((await papers({ study_types: types })).every((paper) => types.includes(paper.study_type?.type ?? '')))
  t.ok((await papers({ language: 'ja' })).every(({ language }) => language === 'ja'))
  const textOf = ({ title, abstract }: { title: string; abstract: string | null }) => `${title} ${abstract}`
  const stiff = await papers({ include_keywords: ['Arterial Stiffness', 'strokes'] })
  t.ok(stiff.every((paper) => /arterial stiffness|stroke/i.test(textOf(paper))))
  t.notOk(
    (await papers({ exclude_keywords: ['blood pressures'] })).some((paper) =>
      /blood pressure/i.test(textOf(paper)),
    ),
  )
  t.strictSame(await papers({ max_results: 3 }), all.papers.slice(0, 3), 'the best ones stay')
  t.strictSame((await work({ inputs: { sources: ['sample'] } })).review.papers, all.papers)
  const whole = (await work({ inputs: { require_abstract: true } })).review
  t.match(whole.counts, { uncertain: 1, excluded_by_rule: { no_abstract: 1, retracted: 1 } })
})

t.test('options that make no sense are refused with a reason', async (t) => {
  const { stage } = stageOver(t)
  const refused = (inputs: Record<string, unknown>) => () => stage.validate(stageRequest({ inputs }))
  for (const [inputs, where] of [
    [{ max_results: 0 }, 'max_results'],
    [{ max_results: 201 }, 'max_results'],
    [{ max_results: '5' }, 'max_results'],
    [{ sources: [] }, 'sources'],
    [{ sources: 'sample' }, 'sources'],
    [{ sources: ['nonsense'] }, 'sources'],
    [{ sources: ['sample', 'pubmed'] }, 'sources: must not mix sample'],
    [{ sources: ['crossref'] }, 'sources: must name europepmc, pubmed or openalex'],
    [{ study_types: ['poem'] }, 'study_types'],
    [{ language: 'English' }, 'language'],
    [{ require_abstract: 1 }, 'require_abstract'],
    [{ year_from: 2021, year_to: 2020 }, 'year_from: must not be later than year_to'],
    [{ colour: 'red' }, 'colour'],
  ] as const) {
    const error = {
      status: 422,
      code: 'INVALID_INPUTS',
      retryable: false,
      message: new RegExp(`inputs/${where}`),
    }
    t.throws(refused(inputs), error)
  }
  t.throws(() => stage.validate(stageRequest({ research_question: null })), { code: 'QUESTION_MISSING' })
})

/** The arithmetic every review must pass. */
function addsUp(t: Test, { counts, papers, uncertain, excluded }: LiteratureReview): void {
  const sum = (values: Record<string, number>) => Object.values(values).reduce((all, one) => all + one, 0)
  t.equal(counts.identified, counts.unusable + counts.duplicates + counts.screened)
  t.equal(counts.screened, counts.included + counts.excluded + counts.uncertain)
  t.equal(counts.excluded, sum(counts.excluded_by_rule))
  t.equal(counts.uncertain, sum(counts.uncertain_by_rule))
  t.strictSame(
    [papers.length, uncertain.length, excluded.length],
    [counts.included, counts.uncertain, counts.excluded],
  )
}

t.test('the counts add up, whatever is asked', async (t) => {
  const { work } = stageOver(t)
  const questions = [
    QUESTION,
    'Do statins prevent dementia?',
    'exercise or depression',
    'antibiotics',
    'sleep',
  ]
  const options = [{}, { max_results: 1 }, { year_from: 2015, year_to: 2020, language: 'en', max_results: 2 }]
  for (const question of questions) {
    for (const inputs of options) {
      const { review } = await work({ question, inputs })
      t.ok(review.counts.identified > 0)
      addsUp(t, review)
      const scores = review.papers.map(({ ranking }) => ranking.score)
      t.strictSame(
        scores,
        [...scores].sort((a, b) => b - a),
      )
    }
  }
})

t.test('the shipped records', async (t) => {
  const { work } = stageOver(t)
  t.equal(SAMPLE_RECORDS.length, 63)
  t.equal(new Set(SAMPLE_RECORDS.map(({ id }) => id)).size, 63)
  t.equal(new Set(SAMPLE_RECORDS.map(({ doi }) => doi)).size, 63)
  t.ok(SAMPLE_RECORDS.every(({ doi }) => doi.startsWith('10.5555/')))
  for (const subject of ['fasting', 'statins', 'sleep', 'telemedicine', 'antibiotics', 'exercise']) {
    const { review } = await work({ question: `Tell me about ${subject}.`, inputs: { max_results: 200 } })
    t.ok(review.papers.length >= 6, subject)
  }
})

t.test('a stopped search throws', async (t) => {
  const plan = sample.plan({ term: 'fasting', form: 'word' }, {}, 100)
  await t.rejects(sample.search(plan, AbortSignal.abort()), { name: 'AbortError' })
})

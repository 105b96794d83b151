/** Stage 2 as a whole: options obeyed, counts that add up, the same bytes twice. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { frame } from '../../stage-service/literature/frame.ts'
import type { Review } from '../../stage-service/literature/report.ts'
import { sampleSource } from '../../stage-service/literature/sample/source.ts'
import { literatureStage, REVIEW_FILE } from '../../stage-service/literature/stage.ts'
import { QUESTION, stageRequest } from './service-client.ts'

const stage = literatureStage(['sample'])
const signal = new AbortController().signal

let folders = 0
async function work(t: Test, question: string, inputs: Record<string, unknown> = {}) {
  const name = `review-${folders++}`
  const dir = join(t.testdir({ [name]: {} }), name)
  const steps: { percent: number; message: string }[] = []
  const request = stageRequest({ research_question: question, inputs })
  stage.validate(request)
  const progress = async (percent: number, message: string) => void steps.push({ percent, message })
  const outcome = await stage.run(request, { signal, dir, progress })
  const text = await readFile(join(dir, REVIEW_FILE), 'utf8')
  return { outcome, steps, text, review: JSON.parse(text) as Review }
}

t.test('the question of the demo', async (t) => {
  const { outcome, review, steps } = await work(t, QUESTION)
  t.ok(review.papers.length >= 15)
  t.equal(review.papers.at(0)?.id, 'sample-009', 'the record with both concepts in its title leads')
  t.strictSame(outcome.artifacts, [REVIEW_FILE])
  t.match(outcome.results, { source: 'sample', notice: /invented/, counts: review.counts, top_papers: Array })
  t.ok(steps.length >= 5 && steps.every(({ percent }) => percent > 0 && percent < 100))
  t.match(steps[1]?.message, /^63 sample records read$/)
  t.match(steps[2]?.message, `${review.counts.identified} match the question`)
  t.ok(
    steps.every(({ message }) => !/fasting|cardio/i.test(message)),
    'no step quotes the question',
  )
  t.match(review, { source: 'sample', notice: /invented/, question: QUESTION, summary: { source: 'sample' } })
  t.match(review.summary.text, /Sample data: every record/)
  for (const paper of review.papers) {
    t.match(paper, {
      source: 'sample',
      doi: /^10\.5555\//,
      why: /^Deals with /,
      study_type: { type: String },
    })
    t.ok(paper.matched_terms.length > 0 && paper.score > 0)
  }
  t.notOk(
    review.papers.some(({ id }) => id === 'sample-012'),
    'the retracted trial is out',
  )
  t.match(
    review.excluded.find(({ id }) => id === 'sample-012'),
    { reason: 'retracted' },
  )
  const preprint = review.papers.find(({ id }) => id === 'sample-014')
  t.strictSame(preprint?.related_versions, ['sample-015'], 'preprint and article know each other')
})

t.test('the same question gives the same bytes', async (t) => {
  const [one, two] = [await work(t, QUESTION), await work(t, QUESTION)]
  t.equal(one.text, two.text)
})

t.test('a question without a hit, or without a word, completes with no paper', async (t) => {
  for (const question of ['Does quantum gravity bend spoons?', 'What is it?', '断食の効果は?', '!?']) {
    const { review } = await work(t, question)
    t.match(review.counts, { identified: 0, screened: 0, excluded: 0, included: 0 }, question)
    t.strictSame(review.papers, [])
    t.match(review.summary.text, /^(No sample record matches|The question holds no word)/)
  }
})

t.test('every option is obeyed', async (t) => {
  const all = (await work(t, QUESTION)).review
  const papers = async (inputs: Record<string, unknown>) => {
    const { review } = await work(t, QUESTION, inputs)
    t.ok(review.papers.length < all.papers.length, `${JSON.stringify(inputs)} leaves something out`)
    t.ok(review.papers.length > 0, 'and something in')
    return review.papers
  }
  t.ok((await papers({ year_from: 2020 })).every(({ year }) => year >= 2020))
  t.ok((await papers({ year_to: 2018 })).every(({ year }) => year <= 2018))
  const types = ['cohort', 'review']
  t.ok((await papers({ study_types: types })).every((paper) => types.includes(paper.study_type.type)))
  t.ok((await papers({ language: 'ja' })).every(({ language }) => language === 'ja'))
  t.ok((await papers({ require_abstract: true })).every(({ abstract }) => abstract !== null))
  const textOf = ({ title, abstract }: { title: string; abstract: string | null }) => `${title} ${abstract}`
  const stiff = await papers({ include_keywords: ['Arterial Stiffness', 'strokes'] })
  t.ok(stiff.every((paper) => /arterial stiffness|stroke/i.test(textOf(paper))))
  t.notOk(
    (await papers({ exclude_keywords: ['blood pressures'] })).some((paper) =>
      /blood pressure/i.test(textOf(paper)),
    ),
  )
  const few = await papers({ max_results: 3 })
  t.strictSame(few, all.papers.slice(0, 3), 'the best ones stay')
  t.strictSame((await work(t, QUESTION, { sources: ['sample'] })).review.papers, all.papers)
})

t.test('options that make no sense are refused with a reason', async (t) => {
  const refused = (inputs: Record<string, unknown>) => () => stage.validate(stageRequest({ inputs }))
  t.throws(refused({ sources: ['crossref'] }), {
    status: 422,
    code: 'SOURCE_UNAVAILABLE',
    message: /it has: sample/,
  })
  t.throws(refused({ sources: ['sample', 'nonsense'] }), { code: 'SOURCE_UNAVAILABLE', message: /nonsense/ })
  t.throws(refused({ year_from: 2021, year_to: 2020 }), {
    status: 422,
    message: /2021 is later than year_to, 2020/,
  })
  for (const [inputs, where] of [
    [{ max_results: 0 }, 'max_results'],
    [{ max_results: 201 }, 'max_results'],
    [{ max_results: '5' }, 'max_results'],
    [{ sources: [] }, 'sources'],
    [{ sources: 'sample' }, 'sources'],
    [{ study_types: ['poem'] }, 'study_types'],
    [{ language: 'English' }, 'language'],
    [{ require_abstract: 1 }, 'require_abstract'],
    [{ colour: 'red' }, 'colour'],
  ] as const) {
    t.throws(refused(inputs), { status: 422, code: 'INVALID_INPUTS', message: new RegExp(`inputs/${where}`) })
  }
  t.throws(() => stage.validate(stageRequest({ research_question: null })), { code: 'QUESTION_MISSING' })
})

t.test('the counts add up, whatever is asked', async (t) => {
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
      const { counts, papers, excluded } = (await work(t, question, inputs)).review
      const reasons = Object.values(counts.excluded_by_reason).reduce((sum, count) => sum + count, 0)
      t.ok(counts.identified > 0 && counts.identified <= counts.read)
      t.equal(counts.screened, counts.identified)
      t.equal(counts.screened, counts.included + counts.excluded)
      t.equal(counts.excluded, reasons)
      t.strictSame([papers.length, excluded.length], [counts.included, counts.excluded])
      t.equal(new Set([...papers, ...excluded].map(({ id }) => id)).size, counts.screened)
      t.strictSame(
        papers.map(({ score }) => score),
        papers.map(({ score }) => score).sort((a, b) => b - a),
      )
    }
  }
})

t.test('the shipped records', async (t) => {
  const query = { ...frame('x'), concepts: [] }
  const { read, papers } = await sampleSource.search(query, signal)
  t.strictSame([read, papers], [63, []])
  const everything = []
  for (const subject of ['fasting', 'statins', 'sleep', 'telemedicine', 'antibiotics', 'exercise']) {
    const { review } = await work(t, `Tell me about ${subject}.`, { max_results: 200 })
    t.ok(review.papers.length >= 6, subject)
    everything.push(...review.papers)
  }
  const distinct = (values: (string | null)[]) => new Set(values).size
  t.equal(distinct(everything.map(({ doi }) => doi)), distinct(everything.map(({ id }) => id)))
  t.ok(everything.every(({ year }) => year >= 1998 && year <= 2025))
  t.ok(everything.some(({ abstract }) => abstract === null))
  t.ok(everything.some(({ title }) => /\p{Script=Han}/u.test(title)))
})

t.test('a stopped search throws', async (t) => {
  await t.rejects(sampleSource.search(frame(QUESTION), AbortSignal.abort()), { name: 'AbortError' })
})

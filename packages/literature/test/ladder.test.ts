/** Strict to broad queries, the preview, the user's own groups and query: what is sent, and what the log says. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseBoolean } from '../boolean.ts'
import { frame } from '../frame.ts'
import { climb } from '../ladder.ts'
import { lostWords } from '../lost-words.ts'
import { meets, prepare } from '../match.ts'
import { SHARES, strictSteps, termsIn, unitsOf, weigh, weighedStep } from '../plan.ts'
import type { Plan, Searching } from '../source.ts'
import { truncated } from '../sources/truncate.ts'
import { connect } from './connected.ts'
import { fakeClock } from './fake-clock.ts'
import { body, imitate, status } from './imitation.ts'
import { stageOver } from './literature-work.ts'

/** A source that counts hits by a rule and records its requests. */
function counting(hits: (query: string) => number) {
  const asked: string[] = []
  const source: Searching = {
    name: 'pubmed',
    kind: 'searches',
    notice: null,
    cached: false,
    plan: (wanted, _inputs, limit) => ({
      request: { query: typeof wanted === 'string' ? wanted : termsIn(wanted).join('|') },
      limit,
    }),
    search: async () => ({ total: 0, records: [] }),
  }
  const ask = async ({ request: { query = '' } }: Plan) => {
    asked.push(query)
    return { total: hits(query), records: [] }
  }
  return { source, ask, asked }
}

const question = 'Does cognitive training slow hearing loss in older adults compared with lectures in Norway?'

t.test('the first step is enough if it finds enough', async (t) => {
  const { source, ask, asked } = counting(() => 900)
  const { chosen, steps, lines } = await climb(source, frame(question), {}, ask)
  t.equal(asked.length, 1)
  t.match(chosen, { step: 'phrases', hits: 900 })
  t.strictSame([steps.length, lines.length], [1, 0])
})

t.test('setting and comparator are dropped first, then the outcome', async (t) => {
  const steps = strictSteps(frame(question))
  t.strictSame(
    steps.map(({ name }) => name),
    ['phrases', 'words', 'without_1', 'without_2', 'without_3'],
  )
  t.strictSame(
    steps.slice(2).map(({ says }) => says),
    ['Norway', 'lectures, Norway', 'hearing loss, lectures, Norway'].map(
      (gone) => `the question without ${gone}`,
    ),
  )
  const { source, ask } = counting((query) => (query.includes('Norway') ? 3 : 40))
  const found = await climb(source, frame(question), {}, ask)
  t.equal(found.chosen?.step, 'without_1')
  t.match(lostWords(frame(question), found), [{ word: 'Norway', reason: /was dropped/ }])
})

t.test(
  'finally rare words count more, and every step is at least as broad as the previous one',
  async (t) => {
    const units = unitsOf(frame(question)).map((unit, at) => ({ ...unit, hits: at === 0 ? 0 : 10 ** at }))
    const weighed = weigh(units)
    t.notOk(
      weighed.some(({ hits }) => hits === 0),
      'a term that no record has cannot help',
    )
    const texts = weighed.map(({ term }) => term)
    let before = 0
    for (const share of SHARES) {
      const { expression } = weighedStep(weighed, share)
      const subsets = Array.from({ length: 2 ** texts.length }, (_, bits) =>
        texts.filter((_, at) => bits & (2 ** at)).join('. '),
      )
      const met = subsets.filter((text) => meets(expression, prepare({ title: text, abstract: null }))).length
      t.ok(met >= before, `${share} %`)
      before = met
    }
    const { source, ask } = counting((query) => (query.includes('|') ? 5 : 30))
    const found = await climb(source, frame(question), {}, ask)
    t.match(found.chosen?.step, /^weight_/)
    t.ok(found.lines.length > 4, 'each word was counted')
  },
)

t.test('a source that fails half-way keeps what it found', async (t) => {
  const imitation = await imitate(t)
  const { searching } = connect(t, imitation, fakeClock())
  const source = searching('europepmc')
  const hits = body('{"hitCount": 4, "resultList": {"result": []}}')
  imitation.fail('europepmc', [hits], status(400))
  const { signal } = new AbortController()
  const found = await climb(source, frame('sleep and memory'), {}, (plan) => source.search(plan, signal))
  t.match(found, { chosen: { step: 'phrases', hits: 4 }, stopped: /status 400/ })
  imitation.fail('europepmc', [], status(400))
  await t.rejects(climb(source, frame('sleep and memory'), {}, (plan) => source.search(plan, signal)))
})

t.test("PubMed's own reading and warnings are in the log", async (t) => {
  const imitation = await imitate(t)
  const { searching } = connect(t, imitation, fakeClock())
  imitation.fail('pubmed', [
    body(
      '{"esearchresult":{"count":"30","idlist":[],"querytranslation":"\\"sleep\\"[MeSH Terms]","errorlist":{"phrasesnotfound":["xyzzy"]},"warninglist":{"outputmessages":["No items found."]}}}',
    ),
  ])
  const source = searching('pubmed')
  const { remarks } = await source.search(source.plan('sleep xyzzy', {}, 0), new AbortController().signal)
  t.strictSame(remarks, [
    'read as "sleep"[MeSH Terms]',
    'phrasesnotfound: xyzzy',
    'outputmessages: No items found.',
  ])
})

t.test('words are truncated after their stem if that is safe', async (t) => {
  t.strictSame(['placental', 'neoplasms', 'organization', 'ARDS', 'sleep', 'T2DM', 'tumour'].map(truncated), [
    'placent*',
    'neoplasm*',
    undefined,
    undefined,
    'sleep*',
    undefined,
    undefined,
  ])
})

t.test('a Boolean query of the user', async (t) => {
  const has = (query: string, title: string) => meets(parseBoolean(query), prepare({ title, abstract: null }))
  t.ok(has('(sleep OR nap*) AND "working memory" NOT mice', 'Naps and working memory'))
  t.notOk(has('(sleep OR nap) AND "working memory" NOT mice', 'Sleep, memory and working'))
  t.notOk(has('sleep NOT mice', 'Sleep of mice'))
  for (const odd of ['((', ')', 'AND OR NOT', '"', 'a OR']) t.doesNotThrow(() => has(odd, 'a'), odd)
})

async function sampleReview(t: Test, inputs: Record<string, unknown>, asked?: string) {
  return stageOver(t).work({ inputs, ...(asked !== undefined && { question: asked }) })
}

t.test("the user's own groups and query are searched", async (t) => {
  const groups = await sampleReview(t, { concepts: [['statins'], ['dementia', 'cognitive decline']] })
  t.match(groups.review.concepts, [
    { terms: ['statins'], synonyms: [] },
    { terms: ['dementia', 'cognitive decline'] },
  ])
  t.ok(groups.review.papers.length > 0)
  t.ok(groups.review.papers.every(({ title, abstract }) => /statin/i.test(`${title} ${abstract}`)))
  const query = 'sleep AND memory NOT insomnia'
  const own = await sampleReview(t, { query })
  t.ok(own.review.papers.length > 0)
  t.match(JSON.parse(own.files['search_log.json'] ?? '').searches, [{ step: 'own_query', not_in_query: [] }])
  const german = 'Welchen Einfluss hat der Schlaf auf das Gedächtnis?'
  t.ok(
    (await sampleReview(t, { query }, german)).review.papers.length > 0,
    'with a query the language does not matter',
  )
  await t.rejects(sampleReview(t, {}, german), {
    code: 'QUESTION_LANGUAGE',
    status: 422,
    message: /German.*inputs\.query/,
  })
  await t.rejects(sampleReview(t, { query, concepts: [['a']] }), { code: 'INVALID_INPUTS' })
  await t.rejects(sampleReview(t, { query: 'mail jane@example.org' }), { code: 'PRIVATE_DATA' })
})

t.test("the user's own query is sent unchanged, and only to its source", async (t) => {
  const imitation = await imitate(t)
  const { all } = connect(t, imitation, fakeClock())
  const { work } = stageOver(
    t,
    [...all.values()].filter(({ name }) => name === 'europepmc' || name === 'pubmed'),
    0,
    fakeClock(),
  )
  await work({
    inputs: {
      sources: ['europepmc', 'pubmed'],
      query: { pubmed: '"Sleep"[mh] AND 2015:2020[dp]' },
      year_from: 2010,
    },
  })
  const terms = imitation.requests.flatMap(({ source, parameters }) =>
    source === 'pubmed' ? (parameters.get('term') ?? []) : [],
  )
  t.ok(terms.length > 0 && terms.every((term) => term === '"Sleep"[mh] AND 2015:2020[dp]'))
  t.ok(
    imitation.requests.some(
      ({ source, parameters }) => source === 'europepmc' && /TITLE_ABS/.test(parameters.get('query') ?? ''),
    ),
  )
})

t.test('a preview counts hits and reads no records', async (t) => {
  const { outcome, files } = await stageOver(t).work({ inputs: { preview: true } })
  t.strictSame(outcome.artifacts, ['search_preview.json'])
  const written = JSON.parse(files['search_preview.json'] ?? '')
  t.match(written, {
    kind: 'search_preview',
    lines: [
      { line: 1, what: 'intermittent fasting', hits: { sample: Number } },
      { line: 2, what: 'cardiovascular health', hits: { sample: Number } },
      { line: 3, what: '1 AND 2', hits: { sample: Number } },
      { line: 4, what: 'the query that would be sent', hits: { sample: Number } },
    ],
    queries: [{ source: 'sample', request: { query: /"intermittent fasting"/ } }],
  })
  t.match(outcome.results, {
    preview: true,
    summary: /^Preview: \d+ hits in sample\. No records were read\.$/,
  })
  t.notOk('counts' in outcome.results, 'its summary is not a review')
})

t.test('the example of the documentation', async (t) => {
  const text = await readFile(join(import.meta.dirname, '../../../docs/literature.md'), 'utf8')
  const part = text.slice(text.indexOf('### Previewing and editing the search'), text.indexOf('## Files'))
  const [first = '', second = ''] = [...part.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => json ?? '')
  const { files } = await stageOver(t).work({ inputs: JSON.parse(first) })
  const { lines } = JSON.parse(files['search_preview.json'] ?? '')
  const documented = [...part.matchAll(/^\| (\d) \| (.+?) \| (\d+) \|$/gm)].map(([, line, what, hits]) => {
    return { line: Number(line), what, hits: { sample: Number(hits) } }
  })
  t.strictSame(lines, documented)
  t.match(JSON.parse(second), { query: { pubmed: String } })
})

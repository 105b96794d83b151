/** The connectors with the imitated sources: requests, records, and handling of faults. */
import t from 'tap'
import { frame } from '../frame.ts'
import { strictSteps } from '../plan.ts'
import { normaliseAll } from '../steps.ts'
import { connect } from './connected.ts'
import { fakeClock } from './fake-clock.ts'
import { body, cutOff, type Fault, hangUp, htmlPage, imitate, silence, status } from './imitation.ts'
import { LIBRARY } from './imitation-library.ts'
import { QUESTION } from './service-client.ts'

const SEARCHING = ['europepmc', 'pubmed', 'openalex'] as const
const wanted = strict(QUESTION)
const { signal } = new AbortController()

/** The query of the strictest step. */
function strict(question: string) {
  const [step] = strictSteps(frame(question))
  return step?.expression ?? { any: [] }
}

t.test('each source gets the framed question in its own syntax', async (t) => {
  const imitation = await imitate(t)
  const { searching } = connect(t, imitation, fakeClock(), {
    contact: 'library@example.org',
    keys: { pubmed: 'pkey', openalex: 'okey' },
  })
  const inputs = {
    year_from: 2015,
    year_to: 2020,
    language: 'de',
    include_keywords: ['blood "pressure"'],
    exclude_keywords: ['mice'],
  }
  const plans = Object.fromEntries(
    SEARCHING.map((name) => [name, searching(name).plan(wanted, inputs, 10).request]),
  )
  t.match(
    plans.europepmc?.query,
    /^\(\(\(TITLE_ABS:"intermittent fasting" OR TITLE_ABS:"time-restricted eating" .*\) AND \(TITLE_ABS:"cardiovascular health" OR .*\)\) AND TITLE_ABS:"blood pressure" NOT TITLE_ABS:mice\) AND PUB_YEAR:\[2015 TO 2020\] AND LANG:"ger"$/,
  )
  t.match(
    plans.pubmed?.term,
    /^\(\(\(intermittent fasting OR .*\) AND .* NOT mice\) AND 2015:2020\[dp\] AND ger\[la\]$/,
    'nothing switches its term mapping off',
  )
  t.match(
    plans.openalex?.filter,
    /^title_and_abstract\.search:\(\(\("intermittent fasting" OR [^,]*\),from_publication_date:2015-01-01,to_publication_date:2020-12-31,language:de$/,
  )
  const ratio = searching('openalex').plan({ term: '5:2 diet', form: 'phrase' }, {}, 10).request.filter
  t.match(ratio, '"5 2 diet"', 'nothing in a term can begin another filter')
  t.notMatch(JSON.stringify(plans), /effects|\?|pkey|okey|library@/, 'no filler, no key, no contact')

  for (const name of SEARCHING) await searching(name).search(searching(name).plan(wanted, inputs, 10), signal)
  for (const { source, parameters, headers } of imitation.requests) {
    t.equal(headers['user-agent'], 'Stagecast (mailto:library@example.org)')
    const contact = parameters.get('email') ?? parameters.get('mailto')
    t.equal(contact, 'library@example.org', source)
    if (source !== 'europepmc') t.equal(parameters.get('api_key'), source === 'pubmed' ? 'pkey' : 'okey')
    if (source === 'pubmed') t.equal(parameters.get('tool'), 'stagecast')
  }
  const sent = imitation.requests.find(({ source }) => source === 'europepmc')?.parameters.get('query')
  t.equal(sent, plans.europepmc?.query, 'what is planned is what is sent')
})

t.test('every query fits into a URL', async (t) => {
  const { searching } = connect(t, await imitate(t), fakeClock())
  const phrase = (n: number) =>
    `gut microbiome diversity${n} under antibiotic exposure${n} of preterm neonate${n} cohorts`
  const long = Array.from({ length: 45 }, (_, n) => phrase(n))
    .join(', ')
    .slice(0, 4000)
  const keywords = Array.from({ length: 50 }, (_, n) => `${'断食'.repeat(20)} ${n}`)
  for (const question of [QUESTION, long, '断食 '.repeat(1300), 'abcdefgh'.repeat(500)]) {
    for (const inputs of [
      {},
      { include_keywords: keywords, exclude_keywords: keywords, year_from: 1990, year_to: 2020 },
    ]) {
      for (const name of SEARCHING) {
        const { request } = searching(name).plan(strict(question), inputs, 100)
        const length = new URLSearchParams(request).toString().length
        t.ok(
          length < (question.startsWith('abc') ? 8000 : 4000),
          `${name}: ${length} for ${question.slice(0, 20)}`,
        )
      }
    }
  }
  const plan = searching('europepmc').plan(wanted, { include_keywords: keywords }, 100).request.query
  t.notMatch(plan, '断食', 'keywords that do not fit all together are left to the screening')
})

t.test('all sources give the same papers', async (t) => {
  const { searching } = connect(t, await imitate(t), fakeClock())
  for (const name of SEARCHING) {
    const source = searching(name)
    const { total, records } = await source.search(source.plan(wanted, {}, 100), signal)
    const papers = normaliseAll(records)
    const expected = name === 'pubmed' ? LIBRARY.filter(({ pmid }) => pmid !== null) : LIBRARY
    t.equal(total, expected.length)
    t.strictSame(
      papers.map(({ doi }) => doi),
      expected.map(({ doi }) => doi),
      `${name}: in its own order`,
    )
    const [first] = papers
    t.match(first, {
      source: name,
      doi: '10.5555/imitation.1',
      pmid: '90000001',
      title: 'Intermittent fasting and blood pressure: a randomized trial',
      authors: [
        { family: 'Okonjo', given: 'Adaeze' },
        { family: 'Velasquez', given: 'Tomás' },
      ],
      year: 2021,
      journal: 'Example Heart Journal',
      volume: '12',
      issue: '2',
      language: 'en',
      retracted: false,
      field_sources: { title: name, abstract: name },
    })
    t.equal(first?.pmcid, name === 'openalex' ? null : 'PMC9000001')
    t.match(first?.abstract, /fell by 5\.1 mm Hg \(p < 0\.05\)\. Weight/)
    if (name !== 'openalex') t.match(first?.abstract, /\nResults: Systolic/i)
    t.equal(first?.cited_by, { europepmc: 40, pubmed: null, openalex: 43 }[name])
    const byDoi = new Map(papers.map((paper) => [paper.doi, paper]))
    t.equal(byDoi.get('10.5555/imitation.2')?.retracted, true)
    t.equal(byDoi.get('10.5555/imitation.3')?.abstract, null)
    t.match(byDoi.get('10.5555/imitation.5'), { title: '間欠的断食と血圧', language: 'ja' })
    const inline = byDoi.get('10.5555/imitation.6')
    t.equal(inline?.title, 'Vitamin D and CO2: fasting samples & heart rate', 'inline tags cost no word')
    if (name !== 'openalex') t.match(inline?.authors.at(-1), { literal: 'The Example Study Group' })
    if (name !== 'pubmed') t.equal(byDoi.get('10.1101/2020.01.01.20000001')?.preprint, true)
  }
})

t.test('pages are read up to the limit', async (t) => {
  const imitation = await imitate(t)
  const { searching } = connect(t, imitation, fakeClock())
  const many = Array.from({ length: 250 }, (_, at) => {
    return {
      ...(LIBRARY[0] as (typeof LIBRARY)[number]),
      pmid: String(91_000_000 + at),
      doi: `10.5555/many.${at}`,
    }
  })
  for (const name of SEARCHING) {
    imitation.hold(name, many)
    const source = searching(name)
    const read = async (limit: number) => {
      const before = imitation.count(name)
      const { total, records } = await source.search(source.plan(wanted, {}, limit), signal)
      t.equal(total, 250)
      t.strictSame(
        records.map(({ doi }) => doi?.toLowerCase().replace(/^.*doi.org\//, '')),
        many.slice(0, limit).map(({ doi }) => doi),
      )
      return imitation.count(name) - before
    }
    t.equal(await read(120), name === 'pubmed' ? 3 : 2)
    t.ok((await read(500)) <= 5)
  }
})

t.test('Crossref completes by DOI, in batches', async (t) => {
  const imitation = await imitate(t)
  const clock = fakeClock()
  const { crossref } = connect(t, imitation, clock)
  const dois = [
    '10.5555/imitation.3',
    '10.5555/imitation.2',
    '10.5555/with,comma',
    ...Array.from({ length: 30 }, (_, at) => `10.5555/none.${at}`),
  ]
  const plan = crossref.plan(dois)
  t.notMatch(plan.request.filter, 'comma', 'what would break the filter is left out')
  const { records } = await crossref.search(plan, signal)
  t.equal(imitation.count('crossref'), 2)
  t.strictSame(
    normaliseAll(records).map(({ doi, retracted, abstract }) => [doi, retracted, abstract]),
    [
      ['10.5555/imitation.2', true, null],
      [
        '10.5555/imitation.3',
        false,
        'Results: Endothelial function improved with a fasting regimen in 30 patients.',
      ],
    ],
  )
})

t.test('which faults are retried, and when', async (t) => {
  const imitation = await imitate(t)
  for (const [what, faults, waits] of [
    ['429 with seconds', [status(429, { 'retry-after': '7' })], [7000]],
    ['503 with seconds', [status(503, { 'retry-after': '3' })], [3000]],
    ['503 with a date', [status(503, { 'retry-after': 'Thu, 01 Jan 2026 00:00:20 GMT' })], [20_000]],
    ['500 twice', [status(500), status(500)], [500, 1000]],
    ['502 and 504', [status(502), status(504)], [500, 1000]],
    ['no answer', [hangUp], [500]],
    ['an answer that breaks off', [cutOff], [500]],
    ['silence', [silence], [500]],
  ] as [string, Fault[], number[]][]) {
    const clock = fakeClock()
    const source = connect(t, imitation, clock, what === 'silence' ? { requestMs: 200 } : {}).searching(
      'europepmc',
    )
    imitation.fail('europepmc', faults)
    const before = imitation.count('europepmc')
    const { records } = await source.search(source.plan(wanted, {}, 5), signal)
    t.equal(records.length, 5, what)
    t.equal(
      imitation.count('europepmc') - before,
      faults.length + 1,
      `${what}: asked again once for each fault`,
    )
    // Shorter waits are for a slot of the limiter.
    t.strictSame(
      clock.waits.filter((wait) => wait >= 500),
      waits,
      `${what}: ${clock.waits}`,
    )
  }
})

t.test('which faults are not retried', async (t) => {
  const imitation = await imitate(t)
  for (const [what, fault, code] of [
    ['a bad request', status(400), 'refused'],
    ['not authorised', status(401), 'refused'],
    ['a page for people', htmlPage, 'bad_answer'],
    ['broken JSON', body('{"hitCount": 3, "resultList"'), 'bad_answer'],
    ['an error that will stay', body('{"errMsg":"Unsupported"}'), 'bad_answer'],
    ['JSON of another shape', body('{"answer":1}'), 'bad_answer'],
    ['a list', body('[]'), 'bad_answer'],
    ['nothing', body(''), 'bad_answer'],
    ['a redirection', status(302, { location: 'http://127.0.0.1:9/' }), 'refused'],
  ] as [string, Fault, string][]) {
    for (const name of [...SEARCHING, 'crossref'] as const) {
      const { all } = connect(t, imitation, fakeClock())
      const source = all.get(name)
      if (!source) return t.fail(name)
      imitation.fail(name, [], fault)
      const before = imitation.count(name)
      const plan =
        source.kind === 'searches' ? source.plan(wanted, {}, 5) : source.plan(['10.5555/imitation.3'])
      await t.rejects(source.search(plan, signal), { name: 'SourceFailure', code }, `${name}: ${what}`)
      t.equal(imitation.count(name) - before, 1)
    }
  }
})

const forbidden = (text: string, type = 'application/json') =>
  ((_request, response) => response.writeHead(403, { 'content-type': type }).end(text)) satisfies Fault

t.test('a 403 that means "slow down", and an error inside a 200, are retried', async (t) => {
  const imitation = await imitate(t)
  for (const [name, fault] of [
    ['openalex', forbidden('<html><head><title>403 Forbidden</title></head></html>', 'text/html')],
    ['europepmc', forbidden('{"error":"Rate limit exceeded; slow down"}')],
    ['pubmed', status(403, { 'retry-after': '1' })],
    ['pubmed', body('{"esearchresult":{"ERROR":"Search Backend failed: read request has timed out."}}')],
    ['pubmed', body('{"error":"API rate limit exceeded","api-key":"1.2.3.4"}')],
    ['europepmc', body('{"errCode":500,"errMsg":"The search could not be completed"}')],
  ] as const) {
    const source = connect(t, imitation, fakeClock()).searching(name)
    imitation.fail(name, [fault])
    t.ok((await source.search(source.plan(wanted, {}, 5), signal)).records.length > 0, name)
  }
})

t.test("a source's error message is quoted with advice and without the query", async (t) => {
  const imitation = await imitate(t)
  const failure = async (name: (typeof SEARCHING)[number], fault: Fault, keys = {}) => {
    imitation.fail(name, [], fault)
    const source = connect(t, imitation, fakeClock(), { keys }).searching(name)
    return source.search(source.plan(wanted, {}, 5), signal).then(
      () => '',
      ({ message }: Error) => message,
    )
  }
  t.match(
    await failure('openalex', forbidden('{"message":"Rate limit exceeded"}')),
    /slow down: "Rate limit exceeded"; set LITERATURE_OPENALEX_KEY$/,
  )
  t.match(await failure('openalex', status(401), { openalex: 'okey' }), '; check LITERATURE_OPENALEX_KEY')
  t.match(await failure('pubmed', status(429, { 'retry-after': '90' })), '; try again in 90 s')
  t.match(
    await failure(
      'pubmed',
      body('{"esearchresult":{"ERROR":"Search Backend failed: timed out. peer: 130.14.22.107"}}'),
    ),
    /^it answered with an error: "Search Backend failed: timed out\./,
  )
  t.match(await failure('europepmc', htmlPage), '"Down for maintenance"')
  const repeated = await failure(
    'europepmc',
    body('{"errMsg":"Invalid query: intermittent fasting AND cardiovascular"}'),
  )
  t.match(repeated, /Invalid query/)
  t.notMatch(repeated, /fasting|cardio/, 'the question is not repeated')
  t.notMatch(await failure('pubmed', body('{"error":"Bad key pkey given"}'), { pubmed: 'pkey' }), 'pkey')
})

t.test('a source that keeps failing is given up before the deadline', async (t) => {
  const imitation = await imitate(t)
  const ask = (more = {}) => {
    const clock = fakeClock()
    const source = connect(t, imitation, clock, more).searching('openalex')
    return { clock, answer: source.search(source.plan(wanted, {}, 5), signal) }
  }
  for (const [fault, code] of [
    [status(500), 'server_error'],
    [status(429), 'rate_limited'],
    [silence, 'timeout'],
    [hangUp, 'unreachable'],
  ] as [Fault, string][]) {
    imitation.fail('openalex', [], fault)
    const before = imitation.count('openalex')
    // Only a silent source is given up by the clock, so a slow machine does not matter.
    await t.rejects(ask(code === 'timeout' ? { requestMs: 50 } : {}).answer, { code })
    t.equal(imitation.count('openalex') - before, 4, `${code}: four times in all`)
  }
  imitation.fail('openalex', [], status(429, { 'retry-after': '3600' }))
  const { clock, answer } = ask()
  await t.rejects(answer, { code: 'rate_limited' })
  t.ok(
    clock.waits.every((wait) => wait < 1000),
    'an hour is not waited out',
  )
})

t.test('other or truncated XML is an error', async (t) => {
  const imitation = await imitate(t)
  const ids: Fault = body('{"esearchresult":{"count":"1","idlist":["90000001"]}}')
  for (const xml of [
    '<PubmedArticleSet><PubmedArticle><Medline',
    '<html><body>Error</body></html>',
    '',
    '<a/>',
  ]) {
    const source = connect(t, imitation, fakeClock()).searching('pubmed')
    imitation.fail('pubmed', [ids, body(xml, 'text/xml')])
    await t.rejects(source.search(source.plan(wanted, {}, 5), signal), { code: 'bad_answer' }, xml)
  }
  imitation.fail('pubmed', [ids, body('<PubmedArticleSet></PubmedArticleSet>', 'text/xml')])
  const source = connect(t, imitation, fakeClock()).searching('pubmed')
  t.strictSame(await source.search(source.plan(wanted, {}, 5), signal), {
    total: 1,
    records: [],
    remarks: [],
  })
})

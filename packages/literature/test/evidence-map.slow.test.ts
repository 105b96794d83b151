/** Stages 1 and 10: the protocol before a search, and the map of the papers found. */
import t, { type Test } from 'tap'
import type { EvidenceMap } from '../evidence-map/shape.ts'
import { plainText } from '../markdown.ts'
import { at } from './pointer.ts'
import { QUESTION } from './service-client.ts'
import { type Ran, startWalk } from './walk.ts'

t.test('a protocol: roles, groups, draft queries, criteria, sources', async (t) => {
  const { run, ask } = await startWalk(t)
  const inputs = { title: 'Fasting and the *heart*', year_from: 2015, study_types: ['cohort'] }
  const ran = await run(1, { inputs })
  const protocol = ran.json('protocol.json')
  t.match(protocol, {
    kind: 'protocol',
    question: QUESTION,
    by: 'question',
    concepts: [
      { role: 'intervention', terms: ['intermittent fasting'] },
      { role: 'outcome', terms: ['cardiovascular health'] },
    ],
    left_out: [{ word: 'effects' }],
    sources: ['sample'],
    queries: [{ source: 'sample', request: { query: /"intermittent fasting" OR .* AND / } }],
    inputs: { year_from: 2015, study_types: ['cohort'] },
  })
  t.same(
    protocol.criteria.map(({ option }: { option: string }) => option),
    ['concepts', 'concepts', 'year_from', 'study_types', 'retracted'],
  )
  t.match(ran.text('protocol.md'), /^# Protocol: Fasting and the \\\*heart\\\*\n/)
  t.match(ran.text('protocol.md'), /Sample data/)
  sameFiles(t, ran, await run(1, { inputs }))

  const { lines } = await ask(1, { question: '' })
  t.match(lines.at(-1), { type: 'error', code: 'QUESTION_MISSING', retryable: false })
})

t.test("a search uses the groups and criteria of its question's protocol", async (t) => {
  const { run } = await startWalk(t)
  const concepts = [['intermittent fasting', 'time-restricted eating'], ['blood pressure']]
  const declared = await run(1, { inputs: { concepts, year_from: 2018 } })
  const took = (await run(2, { after: [declared] })).json('literature_review.json')
  t.same(
    took.concepts.map(({ terms }: { terms: string[] }) => terms),
    concepts,
  )
  t.equal(took.inputs.year_from, 2018)
  t.ok(took.papers.every(({ year }: { year: number }) => year >= 2018))

  const own = await run(2, { after: [declared], inputs: { year_from: 2022, concepts: [['fasting']] } })
  t.match(own.json('literature_review.json'), {
    inputs: { year_from: 2022 },
    concepts: [{ terms: ['fasting'] }],
  })
  const other = await run(2, {
    after: [declared],
    question: 'Does sleep duration change blood pressure in nurses?',
  })
  t.notOk('year_from' in other.json('literature_review.json').inputs)
  t.match(JSON.stringify(other.lines), /is about another question and was not used/)

  const plain = await run(2, { after: [await run(1)] })
  sameFiles(t, plain, await run(2), 'a protocol without options changes nothing')
})

t.test('with a protocol that has terms, a question in another language can be searched', async (t) => {
  const { run, ask } = await startWalk(t)
  const question = 'Welchen Einfluss hat der Schlaf auf das Gedächtnis?'
  const declared = await run(1, { question, inputs: { concepts: [['sleep'], ['memory']] } })
  const review = (await run(2, { question, after: [declared] })).json('literature_review.json')
  t.ok(review.papers.length > 0)
  t.match(
    (await ask(2, { question })).lines.at(-1),
    { type: 'error', code: 'QUESTION_LANGUAGE' },
    'without it, it is refused',
  )
})

t.test('a map: each number has its papers, each gap its cell', async (t) => {
  const { run } = await startWalk(t)
  const search = await run(2)
  const ran = await run(10, { after: [search] })
  const map: EvidenceMap = ran.json('evidence_map.json')
  const review = search.json('literature_review.json')
  t.equal(map.papers, review.counts.included)
  const ids = new Set(review.papers.map(({ id }: { id: string }) => id))
  const all = [
    map.cells,
    map.by_concept,
    map.by_kind,
    map.by_years,
    map.by_concept_and_kind,
    map.by_pair,
  ].flat()
  t.ok(
    all.every(({ count, paper_ids }) => count === paper_ids.length && paper_ids.every((id) => ids.has(id))),
  )
  t.equal(sum(map.by_kind), map.papers, 'each paper has one kind')
  t.equal(sum(map.by_years), map.papers, 'each paper is in one column of years')
  for (const { concept, count } of map.by_concept) {
    t.equal(
      sum(map.cells.filter((cell) => cell.concept === concept)),
      count,
      `the cells of ${concept} add up`,
    )
    t.equal(sum(map.by_concept_and_kind.filter((cell) => cell.concept === concept)), count)
  }
  t.ok(map.gaps.length > 0)
  for (const gap of map.gaps) {
    const cell = at(map, gap.pointer) as { count: number; paper_ids: string[] }
    t.same([cell.count, cell.paper_ids], [gap.count, gap.paper_ids], gap.text)
    t.match(gap.text, gap.count === 0 ? /^None of / : /^Only one of /)
    const text = ran.text('gaps.md')
    const line = text.split('\n').find((one) => one.startsWith(`- ${plainText(gap.text)}`)) ?? ''
    const [, number] = /\(cell (\d+)\)$/.exec(line) ?? []
    t.ok(number, 'gaps.md lists the gap')
    t.match(text, `\n${number}. \`${gap.pointer}\`: ${gap.count} of ${gap.of} paper`, 'and its cell')
  }
  const rows = ran.text('evidence_map.csv').trim().split('\r\n')
  t.equal(rows.length, map.cells.length + 1)
  t.match(ran.text('evidence_map.svg'), /^<svg [^>]*role="img"[\s\S]*<\/svg>\n$/)
  sameFiles(t, ran, await run(10, { after: [search] }))

  const yearly = await run(10, { after: [search], inputs: { years_per_column: 1 } })
  t.match(yearly.json('evidence_map.json').years.at(-1), { from: 2025, to: 2025, label: '2025' })
})

t.test('an empty review has an empty map', async (t) => {
  const { run } = await startWalk(t)
  const search = await run(2, { question: 'Does quantum gravity exist?' })
  const ran = await run(10, { after: [search] })
  t.match(ran.json('evidence_map.json'), { papers: 0, gaps: [], years: [] })
  t.match(ran.text('gaps.md'), /No paper is included/)
})

t.test('missing and changed files are refused', async (t) => {
  const { run, ask } = await startWalk(t)
  const last = async (asked: Parameters<typeof ask>[1]) => (await ask(10, asked)).lines.at(-1)
  t.match(await last({}), { code: 'UPSTREAM_MISSING', message: /Run stage 2 first/, retryable: false })
  const preview = await run(2, { inputs: { preview: true } })
  t.match(await last({ after: [preview] }), {
    code: 'UPSTREAM_MISSING',
    message: /has no literature_review\.json/,
  })
  const search = await run(2)
  const change = (upstream: Record<string, { files: { sha256: string }[] }>) => {
    for (const file of upstream['2']?.files ?? []) file.sha256 = '0'.repeat(64)
  }
  t.match(await last({ after: [search], change }), { type: 'error', code: 'UPSTREAM_CHANGED' })
  t.match(await last({ after: [search], inputs: { years_per_column: 0 } }), { code: 'INVALID_INPUTS' })
})

function sum(cells: readonly { count: number }[]): number {
  return cells.reduce((all, { count }) => all + count, 0)
}

function sameFiles(t: Test, one: Ran, other: Ran, why = 'a second run is byte-identical'): void {
  t.same([...one.files.keys()], [...other.files.keys()], why)
  for (const [name, content] of one.files) t.ok(other.files.get(name)?.equals(content), `${why}: ${name}`)
}

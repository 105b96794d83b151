/** Stages 14 and 16: a manuscript in which every number and citation has a source, and its checklist. */
import { createHash } from 'node:crypto'
import { strFromU8, unzipSync } from 'fflate'
import t, { type Test } from 'tap'
import type { Checklist } from '../checklist/checklist.ts'
import type { Bindings } from '../manuscript/bindings.ts'
import { manuscriptOf } from '../manuscript/manuscript.ts'
import { markdownOf } from '../manuscript/markdown.ts'
import { References } from '../manuscript/references.ts'
import { BareToken, gap, name, say, value, words } from '../manuscript/tokens.ts'
import { at } from './pointer.ts'
import { type Ran, startWalk } from './walk.ts'

async function walkTo14(t: Test, inputs: Record<string, unknown> = {}) {
  const { run, ask } = await startWalk(t)
  const declared = await run(1)
  const search = await run(2, { after: [declared] })
  const map = await run(10, { after: [search] })
  const after = [declared, search, map]
  return { run, ask, after, draft: await run(14, { after, inputs }) }
}

t.test('the writer refuses a bare number, a bare citation and an unknown name', async (t) => {
  for (const text of [
    'we found 12 papers',
    'in ½ of them',
    'see [@smith2020]',
    'Smith et al. say so',
    '٣ papers',
  ]) {
    t.throws(() => words(text), BareToken, text)
    t.throws(() => gap(text), BareToken, text)
  }
  t.throws(() => say`Of 20 records, ${words('some')} stayed`, BareToken)
  t.throws(() => name('Law 17'), BareToken)
  const artifact = { name: 'a.json', stage: 2, sha256: '', value: { n: 3, list: [1] } }
  t.match(value(artifact, '/n'), { text: '3' })
  t.throws(() => value(artifact, '/list'), /has no text or number/)
  t.throws(() => value(artifact, '/gone'), /has no text or number/)
  t.throws(() => new References({ ...artifact, value: [] }).cite('doi:10.1/x'), /has no paper/)
})

t.test('each number and citation of the manuscript is bound to its place in an artifact', async (t) => {
  const title = 'Fasting and the heart: 10 years of *trials*'
  const { draft, after } = await walkTo14(t, { title, authors: ['Ada Lovelace', 'Bo 2'] })
  const text = draft.text('manuscript.md')
  const bindings: Bindings = draft.json('bindings.json')
  t.match(text, /^# Fasting and the heart: 10 years of \\\*trials\\\*\n\nAda Lovelace, Bo 2\n\n> Sample data/)
  t.match(bindings.manuscript.sha256, sha256(text))
  const files = new Map(
    after.flatMap((ran) => [...ran.files].map(([file, content]) => [file, content] as const)),
  )
  for (const { artifact, sha256: hash, pointer, text: bound, start, end, section } of bindings.tokens) {
    if (artifact === 'inputs') continue
    const content = files.get(artifact)
    if (!content || hash !== sha256(content)) t.fail(`${artifact} has another hash`)
    const found = at(JSON.parse(String(content)), pointer)
    if (artifact === 'references.csl.json') {
      const { id, title: called } = found as { id: string; title: string }
      if (bound !== id && !bound.includes(called.replace(/\.$/, ''))) t.fail(`${bound} is not ${id}`)
    } else if (String(found) !== bound) t.fail(`${section}: ${bound} is not ${found} of ${pointer}`)
    if (text.slice(start, end).replace(/\\(.)/g, '$1').length === 0) t.fail(`${pointer} has no place`)
  }
  t.ok(bindings.tokens.length > 100, `${bindings.tokens.length} tokens`)
  const covered = (place: number) =>
    [...bindings.tokens, ...bindings.gaps].some((one) => one.start <= place && place < one.end)
  const bare = [...text.matchAll(/\p{N}+/gu)].filter(
    ({ index }) => !covered(index) && !text.slice(0, index).endsWith('PRISMA '),
  )
  t.same(
    bare.map(([digits]) => digits),
    [],
    'no number is without a binding',
  )
  t.ok(
    [...text.matchAll(/\[@[^\]]+\]/g)].every(({ index }) => covered(index)),
    'no citation is',
  )

  t.ok(bindings.gaps.length >= 10)
  for (const one of bindings.gaps) t.equal(text.slice(one.start, one.end), `**[AUTHOR: ${one.text}]**`)
  const cited = new Set(bindings.tokens.flatMap(({ paper_id }) => paper_id ?? []))
  const listed = bindings.tokens.filter(({ section }) => section === 'references')
  t.equal(listed.length, cited.size, 'what is cited is listed, once')
})

t.test('a Word document with the same words, and the same bytes each time', async (t) => {
  const { run, after, draft } = await walkTo14(t)
  const again = await run(14, { after })
  for (const [file, content] of draft.files)
    t.ok(again.files.get(file)?.equals(content), `${file} has the same bytes`)
  const parts = unzipSync(new Uint8Array(draft.files.get('manuscript.docx') ?? []))
  const body = strFromU8(parts['word/document.xml'] ?? new Uint8Array())
  t.match(body, /Study selection/)
  t.match(body, /\[AUTHOR: Say why this question matters\]/)
  t.match(body, /w:highlight w:val="yellow"/)
  t.match(strFromU8(parts['docProps/core.xml'] ?? new Uint8Array()), /1980-01-01T00:00:00Z/)
  t.notMatch(strFromU8(parts['docProps/core.xml'] ?? new Uint8Array()), /20\d\d-/)
})

t.test('a change of one record changes what depends on it, and nothing else', async (t) => {
  const { after } = await walkTo14(t)
  const before = written(after)
  const paper = 3
  const changed = written(after, (review) => {
    review.papers[paper].extraction.sample_size = { value: 4711, text: 'x', start: 0, end: 1 }
  })
  const rows = differing(before, changed)
  t.equal(rows.length, 1, 'one row of the table')
  t.match(rows[0], /^\| \[@.*\| 4711 \|$/)
  const results = differing(
    before,
    written(after, (review) => {
      for (const one of review.papers)
        if (one.extraction.results.length > 0) {
          one.extraction.results[0].text = 'Everything was different.'
          return
        }
    }),
  )
  t.match(results, [/^- \[@[^\]]+\] “Everything was different\.”$/])
  t.equal(results.length, 1)
})

t.test('the checklist: 27 items, each with its place and quotation', async (t) => {
  const { run, ask, draft } = await walkTo14(t)
  const ran = await run(16, { after: [draft] })
  const checklist: Checklist = ran.json('checklist.json')
  const text = draft.text('manuscript.md')
  t.same(
    checklist.items.map(({ item }) => item),
    Array.from({ length: 27 }, (_, place) => place + 1),
  )
  t.same(checklist.unbound, [])
  for (const { item, state, places } of checklist.items) {
    for (const { start, end, quotation, gap: isGap } of places) {
      t.equal(text.slice(start, end), quotation, `item ${item} quotes the text`)
      t.equal(isGap, quotation.startsWith('**[AUTHOR: '), quotation)
    }
    t.equal(state === 'not_assessed', places.length === 0)
  }
  const stateOf = (wanted: number) => checklist.items.find(({ item }) => item === wanted)?.state
  t.same([3, 4, 7, 11, 12, 15, 16, 23, 24, 25].map(stateOf), [
    'for_the_author',
    'told',
    'told',
    'told_in_part',
    'not_assessed',
    'not_assessed',
    'told',
    'told_in_part',
    'told_in_part',
    'for_the_author',
  ])
  t.notMatch(ran.text('checklist.md'), /of 27|score:/)
  t.match(
    ran.text('checklist.md'),
    /^# Checklist: PRISMA 2020\n\n27 items: \d+ reported, \d+ partly reported, \d+ for the author, \d+ not assessed\./,
    'it begins with what it found',
  )
  t.match(ran.text('checklist.md'), /^> \*\*\\\[AUTHOR: /m, 'a gap is bold, as in the draft')
  t.notMatch(
    ran.text('checklist.md'),
    /\\\*|^> :/m,
    'no asterisk as text, no quotation that begins with a colon',
  )
  t.match(
    ran.text('checklist.md'),
    /## 16\. Study selection: reported\n\n.*\n\nSection: Study selection\n\n> The search identified \d+ records/,
  )
  const again = await run(16, { after: [draft] })
  for (const [file, content] of ran.files)
    t.ok(again.files.get(file)?.equals(content), `${file} has the same bytes`)
  t.match((await ask(16)).lines.at(-1), { code: 'UPSTREAM_MISSING', message: /Run stage 14 first/ })
})

t.test('an empty review gives a manuscript too', async (t) => {
  const { run } = await startWalk(t)
  const search = await run(2, { question: 'Does quantum gravity exist?' })
  const map = await run(10, { after: [search] })
  const draft = await run(14, { after: [search, map] })
  t.match(draft.text('manuscript.md'), /No paper is included/)
  t.match(draft.text('manuscript.md'), /No protocol was declared/)
})

/** The manuscript as lines, from the files of earlier stages, with the review changed. */
// biome-ignore lint/suspicious/noExplicitAny: it is changed in places that its type does not allow
function written(after: readonly Ran[], change: (review: any) => void = () => {}): string[] {
  const file = (stage: number, name: string) => {
    const ran = after.find((one) => one.stage === stage)
    return { name, stage, sha256: '', value: ran?.json(name) }
  }
  const review = file(2, 'literature_review.json')
  change(review.value)
  const manuscript = manuscriptOf({
    review,
    flow: file(2, 'prisma.json'),
    log: file(2, 'search_log.json'),
    map: file(10, 'evidence_map.json'),
    protocol: file(1, 'protocol.json'),
    inputs: { name: 'inputs', stage: 14, sha256: '', value: {} },
    references: new References(file(2, 'references.csl.json')),
  })
  return markdownOf(manuscript).text.split('\n')
}

function differing(before: readonly string[], after: readonly string[]): string[] {
  const known = new Set(before)
  return after.filter((line) => !known.has(line))
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

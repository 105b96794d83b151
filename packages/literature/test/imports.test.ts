/** Records from other databases, manual decisions, and the resulting files. */
import t from 'tap'
import { read } from '../../../test/docs/markdown.ts'
import { importAll } from '../imports/import.ts'
import { stageOver } from './literature-work.ts'
import { stageRequest } from './service-client.ts'

const RIS = `TY  - JOUR
AU  - Okonjo, Adaeze, Jr
AU  - The Example Group
TI  - Intermittent fasting and cardiovascular risk  - a study
  that goes on
PY  - 2021
DA  - 2021/03/05/
T2  - Example Heart Journal
SP  - 1
EP  - 9
SN  - 1234-5678
AN  - 90000001
DO  - 10.5555/EMBASE.1
AB  - Intermittent fasting and cardiovascular risk of 80 adults, p < 0.05.
LA  - eng
ER  - 

TY  - UNPB
TI  - A preprint on fasting
PB  - medRxiv
M3  - Preprint
ER  - 
`
const NBIB = `
PMID- 90000002
TI  - Fasting and
      blood pressure.
FAU - Nwosu, Chidi
AU  - Nwosu C
DP  - 2019 Nov
JT  - Example Journal
LID - 10.5555/nbib.2 [doi]
LID - e77 [pii]
PT  - Randomized Controlled Trial
MH  - *Fasting
LA  - eng
PMC - PMC77
AB  - We randomised 40 adults.
`
const BIBTEX = `@string{ehj = "Example Heart Journal"}
@article{one, title = {Fasting with {DNA} \\& {\\"u}ber 5\\%}, author = {van der Berg, Tom and {The Group, Geneva}}, year = 2020, month = mar, journal = ehj, doi = {10.5555/bib.1},
  pmid = {90000003}}
@incollection{two, title = {A chapter}, booktitle = {A book}, isbn = {978-3-16-148410-0}, year = 2001}
`
const CSL = JSON.stringify([
  {
    type: 'thesis',
    title: 'A thesis',
    author: [{ family: 'Velasquez', given: 'T' }],
    issued: { 'date-parts': [[2018]] },
  },
])

t.test('each format is read', async (t) => {
  const first = (text: string) => importAll(text)[0]
  t.match(first(RIS), {
    source: 'import',
    format: 'ris',
    records: [
      {
        title: 'Intermittent fasting and cardiovascular risk  - a study that goes on',
        authors: [{ family: 'Okonjo', given: 'Adaeze', suffix: 'Jr' }, { literal: 'The Example Group' }],
        year: 2021,
        month: 3,
        pages: '1-9',
        pmid: '90000001',
        doi: '10.5555/EMBASE.1',
        isbn: [],
        abstract: /p < 0\.05\.$/,
      },
      { title: 'A preprint on fasting', preprint: true, journal: 'medRxiv' },
    ],
  })
  t.match(first(NBIB), {
    format: 'nbib',
    records: [
      {
        title: 'Fasting and blood pressure.',
        pmid: '90000002',
        pmcid: 'PMC77',
        doi: '10.5555/nbib.2',
        article_number: 'e77',
        month: 11,
        mesh: ['Fasting'],
        authors: [{ family: 'Nwosu', given: 'Chidi' }],
        publication_types: ['Randomized Controlled Trial'],
      },
    ],
  })
  t.match(first(BIBTEX), {
    format: 'bibtex',
    records: [
      {
        title: 'Fasting with DNA & über 5%',
        authors: [{ family: 'van der Berg', given: 'Tom' }, { literal: 'The Group, Geneva' }],
        year: 2020,
        month: 3,
        journal: 'Example Heart Journal',
        doi: '10.5555/bib.1',
        pmid: '90000003',
      },
      { work_type: 'chapter', journal: 'A book' },
    ],
  })
  t.match(first(CSL), { format: 'csl', records: [{ work_type: 'thesis', year: 2018 }] })
  t.strictSame(
    importAll([{ name: 'Embase', text: RIS }, { text: CSL }, { name: 'Embase', text: NBIB }]).map(
      ({ source }) => source,
    ),
    ['import:Embase', 'import', 'import:Embase (2)'],
  )
})

t.test('an unreadable text is an error that names the entry', async (t) => {
  const { stage } = stageOver(t)
  for (const [records, message] of [
    ['Just words.', /^inputs\/records: is not RIS, NBIB/],
    [[{ text: CSL }, { text: '[{"title":' }], /^inputs\/records\/1\/text: read as csl: /],
    [
      '@article{ok, title={x}}\n@article{broken, title={y}\n',
      /^inputs\/records: read as bibtex: entry 2 \(broken\)/,
    ],
    ['[]', /contains no record/],
  ] as const) {
    t.throws(() => stage.validate(stageRequest({ inputs: { records } })), {
      status: 422,
      code: 'INVALID_INPUTS',
      message,
    })
  }
  t.throws(() => stage.validate(stageRequest({ inputs: { decisions: { x: { decision: 'maybe' } } } })), {
    message: /inputs\/decisions\/x/,
  })
})

t.test('imported records are deduplicated, screened and counted as a separate source', async (t) => {
  const { work } = stageOver(t)
  const before = (await work()).review
  const double = `TY  - JOUR\nTI  - ${before.papers[0]?.title}\nDO  - ${before.papers[0]?.doi}\nER  - \n`
  const { review, files, steps } = await work({
    inputs: { records: [{ name: 'Embase', text: RIS + double }] },
  })
  t.equal(review.counts.identified, before.counts.identified + 3)
  t.equal(review.counts.duplicates, before.counts.duplicates + 1)
  t.match(
    review.papers.find(({ doi }) => doi === '10.5555/embase.1'),
    {
      source: 'import:Embase',
      screening: { decision: 'included' },
    },
  )
  t.ok(review.papers[0]?.records.some(({ source }) => source === 'import:Embase'))
  t.match(review.imports, [{ source: 'import:Embase', format: 'ris', records: 3, sha256: /^[0-9a-f]{64}$/ }])
  t.notOk('records' in review.inputs, 'the text is not repeated')
  t.match(JSON.parse(files['prisma.json'] ?? '').identification.by_source, { 'import:Embase': 3 })
  t.match(JSON.parse(files['search_log.json'] ?? '').prisma_s[6], {
    name: 'Other methods',
    told: /import:Embase: 3/,
  })
  t.ok(steps.some(({ message }) => message.includes(', 3 of import:Embase')))
  t.match(review.notice, /invented.*Imported records are real/)
})

t.test('a person’s decisions settle uncertain and other papers', async (t) => {
  const { work } = stageOver(t)
  const before = (await work()).review
  const [uncertain, included] = [before.uncertain[0]?.id ?? '', before.papers[3]?.id ?? '']
  const { review, files } = await work({
    inputs: {
      max_results: before.papers.length,
      decisions: {
        [uncertain.toUpperCase().replace('DOI:', 'doi:')]: { decision: 'include', reason: 'read in full' },
        [included]: { decision: 'exclude', reason: 'wrong population' },
        'doi:10.5555/nobody': { decision: 'exclude' },
      },
    },
  })
  t.match(review.papers.find(({ id }) => id === uncertain)?.screening, {
    decision: 'included',
    rule: 'decided_by_person',
    reason: 'a person decided: read in full',
    ruled: { decision: 'uncertain' },
  })
  t.match(
    review.excluded.find(({ id }) => id === included),
    {
      rule: 'decided_by_person',
      reason: 'a person decided: wrong population',
      ruled: { decision: 'included' },
    },
  )
  t.match(review.counts, {
    uncertain: before.counts.uncertain - 1,
    decided_by_person: 2,
    excluded_by_rule: { decided_by_person: 1 },
  })
  t.strictSame(review.undecided, ['doi:10.5555/nobody'])
  t.match(review.summary.text, /2 papers were decided by hand/)
  t.match(files['excluded.ris'], /N1 {2}- .*Excluded: a person decided: wrong population/)
  t.match(files['references.bib'], 'a person decided: read in full')
  const title = before.uncertain[0]?.title ?? 'none'
  t.notOk(files['uncertain.ris']?.includes(title), 'it is uncertain no more')
  t.match(JSON.parse(files['prisma.json'] ?? '').screening.decided_by_person, { included: 1, excluded: 1 })
})

t.test('the SVG of the flow diagram is self-contained', async (t) => {
  const { files, review } = await stageOver(t).work({ inputs: { records: [{ name: '<A&B>', text: RIS }] } })
  const svg = files['prisma.svg'] ?? ''
  t.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/)
  t.match(svg, `Papers included: ${review.counts.included}`)
  t.match(svg, 'prefers-color-scheme:dark')
  t.match(svg, 'import:&lt;A&amp;B&gt;: 2')
  t.notMatch(svg, /(?:href|src|url\((?!#)|@import)/, 'nothing from elsewhere')
})

t.test('the example of docs/literature.md', async (t) => {
  const docs = read('docs/literature.md')
  const inputs = JSON.parse(/```json inputs\n([\s\S]*?)```/.exec(docs)?.[1] ?? '')
  const { review } = await stageOver(t).work({ inputs })
  t.match(
    review.papers.find(({ source }) => source === 'import:Embase'),
    {
      title: 'Intermittent fasting and blood pressure of nurses',
      screening: { rule: 'decided_by_person', ruled: { decision: 'uncertain' } },
    },
  )
})

/** Independent readers read the review's references back without loss. */
import '@citation-js/plugin-bibtex'
import '@citation-js/plugin-ris'
import { Cite, plugins } from '@citation-js/core'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { bibtexEntry } from '../artifacts/bibtex.ts'
import { citationKeys } from '../artifacts/citation-keys.ts'
import { cslItem } from '../artifacts/csl.ts'
import { risEntry } from '../artifacts/ris.ts'
import type { Paper, SourceRecord } from '../paper.ts'
import { CSL_SCHEMA } from './csl-schema.ts'
import { stageOver } from './literature-work.ts'
import { paperOf } from './records.ts'

/** The parts of a reference that every reader has a field for. */
interface Reference {
  title?: string
  DOI?: string
  volume?: string
  issue?: string
  page?: string
  'container-title'?: string
  publisher?: string
  author?: { family?: string; given?: string; literal?: string; 'non-dropping-particle'?: string }[]
  issued?: { 'date-parts'?: unknown[][] }
  abstract?: string
}

const HARD: Partial<SourceRecord>[] = [
  {
    title: 'Plain title',
    doi: '10.5555/plain_1',
    volume: '12',
    issue: '2',
    pages: '101-109',
    journal: 'Heart & Mind',
  },
  {
    title: 'CO2 {braces} 100 % $5 #1 a_b ~ ^ \\ & more',
    abstract: 'Line one.\nResults: p < 0.05 & 5% of {x}.',
  },
  { title: '間欠的断食と心血管リスク', authors: [{ family: '田中', given: '花子' }], journal: '例' },
  {
    title: 'Ayuno intermitente, presión',
    authors: [
      { family: 'Tremblay-Roy', given: 'Élodie M.' },
      { literal: 'The Example and Sample Group, Geneva' },
    ],
  },
  {
    title: 'DNA of the iPhone in vitro',
    authors: [
      { family: "O'Neill", given: 'J' },
      { family: 'Okonjo', given: null },
    ],
  },
  { title: 'No author, no year', authors: [], year: null },
  { title: 'A preprint', preprint: true, journal: 'medRxiv', doi: '10.5555/pre' },
]
const papers = HARD.map((one, at) => paperOf({ raw_id: `MED/${at}`, ...one }))
const keys = citationKeys(papers)
const keyOf = (paper: Paper) => keys.get(paper.id) ?? ''

const read = (text: string, type: string): Reference[] =>
  new Cite(text, { forceType: type }).data as Reference[]
const names = (authors: Reference['author'] = []) =>
  authors.map(({ family, given, literal, ...one }) =>
    [one['non-dropping-particle'], family ?? literal, given].filter(Boolean).join('|'),
  )
const wanted = ({ authors }: Paper, groups: (name: string) => string) =>
  authors.map((one) =>
    'literal' in one ? groups(one.literal) : [one.family, one.given].filter(Boolean).join('|'),
  )
const spaced = (text: string | null | undefined) => text?.replace(/\s+/g, ' ')

function same(
  t: Test,
  found: Reference[],
  expected: readonly Paper[],
  groups = (name: string) => name,
): void {
  t.equal(found.length, expected.length, 'every reference is read')
  for (const [at, paper] of expected.entries()) {
    const reference = found[at]
    t.equal(reference?.title, paper.title)
    t.strictSame(names(reference?.author), wanted(paper, groups), paper.title)
    t.equal(Number(reference?.issued?.['date-parts']?.[0]?.[0] ?? 0), paper.year ?? 0)
    t.equal(reference?.DOI ?? null, paper.doi)
    // Reference managers treat the server of a preprint as its publisher.
    const place = paper.preprint ? reference?.publisher : reference?.['container-title']
    t.equal(place ?? null, paper.journal)
    t.strictSame([reference?.volume ?? null, reference?.issue ?? null], [paper.volume, paper.issue])
    t.equal(reference?.page?.replace('--', '-') ?? null, paper.pages)
    t.equal(spaced(reference?.abstract) ?? null, spaced(paper.abstract) ?? null)
  }
}

t.test('BibTeX', async (t) => {
  // Otherwise this reader would convert titles to sentence case.
  plugins.config.get('@bibtex').parse.sentenceCase = 'never'
  same(
    t,
    read(papers.map((paper) => bibtexEntry({ paper, key: keyOf(paper) })).join('\n'), '@biblatex/text'),
    papers,
  )
})

t.test('RIS', async (t) => {
  const text = papers.map((paper) => risEntry({ paper, key: keyOf(paper) })).join('\r\n')
  // In RIS, a comma in a group's name looks like the one between surname and given name.
  same(t, read(text, '@ris/file'), papers, (name) => name.replaceAll(',', ''))
})

t.test('CSL-JSON obeys the rules of its schema', async (t) => {
  const valid = new Ajv({ strict: false }).compile(CSL_SCHEMA)
  const items = papers.map((paper) => cslItem({ paper, key: keyOf(paper) }))
  t.ok(valid(items), JSON.stringify(valid.errors))
  t.notOk(valid([{ ...items[0], source_id: 'x' }]), 'a foreign field would be found')
  t.notOk(valid([{ ...items[0], author: [{ name: 'x' }] }]), 'and a foreign part of a name')
  same(t, new Cite(items).data as Reference[], papers)
  t.match(items[0], { custom: { id: 'doi:10.5555/plain_1' }, type: 'article-journal' })
})

t.test('the type of publication in all three formats', async (t) => {
  for (const [work_type, csl, bibtex, ris, place] of [
    ['article', 'article-journal', 'article', 'JOUR', 'container-title'],
    ['preprint', 'article', 'misc', 'UNPB', 'publisher'],
    ['book', 'book', 'book', 'BOOK', null],
    ['chapter', 'chapter', 'incollection', 'CHAP', 'container-title'],
    ['thesis', 'thesis', 'phdthesis', 'THES', 'publisher'],
    ['conference_paper', 'paper-conference', 'inproceedings', 'CONF', 'container-title'],
    ['proceedings', 'book', 'proceedings', 'CONF', null],
    ['report', 'report', 'techreport', 'RPRT', 'publisher'],
    ['dataset', 'dataset', 'dataset', 'DATA', 'publisher'],
  ] as const) {
    const reference = {
      paper: paperOf({ work_type, preprint: work_type === 'preprint', journal: 'Place' }),
      key: 'k',
    }
    const [bib, lines, item] = [bibtexEntry(reference), risEntry(reference), cslItem(reference)]
    t.match(bib, new RegExp(`^@${bibtex}\\{k,`))
    t.match(lines, new RegExp(`^TY  - ${ris}\r\n`))
    t.equal(item.type, csl)
    if (place === null) continue
    for (const [read_, how] of [
      [read(bib, '@biblatex/text'), 'BibTeX'],
      [read(lines, '@ris/file'), 'RIS'],
      [[item as Reference], 'CSL'],
    ] as const) {
      t.equal(read_[0]?.[place], 'Place', `${how}: ${work_type}`)
    }
  }
})

t.test('the other fields of a reference are read back', async (t) => {
  const paper = paperOf({
    authors: [{ family: 'Okonjo', given: 'Adaeze', suffix: 'Jr' }],
    month: 3,
    article_number: 'e0123',
    isbn: ['978-3-16-148410-0'],
    languages: ['eng', 'fre'],
    language: 'eng',
    open_access: [{ url: 'https://example.org/a.pdf', source: 'openalex', format: 'pdf', license: null }],
  })
  const reference = { paper, key: 'k' }
  const found = [
    read(bibtexEntry(reference), '@biblatex/text')[0],
    read(risEntry(reference), '@ris/file')[0],
    cslItem(reference),
  ]
  for (const one of found) {
    t.match(one, { author: [{ family: 'Okonjo', given: 'Adaeze', suffix: 'Jr' }] })
    t.strictSame((one as Reference | undefined)?.issued?.['date-parts'], [[2020, 3]])
    t.match(one, { number: 'e0123' })
  }
  const chapter = { paper: { ...paper, work_type: 'chapter' as const }, key: 'k' }
  t.match(read(bibtexEntry(chapter), '@biblatex/text'), [{ ISBN: '9783161484100' }])
  t.match(read(risEntry(chapter), '@ris/file'), [{ ISBN: '9783161484100' }])
  t.match(cslItem(chapter), { ISBN: '9783161484100' })
  t.match(risEntry(reference), /LA {2}- en, fr\r\n/)
  t.match(risEntry(reference), 'L1  - https://example.org/a.pdf')
  t.match(bibtexEntry(reference), 'language = {en and fr}')
  t.match(cslItem(reference), { URL: 'https://example.org/a.pdf', custom: { languages: ['en', 'fr'] } })
})

t.test('keys are unique, plain and stable', async (t) => {
  t.strictSame(
    [...keys.values()],
    ['okonjo2020', 'okonjo2020-2', 'anon2020', 'tremblayroy2020', 'oneill2020', 'anonnd', 'okonjo2020-3'],
  )
})

t.test('any title survives BibTeX and RIS', async (t) => {
  const sign = fc.constantFrom(..."abcXYZ 0123456789.,;:!?()[]{}%&$#_~^\\/-+=<>|*'äßé–µ≥断".split(''))
  const title = fc
    .array(sign, { minLength: 1, maxLength: 40 })
    .map((signs) => signs.join('').replace(/\s+/g, ' ').trim())
  fc.assert(
    fc.property(
      title.filter((text) => /\w/.test(text)),
      (text) => {
        const paper: Paper = { ...paperOf(), title: text }
        const [bib] = read(bibtexEntry({ paper, key: 'k' }), '@biblatex/text')
        const [ris] = read(risEntry({ paper, key: 'k' }), '@ris/file')
        return bib?.title === text && ris?.title === text
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})

t.test('the files of a whole review', async (t) => {
  const { files, review } = await stageOver(t).work()
  const expected = review.papers as unknown as Paper[]
  same(t, read(files['references.ris'] ?? '', '@ris/file'), expected)
  same(t, read(files['references.bib'] ?? '', '@biblatex/text'), expected)
  same(t, JSON.parse(files['references.csl.json'] ?? ''), expected)
  t.ok(new Ajv({ strict: false }).compile(CSL_SCHEMA)(JSON.parse(files['references.csl.json'] ?? '')))
})

/** The links and notices of the papers in a review. */
import t from 'tap'
import { noBrowser as skip } from '../helpers/browser.ts'
import { succeed } from '../helpers/stage-service.ts'
import { type Dom, openReviewed, startReview } from './console.ts'

/** One record of each source that a paper can have, and open copies as sources report them. */
const PAPER = {
  id: 'p1',
  title: 'Time-restricted eating and blood pressure',
  authors: [{ family: 'Osei' }],
  year: 2021,
  doi: '10.1000/tre.2021',
  pmid: '33445566',
  pmcid: 'PMC7788990',
  records: [
    { source: 'pubmed', id: '33445566' },
    { source: 'europepmc', id: 'MED/33445566' },
    { source: 'openalex', id: 'https://openalex.org/W3111222333' },
  ],
  open_access: [
    { url: 'https://example.org/tre.pdf', format: 'pdf', license: 'cc-by', source: 'openalex' },
    // The same copy, reported by a second source.
    { url: 'https://example.org/tre.pdf', format: 'pdf', license: null, source: 'europepmc' },
    { url: 'http://example.org/tre', format: 'html', license: null, source: 'europepmc' },
    { url: 'javascript:window.pwned=1', format: 'html', license: null, source: 'crossref' },
    { url: 'not an address', format: 'html', license: null, source: 'crossref' },
  ],
  notices: [{ type: 'expression_of_concern', by: { doi: '10.1000/eoc' } }],
}
const RETRACTED = {
  id: 'p2',
  title: 'Fasting cures everything',
  retracted: true,
  notices: [{ type: 'retraction', by: { doi: '10.1000/ret' } }],
  records: [{ source: 'crossref', id: '10.1000/cure' }],
}
/** Its identifiers have the right form but belong to no paper. */
const INVENTED = {
  id: 'p3',
  title: 'A record of the sample data',
  pmid: '12345678',
  pmcid: 'PMC1234567',
  records: [{ source: 'sample', id: 'W1234567890' }],
}
const notice = (id: string, type: string, title: string, about: string[]) => ({
  id,
  type,
  title,
  about,
  source: 'pubmed',
  year: 2023,
})
const REVIEW = {
  kind: 'literature_review',
  papers: [PAPER, RETRACTED, INVENTED],
  notices: [
    notice('n1', 'expression_of_concern', 'Expression of concern: time-restricted eating', ['p1', 'p2']),
    notice('n2', 'retraction', 'Retraction note', ['p2']),
    notice('n3', 'correction', 'Erratum to another paper', []),
  ],
}

t.test('links and notices', { skip }, async (t) => {
  const answer = succeed({ artifacts: ['literature_review.json'] })
  const { page, complaints } = await openReviewed(t, answer, REVIEW)
  await startReview(page)
  const papers = page.locator('.paper')
  await papers.nth(2).waitFor()

  await t.test('a paper links to its copies and its records', async (t) => {
    const links = papers.nth(0).locator('.paper-links li')
    const shown = await links.evaluateAll((all) =>
      all.map((one) => {
        const item = one as unknown as { textContent: string; querySelector(name: string): Dom | null }
        return [item.textContent, item.querySelector('a')?.getAttribute('href')]
      }),
    )
    t.same(shown, [
      ['Full text (PDF) cc-by, according to OpenAlex', 'https://example.org/tre.pdf'],
      ['Full text according to Europe PMC', 'http://example.org/tre'],
      ['PubMed', 'https://pubmed.ncbi.nlm.nih.gov/33445566/'],
      ['PMC', 'https://pmc.ncbi.nlm.nih.gov/articles/PMC7788990/'],
      ['Europe PMC', 'https://europepmc.org/article/MED/33445566'],
      ['OpenAlex', 'https://openalex.org/W3111222333'],
    ])
    const first = links.first().locator('a')
    t.match(
      await first.getAttribute('rel'),
      /noreferrer/,
      'the site does not learn where the reader comes from',
    )
    t.equal(await first.getAttribute('target'), '_blank', 'the review stays open')
  })

  await t.test('an invented record has no links', async (t) => {
    t.equal(await papers.nth(2).locator('.paper-links').count(), 0)
  })

  await t.test('a notice marks the papers that it is about', async (t) => {
    const marks = (at: number) => papers.nth(at).locator('.chip.warm').allTextContents()
    t.same(await marks(0), ['expression of concern'])
    t.same(await marks(1), ['retracted'], 'once')
    t.same(await marks(2), [])
  })

  await t.test('notices are listed apart, with their papers', async (t) => {
    const section = page.getByRole('region', { name: /^Notices/ })
    t.match(await section.getByRole('heading').textContent(), /3/)
    const items = await section.locator('li').allTextContents()
    t.match(items[0], /expression of concern.*Expression of concern: time-restricted eating 2023/)
    t.match(items[0], 'About: Time-restricted eating and blood pressure; Fasting cures everything')
    t.match(items[1], /retraction.*About: Fasting cures everything$/)
    t.match(items[2], /correction.*Concerns no paper in this review\.$/)
    t.equal(await papers.count(), 3, 'none of them is a paper')
  })
  t.equal(await page.evaluate('window.pwned'), undefined)
  t.same(complaints, [])
})

/** Whatever a stage service or a user writes is shown as text: nothing of it becomes part of the page. */
import t from 'tap'
import { noBrowser as skip } from '../helpers/browser.ts'
import { type Answer, ndjson, success } from '../helpers/stage-service.ts'
import { type Dom, openReviewed, startReview } from './console.ts'

const EVIL = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'"{{7*7}}`
/** Right-to-left text and an override that would turn around what follows it. */
const TURNED = '\u202egnp.exe العنوان'

const REVIEW = {
  kind: 'literature_review',
  source: EVIL,
  notice: EVIL,
  degraded: true,
  warnings: [{ source: EVIL, message: EVIL }, null],
  summary: {
    text: EVIL,
    limitations: [EVIL, { text: EVIL }, null, 7],
    gaps: [{ text: EVIL }],
    themes: [{ label: EVIL, paper_ids: ['a'] }, EVIL, null],
  },
  concepts: [{ role: EVIL, label: EVIL, terms: [EVIL] }, null],
  counts: { identified: 3, screened: 3, excluded: 1, included: 2, excluded_by_rule: { [EVIL]: 1 } },
  papers: [
    {
      title: EVIL,
      authors: [EVIL, { family: TURNED }],
      doi: 'javascript:window.pwned=1',
      why: EVIL,
      journal: TURNED,
      abstract: EVIL,
      ranking: { score: 'much', parts: [{ by: EVIL }] },
      extraction: { results: [{ text: EVIL }], sample_size: EVIL },
      related: [{ id: EVIL, relation: EVIL }],
    },
    {
      title: '日本語の題名 — Ω ≠ ∅',
      authors: 'nobody',
      year: {},
      doi: '10.1000/"><script>',
      study_type: [EVIL],
    },
    null,
    'text',
  ],
  uncertain: [{ title: EVIL, screening: { reason: EVIL } }],
  excluded: [{ title: EVIL, reason: EVIL }, 5],
}

t.test('hostile text stays text', { skip }, async (t) => {
  const answer: Answer = (call) =>
    ndjson([
      { type: 'progress', percent: 10, message: EVIL },
      { type: 'progress', percent: 20, message: TURNED },
      {
        type: 'result',
        ...success(call, { artifacts: ['literature_review.json', `${'x'.repeat(40)}<b>.txt`] }),
      },
    ])(call)
  const { page, complaints, url } = await openReviewed(t, answer, REVIEW)

  await startReview(page, `Is ${EVIL} shown as it is?`)
  await page.locator('.paper').nth(3).waitFor()
  t.equal(await page.locator('h1').textContent(), `Is ${EVIL} shown as it is?`)
  t.ok(
    await page
      .locator('.paper h4')
      .first()
      .textContent()
      .then((text) => text?.endsWith(EVIL)),
  )
  t.match(await page.locator('.paper').nth(1).textContent(), '日本語の題名 — Ω ≠ ∅')
  for (const summary of await page.locator('summary').all()) await summary.click()
  await page.locator('.step', { hasText: EVIL }).waitFor()
  t.equal(await page.locator('main img, main script, main b, main [onerror]').count(), 0)
  const links = await page
    .locator('a')
    .evaluateAll((all) => all.map((one) => (one as unknown as Dom).getAttribute('href') ?? ''))
  t.same(
    links.filter(
      (href) => !/^(#\/|\.\.\/docs\/$|\.\.\/openapi\.json$|https:\/\/doi\.org\/[\w./%]+$)/.test(href),
    ),
    [],
    'no link that was made of it',
  )
  t.equal(await page.evaluate('window.pwned'), undefined)
  t.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false)

  await page.goto(`${url}/console/#/jobs/2/${encodeURIComponent(EVIL)}`)
  await page.getByRole('heading', { name: 'No such job' }).waitFor()
  await page.goto(`${url}/console/#/new/__proto__`)
  await page.getByText('Unknown stage').waitFor()
  t.equal(await page.evaluate('window.pwned'), undefined)
  t.same(complaints, [], 'and the policy had nothing to stop')
})

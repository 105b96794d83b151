/** A user's path through the console in a real browser, from the question to the review. */
import { readFile } from 'node:fs/promises'
import type { Queue } from 'bullmq'
import t from 'tap'
import { get, type Queued } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { eventually } from '../helpers/waiting.ts'
import { hasFocus, openAs, openTab, QUESTION, startAll, startReview } from './console.ts'

t.test('from the question to the review', { skip }, async (t) => {
  const api = await startAll(t, { paceMs: 150 })
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url)

  await t.test('a fault is shown at its field', async (t) => {
    await page.getByRole('link', { name: /Literature search/ }).click()
    await page.getByLabel('Max results').fill('900')
    await page.getByRole('heading', { level: 1 }).focus()
    const start = await page.getByRole('button', { name: 'Start' }).boundingBox()
    t.ok(start && start.y + start.height <= (page.viewportSize()?.height ?? 0), 'the start is in sight')
    await page.keyboard.press('Control+Enter')
    const question = page.getByLabel('Research question')
    await page.locator('#field-research_question-fault').getByText('is required').waitFor()
    t.equal(await question.getAttribute('aria-invalid'), 'true')
    t.match(await page.locator('#field-inputs-max_results-fault').textContent(), /must be at most 200/)
    t.ok(await hasFocus(question), 'has the focus')
  })

  await t.test('a double click runs one job', async (t) => {
    await page.getByLabel('Research question').fill(QUESTION)
    await page.getByLabel('Max results').fill('12')
    await page.getByLabel('Include keywords').fill('fasting\nblood pressure\n')
    await page.getByLabel('Randomized controlled trial').check()
    await page.getByLabel('Cohort').check()
    await page.getByRole('button', { name: 'Start' }).dblclick()
    await page.locator('.job').waitFor()
    t.match(page.url(), /\/console\/#\/jobs\/2\/[\w-]{36}$/)
    t.equal(await jobCount(api.queue), 1)
  })

  await t.test('it is watched to its end', async (t) => {
    await page.locator('.transport.sse').waitFor()
    await page.getByText('question framed').first().waitFor()
    await page.locator('.job.completed').waitFor()
    t.match(await page.locator('.job').textContent(), /completed.*Took.*Attempt \d of \d/)
    const status = await get<Queued & { data: { inputs: unknown } }>(api.url + statusUrl(page.url()))
    t.same(status.data.inputs, {
      max_results: 12,
      study_types: ['randomized_controlled_trial', 'cohort'],
      include_keywords: ['fasting', 'blood pressure'],
    })
  })

  await t.test('the review can be read', async (t) => {
    const review = page.getByRole('article', { name: 'Literature review' })
    await review.getByRole('heading', { name: 'Papers' }).waitFor()
    t.match(await review.locator('.sample').textContent(), /Sample data/)
    const papers = review.locator('.paper')
    t.ok((await papers.count()) > 1)
    t.match(await papers.first().locator('.why').textContent(), /fasting/)
    const flow = review.getByRole('img', { name: /PRISMA/ })
    t.match(await flow.textContent(), /Identified.*Screened.*Excluded.*other study type.*Included/)
  })

  await t.test('its file can be saved', async (t) => {
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: /Download literature_review\.json/ }).click()
    const file = await saving
    t.equal(file.suggestedFilename(), 'literature_review.json')
    t.equal(JSON.parse(await readFile(await file.path(), 'utf8')).kind, 'literature_review')
  })

  await t.test('it can be run again with changes', async (t) => {
    await page.getByRole('link', { name: 'Run again with changes' }).click()
    t.equal(await page.getByLabel('Research question').inputValue(), QUESTION)
    t.equal(await page.getByLabel('Max results').inputValue(), '12')
    t.equal(await page.getByLabel('Include keywords').inputValue(), 'fasting\nblood pressure')
    t.ok(await page.getByLabel('Cohort').isChecked())
  })

  t.same(complaints, [], 'nothing broke the policy, nothing threw')
  const addresses = await page.evaluate(
    'performance.getEntriesByType("resource").map(({ name }) => name).join()',
  )
  t.notMatch(addresses, /eyJ/, 'no token in an address')
})

t.test('cancelling', { skip }, async (t) => {
  const api = await startAll(t, { paceMs: 2000 })
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url)
  await startReview(page)
  await page.getByRole('button', { name: 'Cancel' }).click()
  const yes = page.getByRole('button', { name: 'Yes, cancel it' })
  t.ok(await hasFocus(yes), 'the focus is there')
  await page.getByRole('button', { name: 'No' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await yes.click()
  await page.locator('.job.cancelled').waitFor()
  t.match(await page.locator('.job').textContent(), /was cancelled/)
  await eventually('no job is running', async () => (await api.queue.getActiveCount()) === 0)
  t.same(complaints, [])
})

async function jobCount(queue: Queue): Promise<number> {
  return Object.values(await queue.getJobCounts()).reduce((sum, count) => sum + count, 0)
}

/** The API's path for the job that the page shows. */
function statusUrl(page: string): string {
  const [, stage, id] = /#\/jobs\/(\d+)\/([\w-]+)/.exec(page) ?? []
  return `/api/workflow/stages/${stage}/jobs/${id}/status`
}

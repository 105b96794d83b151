/** Earlier jobs as a list: filters, pages, and links that work again after a reload. */
import t from 'tap'
import { enqueue, startApi, testEnv } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { eventually } from '../helpers/waiting.ts'
import { CONSOLE, openAs, openTab } from './console.ts'

t.test('earlier jobs', { skip, timeout: 300_000 }, async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t), CONSOLE))
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url, '#/jobs')
  await page.getByText('You have not started any jobs yet').waitFor()

  for (let n = 1; n <= 30; n += 1) {
    const research_question = `Does better sleep improve memory? Number ${n}`
    await enqueue(api.url, { stage: n % 10 === 0 ? 3 : 2, body: { research_question } })
  }
  await enqueue(api.url, { user: 'bob', body: { research_question: 'What does Bob want to know?' } })
  await page.getByRole('button', { name: 'Refresh' }).click()
  const rows = page.locator('.job-row')
  await rows.first().waitFor()
  t.equal(await rows.count(), 25)
  t.match(await rows.first().textContent(), /Number 30/, 'the newest first')

  await page.getByRole('button', { name: 'Show older jobs' }).click()
  await page.getByText('Number 1', { exact: false }).last().waitFor()
  await page.locator('.job-row', { hasText: /Number 1\D/ }).waitFor()
  t.equal(await rows.count(), 30, 'all of mine, none of others')
  t.equal(await page.getByRole('button', { name: 'Show older jobs' }).count(), 0)

  await page.getByLabel('Stage').selectOption('3')
  const three = () => eventually('three jobs', async () => (await rows.count()) === 3)
  await three()
  t.match(page.url(), /#\/jobs\?stage=3$/)
  await page.reload()
  await three()
  await page.getByLabel('Status').selectOption('completed')
  await page.getByText('No job matches').waitFor()
  await page.goBack()
  await page.locator('.job-row', { hasText: 'Number 20' }).getByRole('link').click()
  await page.getByRole('heading', { name: 'Number 20' }).waitFor()
  t.match(await page.locator('.job').textContent(), /queued.*Not started yet/)
  t.same(complaints, [])
})

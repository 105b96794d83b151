/** Earlier jobs as a list: filters, search, pages, deletion, and links that work again after a reload. */
import t from 'tap'
import { enqueue, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fail, fakeStageService, silence } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'
import { axe, CONSOLE, hasFocus, openAs, openTab, overflow } from './console.ts'

t.test('earlier jobs', { skip }, async (t) => {
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
  await page.locator('.job-row .name', { hasText: /Number 1$/ }).waitFor()
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
  await page.getByLabel('Stage').selectOption('')
  await page.getByRole('searchbox', { name: 'Search' }).pressSequentially('number 20')
  await eventually('one job', async () => (await rows.count()) === 1)
  t.match(page.url(), /#\/jobs\?search=number\+20$/)
  t.ok(await hasFocus(page.getByRole('searchbox', { name: 'Search' })), 'typing can continue')
  t.equal(await page.getByLabel('Owner').count(), 0, 'is for administrators')
  await rows.getByRole('link', { name: 'Number 20' }).click()
  await page.getByRole('heading', { name: 'Number 20' }).waitFor()
  t.match(await page.locator('.job').textContent(), /queued.*Not started yet/)
  t.same(complaints, [])
})

t.test('an administrator finds and deletes jobs of others', { skip }, async (t) => {
  const service = await fakeStageService(t, ({ stage, ...call }) =>
    stage === 5 ? silence({ stage, ...call }) : fail(422, 'NO_LUCK')({ stage, ...call }),
  )
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const ask = (user: string, research_question: string, stage = 3) =>
    enqueue(api.url, { user, stage, body: { research_question } })
  await ask('alice', 'What does Alice want to know?')
  await ask('alice', 'What else does Alice want to know?')
  await ask('bob', 'What does Bob want to know?', 5)
  const { page, complaints } = await openTab(t, { viewport: { width: 390, height: 844 } })
  await page.goto(`${api.url}/console/#/jobs`)
  await page.getByLabel('Token').fill(token('root', { scope: 'admin' }))
  await page.getByRole('button', { name: 'Sign in' }).click()
  const row = (text: string) => page.locator('.job-row', { hasText: text })
  await page.locator('.job-row.active').waitFor()
  await eventually('two failed', async () => (await page.locator('.job-row.failed').count()) === 2)
  t.match(await row('What does Alice').textContent(), /3 · IRB proposal.*alice.*took \d+.*just now.*NO_LUCK/)
  t.equal(await row('Bob').getByRole('button').count(), 0, 'what runs is cancelled first')
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 844 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      t.same(await axe(page), [], `${width} px, ${colorScheme}`)
    }
    t.ok((await overflow(page)) <= 0)
  }

  await page.getByLabel('Owner').fill('alice')
  await page.getByLabel('Owner').press('Enter')
  await row('Bob').waitFor({ state: 'detached' })
  t.match(page.url(), /owner=alice/)
  const remove = row('What else').getByRole('button', { name: 'Delete What else' })
  await remove.focus()
  await page.keyboard.press('Enter')
  t.ok(await hasFocus(page.getByRole('button', { name: 'Yes, delete it' })))
  await page.getByRole('button', { name: 'No', exact: true }).click()
  t.ok(await hasFocus(remove), 'and nothing was deleted')
  await remove.click()
  await page.getByRole('button', { name: 'Yes, delete it' }).click()
  await row('What else').waitFor({ state: 'detached' })
  await page.reload()
  await row('What does Alice').waitFor()
  t.equal(await page.locator('.job-row').count(), 1)

  await row('What does Alice').getByRole('link', { name: 'What does Alice' }).click()
  await page.locator('.job.failed').waitFor()
  await page.route('**/jobs/*', async (route) => {
    const detail = 'A run uses this job: cancel the run first'
    const body = { type: 'x', title: 'Not finished', status: 409, detail, code: 'JOB_NOT_FINISHED' }
    if (route.request().method() !== 'DELETE') return route.fallback()
    await route.fulfill({ status: 409, contentType: 'application/problem+json', json: body })
  })
  const deleteIt = async () => {
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('button', { name: 'Yes, delete it' }).click()
  }
  await deleteIt()
  await page.getByText('A run uses this job: cancel the run first.').waitFor()
  await page.unroute('**/jobs/*')
  await deleteIt()
  await page.getByRole('heading', { name: 'Jobs' }).waitFor()
  await page.locator('.job-row', { hasText: 'Bob' }).waitFor()
  t.equal(await page.locator('.job-row').count(), 1)
  t.same(complaints, [])
})

/** The dashboard for administrators: what waits and why, what failed, figures of each stage; only they can see it. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { writeMinutes } from '../../journal/history.ts'
import { enqueue, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fail, fakeStageService, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'
import { axe, CONSOLE, type Dom, openAs, openTab, overflow } from './console.ts'

t.test('the dashboard', { skip }, async (t) => {
  const service = await fakeStageService(t, (call) =>
    (call.stage === 3 ? fail(422, 'NO_LUCK') : succeed())(call),
  )
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  const { page, complaints } = await openTab(t, { viewport: { width: 320, height: 640 } })
  await openAs(page, api.url, '#/dashboard')
  t.match(await page.locator('.failure').textContent(), /admin/, 'other users see what is missing')
  t.equal(await page.getByRole('link', { name: 'Dashboard' }).count(), 0, 'and not led there')

  const { redis, journal } = api.app.stagecast
  const past = Math.floor(Date.now() / 60_000) - 150
  await writeMinutes(redis, journal.keys, [{ minute: past, waiting: 40, active: 2, ended: 70, failed: 7 }])
  for (const stage of [2, 2, 3]) await enqueue(api.url, { stage })
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Token').fill(token('root', { scope: 'read admin' }))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('no worker is available').waitFor()
  const tile = (name: string) => page.locator('.tile', { hasText: name }).locator('.figure')
  t.equal(await tile('Waiting').textContent(), '3')

  startWorker(t, env)
  const row = (name: string) => page.getByRole('row', { name: new RegExp(name) })
  await row('Literature search').getByRole('cell', { name: '100 %' }).waitFor()
  await row('IRB proposal').getByRole('cell', { name: '0 %' }).waitFor()
  await page.locator('.tile', { hasText: 'Waiting' }).getByText('none waiting').waitFor()
  // Success, completed, failed, cancelled, retried and per minute.
  const says = (name: string, figures: string) =>
    eventually(`${name}: ${figures}`, async () => {
      const cells = await row(name).getByRole('cell').allTextContents()
      return cells.slice(1, 6).join(' ') === figures
    })
  await says('Literature search', '2 0 0 0 2')
  await says('IRB proposal', '0 1 0 0 1')
  await page.getByText('of 2 running').waitFor()
  await page.getByRole('img', { name: 'in the last 6 hours 73 ended, 8 of them failed' }).waitFor()
  await page.getByRole('img', { name: 'in the last 6 hours at most 40 jobs waited' }).waitFor()
  t.equal(await page.locator('.chart canvas').count(), 2)
  for (const at of [0, 1]) t.ok((await inkOf(page, at)) > 30, `something is drawn in chart ${at}`)
  await page.getByRole('radio', { name: '6 hours' }).press('ArrowLeft')
  await page.getByRole('img', { name: 'per minute: in the last hour 3 ended, 1 of them failed' }).waitFor()
  await page.getByRole('img', { name: 'in the last hour at most 3 jobs waited' }).waitFor()
  await page.locator('.chart').first().hover()
  await page.locator('.chart .push', { hasText: /:/ }).waitFor()
  const failures = page.getByRole('region', { name: 'Recent failures' })
  t.match(await failures.getByRole('listitem').allTextContents(), [/IRB proposal.*alice.*NO_LUCK/])
  t.match(await failures.getByRole('link', { name: 'All failed jobs' }).getAttribute('href'), /status=failed/)
  await page.getByRole('button', { name: 'Pause the queue' }).click()
  await page.getByRole('button', { name: 'Yes, pause it' }).click()
  await page.getByRole('button', { name: 'Resume the queue' }).waitFor()
  await enqueue(api.url, { stage: 2 })
  await page.getByText('waiting because the queue is paused').waitFor()
  t.equal(service.calls.length, 3, 'nothing starts')
  await page.getByRole('button', { name: 'Resume the queue' }).press('Enter')
  await page.getByRole('button', { name: 'Pause the queue' }).waitFor()
  await service.call(3)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    t.same(await axe(page), [], colorScheme)
  }
  t.ok((await overflow(page)) <= 0)
  for (const width of [1000, 1440]) {
    await page.setViewportSize({ width, height: 800 })
    const hidden = await page.locator('.scroll').evaluate((element) => {
      const table = element as unknown as Dom
      return table.scrollWidth - table.clientWidth
    })
    t.equal(hidden, 0, `nothing of the table is cut off at ${width} px`)
  }
  t.same(complaints, [])
})

/** Pixels in the colour of a chart's keys: bars and lines, which an empty chart does not have. */
async function inkOf(page: Page, at: number): Promise<number> {
  return page.evaluate(`(() => {
    const chart = document.querySelectorAll('.chart')[${at}]
    const canvas = chart.querySelector('canvas')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    const colours = [...chart.querySelectorAll('i')].map((key) => getComputedStyle(key).color.match(/\\d+/g).map(Number))
    let found = 0
    for (let i = 0; i < data.length; i += 4)
      if (colours.some((colour) => colour.every((part, k) => Math.abs(part - data[i + k]) < 8))) found++
    return found
  })()`)
}

/** The page of a failed job: whose fault it is, what to do, and one click to retry; and the tab's icon. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { enqueue, get, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fail, fakeStageService, ndjson, success } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'
import { axe, CONSOLE, openAs, openTab, overflow } from './console.ts'

t.test('failures', { skip }, async (t) => {
  const service = await fakeStageService(t, (call) => {
    if (call.stage === 3) return fail(422, 'NO_CONSENT_FORM')(call)
    if (call.stage === 4) return fail(503, 'OVERLOADED')(call)
    if (call.stage === 6) {
      const error = { type: 'error', code: 'NO_TABLES', message: 'No table was found.', retryable: false }
      return ndjson([error])(call)
    }
    return ndjson([{ type: 'progress', percent: 40, message: 'half of it' }], { end: false })(call)
  })
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url)
  const visit = async (stage: number) => {
    const { job_id } = await enqueue(api.url, { stage })
    await page.goto(`${api.url}/console/#/jobs/${stage}/${job_id}`)
  }
  const titled = (title: string) => eventually(title, async () => (await page.title()) === title)

  await visit(3)
  await page.getByRole('heading', { name: 'The stage service did not accept the input' }).waitFor()
  t.match(await page.locator('.job').textContent(), /NO_CONSENT_FORM.*Change what the message names/)
  await titled('✗ · IRB proposal · Stagecast')
  t.ok(await iconIsDrawn(page))
  await page.getByRole('link', { name: 'Run again with changes' }).click()
  await page.getByRole('heading', { name: 'IRB proposal' }).waitFor()
  t.match(await page.getByLabel('Research question').inputValue(), /fasting/, 'the form has what was asked')
  t.match(await page.locator('link[rel="icon"]').getAttribute('href'), /^icon\.svg$/, 'the icon is the usual')

  await visit(6)
  await page.getByRole('heading', { name: 'The stage service rejected this job' }).waitFor()
  t.match(await page.locator('.job').textContent(), /NO_TABLES.*the same input would fail again/)
  const status = page.url().replace(/console.*jobs\/6\/(.*)/, 'api/workflow/stages/6/jobs/$1/status')
  t.match(await get(status), { error: { code: 'NO_TABLES', retryable: false, service_status: 200 } })

  await visit(4)
  await page.getByRole('heading', { name: 'The stage service failed' }).waitFor()
  t.match(
    await page.locator('.step').first().textContent(),
    /OVERLOADED.*attempt 3/,
    'open at the failing step',
  )
  t.ok(await page.locator('.step').first().isVisible())
  const second = page.locator('summary', { hasText: 'Attempt 2' })
  t.match(await second.textContent(), /OVERLOADED/)
  const before = page.locator('.step', { hasText: 'stage 4 is queued' })
  t.equal(await before.isVisible(), false)
  await page.locator('summary', { hasText: 'Attempt 1' }).focus()
  await page.keyboard.press('Enter')
  await before.waitFor()
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 844 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      t.same(await axe(page), [], `${width} px, ${colorScheme}`)
    }
    t.ok((await overflow(page)) <= 0)
  }
  const at = page.url()
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.waitForURL((url) => url.href !== at)
  await page.getByRole('link', { name: at.split('/').pop() ?? '' }).waitFor()

  await visit(5)
  await titled('44 % · PHI scanning · Stagecast')
  t.ok(await iconIsDrawn(page))
  const call = service.calls.find(({ stage }) => stage === 5)
  if (!call) throw new Error('it was not called')
  call.response.end(`${JSON.stringify({ type: 'result', ...success(call) })}\n`)
  await titled('✓ · PHI scanning · Stagecast')
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  await titled('Jobs · Stagecast')
  t.same(complaints, [])
})

/** Whether the tab's icon is a picture of the page's own making. */
async function iconIsDrawn(page: Page): Promise<boolean> {
  const href = (await page.locator('link[rel="icon"]').getAttribute('href')) ?? ''
  if (!href.startsWith('blob:')) return false
  return page.evaluate(`(async () => {
    const image = new Image()
    image.src = ${JSON.stringify(href)}
    await image.decode()
    return image.naturalWidth > 0
  })()`)
}

/** Accessibility: axe in every state and both themes, keyboard use, and small screens. */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startApi, startWorker, testEnv } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fakeStageService, ndjson, silence } from '../helpers/stage-service.ts'
import {
  axe,
  CONSOLE,
  type Dom,
  openAs,
  openTab,
  overflow,
  QUESTION,
  startAll,
  startReview,
} from './console.ts'

const PHONE = { viewport: { width: 320, height: 640 } }

t.test('each state, light and dark, wide and narrow', { skip }, async (t) => {
  const api = await startAll(t, { paceMs: 40 })
  const { page, complaints } = await openTab(t, PHONE)
  await page.goto(`${api.url}/console/`)
  await page.getByLabel('Token').waitFor()
  await looks(t, page, 'sign in')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('#token-fault:not(:empty)').waitFor()
  await looks(t, page, 'a refused token')
  await openAs(page, api.url)
  await page.locator('.stages').first().waitFor()
  await looks(t, page, 'the stages')
  await page.getByRole('link', { name: /Literature search/ }).click()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.locator('.fault:not(:empty)').first().waitFor()
  await looks(t, page, 'a form with a fault')
  await page.getByLabel('Research question').fill(QUESTION)
  await page.getByRole('button', { name: 'Start' }).click()
  await page.locator('.paper').first().waitFor()
  for (const summary of await page.locator('summary').all()) await summary.click()
  await looks(t, page, 'a review, unfolded')
  const scale = await page.locator('.flow svg').evaluate((element) => {
    const svg = element as unknown as Dom
    return svg.clientWidth / Number(svg.getAttribute('viewBox')?.split(' ')[2])
  })
  t.ok(scale > 0.75, `letters in the picture are ${scale.toFixed(2)} of their size`)
  await page.getByRole('link', { name: 'Jobs' }).click()
  await page.locator('.job-row').waitFor()
  await looks(t, page, 'the jobs')
  await page.goto(`${api.url}/console/#/jobs/2/nothing`)
  await page.getByRole('heading', { name: 'No such job' }).waitFor()
  await looks(t, page, 'no such job')
  await page.goto(`${api.url}/console/#/nowhere`)
  await page.getByRole('heading', { name: 'No such page' }).waitFor()
  await looks(t, page, 'no such page')
  t.same(complaints, [])
  await page.evaluate('document.querySelector("main").append(document.createElement("select"))')
  t.match(await axe(page), [/^select-name/], 'axe would have told')
})

t.test('while a job runs, is cancelled, is tried again, fails', { skip }, async (t) => {
  const service = await fakeStageService(t, silence)
  // Long enough that the state does not change during the check.
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_JOB_BACKOFF_MS: '600000' })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const { page } = await openTab(t, PHONE)
  const another = async () => {
    await page.getByRole('link', { name: 'Stages' }).click()
    await startReview(page)
  }
  await openAs(page, api.url)
  await startReview(page)
  await page.getByText('calling the stage service').first().waitFor()
  await looks(t, page, 'running')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await looks(t, page, 'asking')
  await page.getByRole('button', { name: 'Yes, cancel it' }).click()
  await page.locator('.job.cancelled').waitFor()
  await looks(t, page, 'cancelled')

  const trouble = { type: 'error', code: 'NO_SHELF', message: 'the shelf is gone' }
  service.answer = ndjson([{ ...trouble, retryable: true }])
  await another()
  await page.locator('.job.retrying').waitFor()
  t.match(await page.locator('.job').textContent(), /Attempt 1 failed: the shelf is gone NO_SHELF/)
  await looks(t, page, 'tried again')
  service.answer = ndjson([{ ...trouble, retryable: false }])
  await another()
  await page.locator('.job.failed').waitFor()
  await looks(t, page, 'failed')
  await page.context().setOffline(true)
  await page.getByText('You are offline').waitFor()
  await looks(t, page, 'offline')
})

t.test('by keyboard alone, and read out', { skip }, async (t) => {
  const api = await startAll(t, { paceMs: 100, env: { ALLOW_MOCK_AUTH: 'true' } })
  const { page } = await openTab(t, { reducedMotion: 'reduce' })
  await page.goto(`${api.url}/console/`)
  await page.getByRole('heading', { name: 'Stages' }).waitFor()
  t.equal(await focused(page), 'Stages', 'a new page begins at its heading')
  await tabTo(page, /Literature search/)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Literature search' }).waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.type(QUESTION)
  await tabTo(page, /^Start$/)
  t.not(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none', 'focus is seen')
  await page.evaluate(`
    window.said = []
    new MutationObserver(() => {
      const text = document.querySelector('p.unseen[role=status]')?.textContent
      if (text && text !== said.at(-1)) said.push(text)
    }).observe(document.body, { subtree: true, childList: true, characterData: true })`)
  await page.keyboard.press('Enter')
  await page.locator('.job.completed').waitFor()
  const said = (await page.evaluate('said')) as string[]
  t.match(said.at(-1), /completed/)
  // At most one announcement per status and per quarter of progress, however many steps there are.
  t.ok(said.length >= 2 && said.length <= 6, said.join(' | '))
  t.equal(new Set(said).size, said.length, 'nothing is said twice')
  await tabTo(page, /Abstract and details/)
  await page.keyboard.press('Enter')
  // Of whichever paper the way led to.
  await page.locator('details[open] .abstract').waitFor()
  const saving = page.waitForEvent('download')
  await tabTo(page, /Download/)
  await page.keyboard.press('Space')
  t.equal((await saving).suggestedFilename(), 'literature_review.json')
})

/** Checks a state in both themes with axe, and that nothing is wider than a small phone. */
async function looks(t: Test, page: Page, state: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    t.same(await axe(page), [], `${state}, ${colorScheme}`)
  }
  t.ok((await overflow(page)) <= 0, `${state}: fits on a phone`)
}

/** What the focused element says; nothing while the focus is on its way around, on the page as a whole. */
async function focused(page: Page): Promise<string> {
  return String(await page.evaluate('(document.querySelector("body :focus")?.textContent ?? "").trim()'))
}

/** Presses Tab until an element with `text` has the focus. */
async function tabTo(page: Page, text: RegExp): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    if (text.test(await focused(page))) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab never came to ${text}`)
}

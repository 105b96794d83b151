/** From the question to the last stage of a workflow without a mouse. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { noBrowser as skip } from '../helpers/browser.ts'
import { openAs, openTab, QUESTION, startAll } from './console.ts'

/** More than any page of the way has to pass. */
const MOST_TABS = 150

t.test('a workflow by keyboard alone', { skip }, async (t) => {
  const api = await startAll(t)
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url)
  await tabTo(page, /^Your question/)
  await page.keyboard.type(QUESTION)
  await page.keyboard.press('Control+Enter')
  await page.getByText('5 to run, 2 to sign off.').waitFor()
  await page.getByRole('button', { name: 'Start' }).waitFor()
  await page.keyboard.press('Control+Enter')
  for (const stage of [10, 14]) {
    await page.getByRole('button', { name: `Review stage ${stage}` }).waitFor()
    await tabTo(page, new RegExp(`^Review stage ${stage}`))
    await page.keyboard.press('Enter')
    await tabTo(page, new RegExp(`^Approve stage ${stage}`))
    await page.keyboard.press('Enter')
    await page.getByText(`You approved stage ${stage}`).waitFor()
  }
  await page.getByText('Every stage is done.', { exact: false }).waitFor()
  t.same(complaints, [])
})

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let pressed = 0; pressed < MOST_TABS; pressed += 1) {
    const focused = await page.evaluate<string>(`(() => {
      const one = document.activeElement
      return (one?.labels?.[0] ?? one)?.textContent.trim() ?? ''
    })()`)
    if (name.test(focused)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not reach ${name}`)
}

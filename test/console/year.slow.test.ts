/**
 * A researcher's whole way through the built-in stages in a browser: from the question over two sign-offs to the
 * manuscript, then again with another year, to the end.
 */
import type { Locator, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { noBrowser as skip } from '../helpers/browser.ts'
import { axe, hasFocus, openAs, openTab, overflow, startAll } from './console.ts'

const ASKED = 'Does regular exercise improve sleep quality in older adults?'

t.test(
  'from the question to the manuscript, and again with another year',
  { skip, timeout: 600_000 },
  async (t) => {
    const api = await startAll(t)
    const { page, complaints } = await openTab(t, { viewport: { width: 1280, height: 800 } })
    await openAs(page, api.url)
    const stop = (stage: number) =>
      page.locator('.run .stop').filter({ has: page.locator(`.mark >> text="${stage}"`) })

    await t.test('the first run waits at the gaps, and says what nobody has judged', async (t) => {
      await page.getByLabel('Your question').fill(ASKED)
      await page.getByRole('button', { name: 'Show the plan' }).click()
      await page.getByText('5 to run, 2 to sign off.').waitFor()
      await page.getByRole('button', { name: 'Start' }).click()
      const gate = gateOf(page, 10)
      await gate.locator('.undecided').waitFor()
      t.match(await gate.locator('.undecided').textContent(), /\d+ papers are undecided\. If you approve now/)
      await looks(t, page, 'the gate of stage 10')
      await gate.getByRole('link', { name: 'Decide about them in stage 2' }).click()
      const heading = page.getByRole('heading', { name: 'For you to decide' })
      await heading.waitFor()
      t.ok(await hasFocus(heading), 'the page begins at the papers to decide about')
      const box = await heading.boundingBox()
      t.ok(box && box.y >= 10 && box.y < 400, `in sight, and free of the edge: ${box?.y}`)
      await page.goBack()
    })

    await t.test('it is signed off twice, and ends', async (t) => {
      await approve(page, 10)
      await gateOf(page, 14).locator('.undecided').waitFor()
      await approve(page, 14)
      await page.locator('.run.completed').waitFor()
      for (const stage of [1, 2, 10, 14, 16]) t.match(await stop(stage).getAttribute('class'), /completed/)
    })

    t.same(complaints, [])
  },
)

function gateOf(page: Page, stage: number): Locator {
  return page.getByRole('region', { name: `Sign off stage ${stage}` })
}

async function approve(page: Page, stage: number): Promise<void> {
  await gateOf(page, stage)
    .getByRole('button', { name: `Approve stage ${stage}` })
    .click()
  await page.getByText(`You approved stage ${stage}`).waitFor()
}

/** axe, and that nothing is wider than a phone. */
async function looks(t: Test, page: Page, state: string): Promise<void> {
  t.same(await axe(page), [], state)
  await page.setViewportSize({ width: 390, height: 844 })
  t.ok((await overflow(page)) <= 0, `${state} fits a phone`)
  await page.setViewportSize({ width: 1280, height: 800 })
}

/**
 * A researcher's whole way through the built-in stages in a browser: from the question over two sign-offs to the
 * manuscript, then again with another year, to the end.
 */
import { readFile } from 'node:fs/promises'
import type { Locator, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { noBrowser as skip } from '../helpers/browser.ts'
import { axe, hasFocus, openAs, openTab, overflow, startAll } from './console.ts'

const WAY = [1, 2, 10, 14, 16]
const YEAR = '2015'
const ASKED = 'Does regular exercise improve sleep quality in older adults?'

t.test('from the question to the manuscript, and again with another year', { skip }, async (t) => {
  const api = await startAll(t)
  const { page, complaints } = await openTab(t, { viewport: { width: 1280, height: 800 } })
  await openAs(page, api.url)
  const stop = (stage: number) =>
    page.locator('.run .stop').filter({ has: page.locator(`.mark >> text="${stage}"`) })

  await t.test('the first run waits at the gaps, and says how many papers are undecided', async (t) => {
    await page.getByLabel('Your question').fill(ASKED)
    await page.getByRole('button', { name: 'Show the plan' }).click()
    await page.getByText('5 to run, 2 to sign off.').waitFor()
    await page.getByRole('button', { name: 'Start' }).click()
    const gate = gateOf(page, 10)
    await gate.locator('.undecided').waitFor()
    t.match(await gate.locator('.undecided').textContent(), /\d+ papers are undecided\. If you approve now/)
    await looks(t, page, 'the gate of stage 10')
    await gate.getByRole('link', { name: 'Decide on them in stage 2' }).click()
    const heading = page.getByRole('heading', { name: 'For you to decide' })
    await heading.waitFor()
    t.ok(await hasFocus(heading), 'the page begins at the papers to decide about')
    const box = await heading.boundingBox()
    t.ok(box && box.y >= 10 && box.y < 400, `in sight, and free of the edge: ${box?.y}`)
    await page.goBack()
    await page.locator('.run').getByRole('link', { name: 'Gap analysis' }).click()
    await page.locator('.job.completed').waitFor()
    await page.getByRole('link', { name: 'Decide on them in stage 2' }).waitFor()
    await page.getByRole('link', { name: 'Back to its workflow' }).click()
  })

  await t.test('the bar says at once that something waits', async () => {
    await page.getByRole('link', { name: /^Sign-offs ?1$/ }).waitFor()
  })

  await t.test('it is signed off twice, and ends with a document', async (t) => {
    await approve(page, 10)
    await gateOf(page, 14).locator('.undecided').waitFor()
    t.match(
      await gateOf(page, 14).locator('.marked').textContent(),
      /\d+ passages marked \[AUTHOR: …\] open for now/,
    )
    await approve(page, 14)
    await page.locator('.run.completed').waitFor()
    for (const stage of WAY) t.match(await stop(stage).getAttribute('class'), /completed/)
    t.equal(await page.locator('.transport').count(), 0, 'nothing is live any more')
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download the manuscript' }).click()
    const file = await saving
    t.equal(file.suggestedFilename(), 'manuscript.docx')
    t.equal((await readFile(await file.path())).subarray(0, 2).toString(), 'PK')
    await looks(t, page, 'a finished run')
  })

  await t.test('the plan with another year says what it reuses, runs and voids', async (t) => {
    await page.getByRole('link', { name: 'Run again' }).click()
    const options = page.locator('.options details', { hasText: 'Options of stage 2' })
    const inside = options.locator('.inside')
    t.match(
      await inside.textContent(),
      /Sources, Max results, Year from, Year to/,
      'folded, it says what is inside',
    )
    await options.locator('summary').click()
    await options.getByLabel('Sample').check()
    await page.getByRole('button', { name: 'Show the plan' }).click()
    await page.locator('.plan .stop').first().waitFor()
    const invented = page.locator('.plan').getByText('a small set of invented records')
    t.equal(await invented.count(), 0, 'no word about the usual sources beside chosen ones')
    await options.getByLabel('Sample').uncheck()
    await options.getByLabel('Year from').fill(YEAR)
    await options.locator('summary').click()
    t.match(await inside.textContent(), new RegExp(`Year from ${YEAR}.*Sources`))
    await page.getByRole('button', { name: 'Show the plan' }).click()
    const planned = (stage: number) =>
      page.locator('.plan .stop').filter({ has: page.locator(`.mark >> text="${stage}"`) })
    await page.locator('.plan:not(.stale)').waitFor()
    await invented.waitFor()
    t.match(await planned(1).textContent(), /reused.*Nothing changed/)
    t.match(await planned(2).textContent(), /will run.*“Year from” changed/i)
    t.match(
      await planned(10).textContent(),
      /runs if something changes.*result of stage 2 changes.*becomes void/,
    )
    t.match(await planned(14).textContent(), /runs if something changes.*becomes void/)
    t.match(await planned(16).textContent(), /runs if something changes.*result of stage 14 changes/)
    t.match(
      await page.locator('.plan > p').textContent(),
      /1 to run, 3 to run if an earlier stage changes, 1 to reuse.*2 approvals void/,
    )
    await looks(t, page, 'the plan')
  })

  await t.test('the second run ends too, with new approvals', async (t) => {
    await page.getByRole('button', { name: 'Start' }).click()
    await gateOf(page, 10).waitFor()
    t.match(await stop(1).getAttribute('class'), /reused/)
    t.match(await stop(2).getAttribute('class'), /completed/)
    for (const stage of [10, 14]) {
      await gateOf(page, stage).getByText('This result needs a new decision.').waitFor()
      t.match(await stop(stage).textContent(), /The approval by alice on .* no longer counts/)
      await approve(page, stage)
    }
    await page.locator('.run.completed').waitFor()
    t.match(await stop(1).getAttribute('class'), /reused/)
    for (const stage of WAY.slice(1)) {
      t.match(await stop(stage).getAttribute('class'), /completed/, `stage ${stage} has run again`)
      t.notMatch(await stop(stage).getAttribute('class'), /reused/)
    }
    for (const stage of [10, 14]) t.match(await stop(stage).textContent(), /Approved by alice/)
  })

  await t.test('runs are told apart, and found again', async (t) => {
    await page.getByText('Earlier runs').click()
    await page.getByRole('link', { name: /First run/ }).click()
    await page.getByText('This is an earlier run, not the latest: First run.').waitFor()
    await looks(t, page, 'an earlier run')
    await page.getByRole('link', { name: 'See the latest run' }).click()
    await page.getByText('Earlier runs').waitFor()
    const width = () => page.evaluate('document.documentElement.clientWidth')
    const wide = await width()
    await page.getByRole('link', { name: 'Workflows' }).click()
    await page.getByRole('link', { name: 'New workflow' }).waitFor()
    t.equal(await width(), wide, 'a short page is as wide as a long one')
    await page.getByRole('link', { name: 'New workflow' }).click()
    await page.locator('.latest', { hasText: 'completed' }).getByRole('link', { name: ASKED }).waitFor()
    await looks(t, page, 'the first page of somebody who has a workflow')
  })

  t.same(complaints, [])
})

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

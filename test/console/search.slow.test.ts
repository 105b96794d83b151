/** A researcher previews a search, changes it, and decides about papers that the rules left uncertain. */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { get } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { axe, hasFocus, openAs, openTab, overflow, QUESTION, startAll } from './console.ts'

interface Asked {
  data: { inputs: Record<string, unknown>; workflow_id: string }
}

t.test('the search can be previewed and changed before it starts', { skip }, async (t) => {
  const api = await startAll(t)
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url, '#/new/2')

  await t.test('groups, hits by group and source, and the query', async (t) => {
    await page.getByLabel('Research question').fill(QUESTION)
    await page.getByRole('button', { name: 'Preview the search' }).click()
    await page.locator('.hits').waitFor()
    t.match(await page.locator('.groups').textContent(), /intermittent fasting.*and Group 2.*blood pressure/)
    t.same(await page.locator('.hits thead th').allTextContents(), ['Line', 'What is searched', 'Sample'])
    t.match((await page.locator('.hits tbody tr').allTextContents()).slice(0, 3), [
      /^1intermittent fasting\d+$/,
      /^2cardiovascular health\d+$/,
      /^31 AND 2\d+$/,
    ])
    t.match(await page.locator('.query pre').textContent(), /"intermittent fasting" OR/)
    t.match(await page.locator('.search-editor').textContent(), /Not searched: effects/)
    await looks(t, page)
  })

  await t.test('chips are edited by keyboard and mouse, and looked at again', async (t) => {
    await page.getByRole('button', { name: 'Edit these groups' }).click()
    const term = page.getByLabel('Add a term to group 2')
    while ((await page.locator('.group').nth(1).locator('.term').count()) > 1) {
      await term.press('Backspace')
      await term.fill('')
    }
    await term.fill('stroke, blood pressure')
    await term.press('Enter')
    await page.getByRole('button', { name: 'Remove stroke' }).click()
    t.ok(await hasFocus(term), 'the focus stays')
    await page.getByText('The form has changed.').waitFor()
    await page.getByRole('button', { name: 'Remove group 2' }).focus()
    await page.getByRole('button', { name: 'Preview again' }).click()
    await page.locator('.hits', { hasText: 'cardiovascular health or blood pressure' }).waitFor()
    t.equal(await page.getByText('The form has changed.').count(), 0)
    await looks(t, page)
  })

  await t.test('the previewed search is the one that starts', async (t) => {
    await page.getByLabel('Max results').fill('5')
    await page.getByLabel('Research question').press('Control+Enter')
    await page.locator('.job.completed').waitFor()
    const { data } = await get<Asked>(api.url + statusUrl(page.url()))
    t.match(data.inputs, {
      max_results: 5,
      concepts: [['intermittent fasting'], ['cardiovascular health', 'blood pressure']],
    })
    t.notOk('preview' in data.inputs)
  })

  await t.test('an own query takes the place of the question', async (t) => {
    await page.getByRole('link', { name: 'Run again with changes' }).click()
    await page.getByText('My own query').click()
    await page.getByLabel('Your query').fill('"blood pressure" AND fasting')
    await page.getByRole('button', { name: 'Preview the search' }).click()
    await page.locator('.query pre').getByText('("blood pressure" AND fasting)').waitFor()
    await looks(t, page)
    await page.getByRole('button', { name: 'Start' }).click()
    await page.locator('.job.completed').waitFor()
    const { data } = await get<Asked>(api.url + statusUrl(page.url()))
    t.match(data.inputs, { query: '"blood pressure" AND fasting' })
    t.notOk('concepts' in data.inputs)
  })

  await t.test('a question that cannot be read says what to do', async (t) => {
    await page.goto(`${api.url}/console/#/new/2`)
    await page
      .getByLabel('Research question')
      .fill('¿Cuáles son los efectos del ayuno en la salud de los adultos?')
    await page.getByRole('button', { name: 'Preview the search' }).click()
    await page.locator('.search-editor .alert').getByText('Ask in English').waitFor()
    await looks(t, page)
  })
  t.same(complaints, [])
})

t.test('decisions by hand', { skip }, async (t) => {
  const api = await startAll(t)
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url, '#/new/2')
  await page.getByLabel('Research question').fill(QUESTION)
  await page.getByRole('button', { name: 'Start' }).click()
  const uncertain = page.locator('section', { has: page.locator('#uncertain') })
  await uncertain.waitFor()
  const before = page.url()
  const first = await get<Asked>(api.url + statusUrl(before))

  await t.test('papers come first, sample data is said once', async (t) => {
    const headings = await page.locator('.review h3').allTextContents()
    t.match(headings[0], /^Papers/)
    t.ok(
      headings.indexOf('How the records were selected') > headings.findIndex((one) => /^For you/.test(one)),
    )
    const text = (await page.locator('.review').textContent()) ?? ''
    t.equal(text.match(/sample data/gi)?.length, 1)
  })

  const paper = uncertain.locator('.paper').first()
  const title = await paper.locator('h4').textContent()
  await paper.getByText('Include', { exact: true }).click()
  await paper.getByLabel('Reason to include').fill('the full text compares both')
  await uncertain.locator('.paper').nth(1).getByText('Exclude', { exact: true }).click()
  await page.getByText('2 decisions').waitFor()
  await looks(t, page)

  await t.test('a reload loses none; one can be taken back', async () => {
    await page.reload()
    await page.getByText('2 decisions').waitFor()
    await uncertain.locator('.paper').nth(1).getByRole('button', { name: 'Undo' }).click()
    await page.getByText('1 decision', { exact: true }).waitFor()
  })

  await t.test('applying runs the stage again with them', async (t) => {
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.waitForURL((url) => String(url) !== before)
    const marked = page.locator('.paper', { hasText: 'by hand' })
    for (const more = page.getByText(/^Show all \d+ papers/); (await marked.count()) === 0; ) {
      if (await more.count()) await more.click()
    }
    t.match(await marked.textContent(), title ?? 'a title')
    t.match(
      await marked.textContent(),
      /a person decided: the full text compares both.*The rules said uncertain/,
    )
    const { data } = await get<Asked>(api.url + statusUrl(page.url()))
    t.equal(data.workflow_id, first.data.workflow_id)
    t.match(Object.values(data.inputs.decisions as object), [
      { decision: 'include', reason: 'the full text compares both' },
    ])
    t.match(await page.locator('.flow figcaption').textContent(), /1 of them by a person/)
    await looks(t, page)
  })
  t.same(complaints, [])
})

async function looks(t: Test, page: Page): Promise<void> {
  t.same(await axe(page), [], 'no barrier')
  const size = page.viewportSize()
  await page.setViewportSize({ width: 390, height: 844 })
  t.ok((await overflow(page)) <= 0, 'fits a phone')
  if (size) await page.setViewportSize(size)
}

/** The API's path for the job that the page shows. */
function statusUrl(page: string): string {
  const [, stage, id] = /#\/jobs\/(\d+)\/([\w-]+)/.exec(page) ?? []
  return `/api/workflow/stages/${stage}/jobs/${id}/status`
}

/** The pages of the stages around the review show their files: text, tables, the picture of the map. */
import t from 'tap'
import { noBrowser as skip } from '../helpers/browser.ts'
import { axe, openAs, openTab, overflow, QUESTION, startAll } from './console.ts'

t.test('from topic to checklist', { skip }, async (t) => {
  const api = await startAll(t)
  const { page, complaints } = await openTab(t)
  const workflow = '6f9619ff-8b86-4d01-b42d-00c04fc964ff'
  await openAs(page, api.url)
  const run = async (stage: number) => {
    await page.goto(`${api.url}/console/#/new/${stage}?workflow=${workflow}`)
    await page.getByLabel('Research question').fill(QUESTION)
    await page.getByRole('button', { name: 'Start' }).click()
    await page.locator('.job.completed').waitFor()
  }
  const shot = async (name: string) => {
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true })
    t.same(await axe(page), [], `${name}: no barrier`)
    await page.setViewportSize({ width: 390, height: 844 })
    t.ok((await overflow(page)) <= 0, `${name} fits a phone`)
    await page.setViewportSize({ width: 1280, height: 900 })
  }
  await run(1)
  await page.locator('.markdown').getByText('A paper must match every group').waitFor()
  await shot('stage-1')
  await run(2)
  await page.locator('.paper').first().waitFor()
  await run(10)
  const map = page.getByRole('img', { name: 'evidence_map.svg' })
  await map.waitFor()
  t.ok(
    await page.evaluate("document.querySelector('.file-preview img').decode().then(() => true)"),
    'is drawn',
  )
  await page.locator('.markdown').getByText('A gap is what this review did not find').waitFor()
  await shot('stage-10')
  await run(14)
  await page.locator('.open-gap').first().waitFor()
  t.match(await page.locator('.markdown').textContent(), /Study selection.*records/)
  const left = (cell: string) =>
    page.evaluate(`getComputedStyle(document.querySelector('.markdown .hits ${cell}')).paddingInlineStart`)
  t.equal(await left('tbody td'), await left('thead th'), 'a column stands under its head')
  await shot('stage-14')
  await run(16)
  await page.locator('.markdown').getByText('16. Study selection: reported').waitFor()
  const checklist = page.locator('.markdown')
  t.match(await checklist.textContent(), /27 items: \d+ reported/)
  t.notMatch(await checklist.textContent(), /\*\*/, 'bold is bold')
  await checklist.locator('blockquote .open-gap').first().waitFor()
  await shot('stage-16')
  t.same(complaints, [])
})

/** Running a workflow again: with decisions about papers, and after one of its jobs was deleted. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { authorization, get } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { eventually } from '../helpers/waiting.ts'
import { axe, openAs, openTab, overflow, QUESTION, startAll } from './console.ts'

interface Run {
  run_id: string
  status: string
  steps: { stage: number; status: string; job_id: string }[]
}

t.test('a workflow is run again', { skip }, async (t) => {
  const api = await startAll(t)
  const workflow = randomUUID()
  const runs = `${api.url}/api/workflow/workflows/${workflow}/runs`
  const headers = { ...authorization('alice'), 'content-type': 'application/json' }
  const body = JSON.stringify({
    stages: [1, 2],
    research_question: QUESTION,
    inputs: { '2': { max_results: 9 } },
  })
  t.equal((await fetch(runs, { method: 'POST', headers, body })).status, 202)
  const newest = async () => (await get<{ runs: Run[] }>(runs)).runs[0] as Run
  await eventually('it has completed', async () => (await newest()).status === 'completed', 120_000)
  const { page, complaints } = await openTab(t)
  await openAs(page, api.url)

  await t.test('workflows are found by their questions', async (t) => {
    await page.getByRole('link', { name: 'Workflows' }).click()
    await page.getByRole('link', { name: QUESTION }).waitFor()
    t.match(await page.locator('.job-row').textContent(), /2 of 2 stages done.*completed/)
    t.same(await axe(page), [])
    await page.setViewportSize({ width: 390, height: 844 })
    t.ok((await overflow(page)) <= 0)
    await page.setViewportSize({ width: 1280, height: 900 })
    await page.getByRole('link', { name: QUESTION }).click()
    await page.getByText('Every stage is done.', { exact: false }).waitFor()
  })

  await t.test('decisions about papers lead to the plan of a run with them', async (t) => {
    await page.locator('.step-result', { hasText: 'Literature search' }).locator('summary').first().click()
    const paper = page.getByRole('region', { name: 'For you to decide' }).locator('.paper').first()
    await paper.getByText('Include', { exact: true }).click()
    await page.getByRole('button', { name: 'Plan a run with them' }).click()
    await page.getByRole('heading', { name: 'The plan' }).waitFor()
    t.match(await page.locator('.plan .stop').nth(1).textContent(), /Literature search.*will run.*Decisions/)
    t.match(await page.locator('.plan .stop').nth(0).textContent(), /reused/)
    await page.getByText('Options of stage 2').click()
    const decided = page.getByRole('group', { name: 'Decisions' })
    t.match(await decided.getByLabel('Paper').inputValue(), /^doi:/, 'what was decided is seen, not JSON')
    t.equal(await decided.getByLabel('Decision', { exact: true }).inputValue(), 'include')
    t.equal(await decided.getByRole('button', { name: 'Add' }).count(), 0, 'made at the papers')
    t.same(await axe(page), [])
    await page.getByRole('button', { name: 'Start' }).click()
    await eventually(
      'it has completed',
      async () => {
        const { steps, status } = await newest()
        return status === 'completed' && steps[0]?.status === 'reused' && steps[1]?.status === 'completed'
      },
      120_000,
    )
    const job = (await newest()).steps[1]?.job_id
    const { data } = await get<{ data: { inputs: { decisions: object; max_results: number } } }>(
      `${api.url}/api/workflow/stages/2/jobs/${job}/status`,
    )
    t.equal(Object.keys(data.inputs.decisions).length, 1)
    t.equal(data.inputs.max_results, 9, 'and with what was asked before')
  })

  await t.test('after a job of it was deleted', async (t) => {
    const { steps } = await newest()
    const search = steps.find(({ stage }) => stage === 2)
    const url = `${api.url}/api/workflow/stages/2/jobs/${search?.job_id}`
    t.equal((await fetch(url, { method: 'DELETE', headers: authorization('alice') })).status, 204)
    await page.goto(`${api.url}/console/#/run?workflow=${workflow}`)
    await page.reload()
    await page.getByRole('button', { name: 'Show the plan' }).click()
    await page.locator('.plan .stop', { hasText: 'Literature search' }).getByText('will run').waitFor()
    t.equal(await page.getByLabel('Research question').inputValue(), QUESTION)
  })
  t.same(complaints, [])
})

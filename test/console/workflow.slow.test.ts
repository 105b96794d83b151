/** All stages of a workflow on one page over one connection, also behind a buffering proxy. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { bufferingProxy } from '../helpers/buffering-proxy.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fakeStageService, silence, success } from '../helpers/stage-service.ts'
import { axe, CONSOLE, openAs, openTab, overflow, startReview } from './console.ts'

const STAGES = 20

t.test('a page watches twenty stages over one connection', { skip }, async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_WORKER_CONCURRENCY: '30' })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const { page, complaints } = await openTab(t, {
    viewport: { width: 320, height: 640 },
  })
  const workflow_id = randomUUID()
  for (let stage = 1; stage < STAGES; stage += 1) await enqueue(api.url, { stage, body: { workflow_id } })
  await service.call(STAGES - 2)

  await openAs(page, api.url, `#/workflows/${workflow_id}`)
  await page.getByText(`0 of ${STAGES - 1} jobs finished`).waitFor()
  await page.locator('.transport.sse').waitFor()
  await enqueue(api.url, {
    stage: STAGES,
    body: { workflow_id, research_question: 'Started while one looks?' },
  })
  await page.locator('.job-row', { hasText: 'Started while one looks?' }).waitFor()
  t.equal(api.app.stagecast.streams.size, 1, 'one connection')

  const calls = await Promise.all(Array.from({ length: STAGES }, (_, n) => service.call(n)))
  for (const call of calls) {
    call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    call.response.write(
      `${JSON.stringify({ type: 'progress', percent: 50, message: `half of ${call.stage}` })}\n`,
    )
  }
  for (const { stage } of calls) await page.getByText(`half of ${stage}`, { exact: true }).waitFor()
  t.same(await axe(page), [])
  t.ok((await overflow(page)) <= 0)
  for (const call of calls) {
    const [type, end] =
      call.stage === 7 ? ['error', { code: 'NO_LUCK', message: 'none' }] : ['result', success(call)]
    call.response.end(`${JSON.stringify({ type, retryable: false, ...(end as object) })}\n`)
  }
  await page.getByText(`${STAGES} of ${STAGES} jobs finished`).waitFor()
  t.equal(await page.locator('.job-row.completed').count(), STAGES - 1)
  t.match(await page.locator('.job-row.failed').textContent(), /none NO_LUCK/)

  await page.getByLabel('Start a stage in this workflow').selectOption('3')
  t.equal(await page.getByLabel('Workflow').inputValue(), workflow_id)
  await page.goto(`${api.url}/console/#/workflows/${randomUUID()}`)
  await page.locator('.failure').waitFor()
  t.match(await page.locator('.failure').textContent(), /no jobs in this workflow/i)
  t.same(complaints, [])
})

t.test('a waiting job says what it waits for', { skip }, async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t), CONSOLE))
  const { page } = await openTab(t)
  await openAs(page, api.url)
  await startReview(page)
  const waiting = page.locator('.job .hint')
  await waiting.waitFor()
  t.match(await waiting.textContent(), /No worker is available|next in the queue/)
  await page.getByRole('link', { name: 'Watch the workflow' }).click()
  await page.locator('.job-row .message', { hasText: /No worker is available|next in the queue/ }).waitFor()
})

t.test('behind a buffering proxy the page polls, and says so', { skip }, async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const proxy = await bufferingProxy(t, api.url)
  const { page } = await openTab(t)
  await openAs(page, proxy.url)
  await startReview(page)
  await page.locator('.transport.polling').waitFor()
  t.match(await page.locator('.job .hint').textContent(), /proxy/)
  const call = await service.call(0)
  call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  call.response.write(`${JSON.stringify({ type: 'progress', percent: 50, message: 'half of it' })}\n`)
  await page.locator('.step', { hasText: 'half of it' }).waitFor()
  call.response.end(`${JSON.stringify({ type: 'result', ...success(call) })}\n`)
  await page.locator('.job.completed').waitFor()
  await page.locator('summary', { hasText: 'Steps' }).click()
  await page.locator('.step .what').first().waitFor()
  const steps = (await page.locator('.step .what').allTextContents()).reverse()
  t.equal(new Set(steps).size, steps.length, steps.join(' | '))
  t.match(steps[0], /queued/)
})

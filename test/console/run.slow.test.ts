/** A run in the console: planned, started, watched, decided at its gate, and seen to its end. */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fakeStageService, type StageCallSeen, silence, success } from '../helpers/stage-service.ts'
import { axe, CONSOLE, openAs, openTab, overflow } from './console.ts'

const QUESTION = 'Does walking lower blood pressure?'
const GATE = {
  type: 'object',
  properties: { depth: { type: 'integer', minimum: 1, maximum: 9 } },
}
const STAGES = [
  { stage: 1, title: 'Search', needs_question: true },
  { stage: 2, title: 'Gaps', needs: [1], sign_off: true, inputs: GATE },
  { stage: 3, title: 'Draft', needs: [2] },
]
const NOTE = 'gaps.md'

async function start(t: Test, over: Record<string, string> = {}) {
  const service = await fakeStageService(t, silence)
  service.onGet = (_url, response) => void response.writeHead(200).end('# Gaps\n\nNobody looked at stairs.\n')
  const STAGES_FILE = await stagesFile(t, STAGES)
  // If a busy machine let a lock expire, the service would be called again, and the test counts calls.
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE, WORKER_LOCK_MS: '30000', ...over })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const { page, complaints } = await openTab(t, { viewport: { width: 1200, height: 1000 } })
  return { service, api, page, complaints }
}

/** Sends progress of a call, and keeps it open. */
function half({ response, stage }: StageCallSeen): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.write(`${JSON.stringify({ type: 'progress', percent: 50, message: `half of ${stage}` })}\n`)
}

function finish(call: StageCallSeen): void {
  const artifacts = call.stage === 2 ? [NOTE] : []
  const to_decide = { papers: 2, stage: 1 }
  const results = { stage: call.stage, inputs: call.body.inputs, ...(call.stage === 2 && { to_decide }) }
  call.response.end(`${JSON.stringify({ type: 'result', ...success(call, { artifacts, results }) })}\n`)
}

/** From the stages to the page of a run that has begun. */
async function startRun(page: Page, chosen: string): Promise<void> {
  await page.getByRole('link', { name: 'Choose stages and options' }).click()
  await page.getByLabel('Research question').fill(QUESTION)
  await page.getByLabel(chosen).check()
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('heading', { name: QUESTION }).waitFor()
}

const stop = (page: Page, status: string, title: string) =>
  page.locator(`.stop.${status}`, { hasText: title })

t.test('a run is planned, started, watched, approved and completed', { skip }, async (t) => {
  const { service, api, page, complaints } = await start(t)
  await openAs(page, api.url)
  await page.getByRole('link', { name: 'Choose stages and options' }).click()
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText('Stages are required: choose at least one.').waitFor()
  await page.getByLabel('3 · Draft').check()
  t.ok(await page.getByLabel('1 · Search').isChecked(), 'a stage brings what it needs')
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText(/Research question is required/).waitFor()
  await page.getByLabel('Research question').fill(QUESTION)
  await page.getByText('Options of stage 2: Gaps').click()
  await page.getByLabel('Depth').fill('12')
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText('Depth must be at most 9.').waitFor()
  await page.getByLabel('Depth').fill('2')
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.reload()
  await page.getByLabel('Research question').waitFor()
  t.equal(await page.getByLabel('Research question').inputValue(), QUESTION, 'kept over a reload')
  t.ok(await page.getByLabel('3 · Draft').isChecked())
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText('3 to run, 1 to sign off.').waitFor()
  t.match(
    await page.locator('.plan .stop', { hasText: 'Gaps' }).textContent(),
    /Has not run before\. Then it waits for a sign-off/,
  )
  t.same(await axe(page), [])
  await page.getByRole('button', { name: 'Start' }).click()

  await page.getByRole('heading', { name: QUESTION }).waitFor()
  half(await service.call(0))
  await page.getByText('half of 1', { exact: true }).waitFor()
  await page.getByText('Waits for stage 1.').waitFor()
  finish(await service.call(0))
  await stop(page, 'completed', 'Search').waitFor()
  const gate = await service.call(1)
  t.same(gate.body.inputs, { depth: 2 })
  half(gate)
  finish(gate)
  await page.getByText('Nobody looked at stairs.').waitFor()
  await page.getByText('Waits for the sign-off of stage 2.').waitFor()
  t.same(await axe(page), [])
  await page.setViewportSize({ width: 390, height: 844 })
  t.ok((await overflow(page)) <= 0)
  await page.setViewportSize({ width: 1200, height: 1000 })
  t.equal(api.app.stagecast.streams.size, 1, 'one connection')

  await page.getByRole('link', { name: 'Sign-offs' }).click()
  await page.getByRole('link', { name: QUESTION }).waitFor()
  await page.getByRole('link', { name: QUESTION }).click()
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByText(/Approved by alice/).waitFor()
  half(await service.call(2))
  await page.getByText('half of 3', { exact: true }).waitFor()
  await page.locator('.stop.completed .took').nth(1).waitFor()
  await page.getByRole('link', { name: 'See the workflow' }).click()
  await page.getByText('Waits for the sign-off', { exact: false }).waitFor({ state: 'detached' })
  finish(await service.call(2))
  await page.locator('.run.completed').waitFor()
  await page.getByText('3 of 3 stages done').waitFor()
  t.same(await axe(page), [])

  await page.getByRole('link', { name: 'Run again' }).click()
  t.equal(await page.getByLabel('Research question').inputValue(), QUESTION)
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText('3 to reuse.').waitFor()
  await page.getByLabel('Run stage 1 again').check()
  await page
    .getByText('1 to run, 2 to run if an earlier stage changes, 1 approval void if a result changes.')
    .waitFor()
  await page.getByLabel('Run stage 1 again').uncheck()
  await page.getByText('3 to reuse.').waitFor()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.locator('.stop.reused').nth(2).waitFor()
  t.match(await stop(page, 'reused', 'Search').textContent(), /Nothing changed/)
  await page.getByText('Earlier runs').waitFor()
  t.equal(service.calls.length, 3)

  await page.getByRole('link', { name: 'Run again' }).click()
  await page.getByText('Options of stage 2: Gaps').click()
  await page.getByLabel('Depth').fill('3')
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText(/The approval by alice on .* becomes void if the result changes\./).waitFor()
  await page.getByRole('button', { name: 'Start' }).click()
  half(await service.call(3))
  finish(await service.call(3))
  await page.getByText(/The approval by alice on .* no longer counts/).waitFor()
  await page.getByText(/alice approved an earlier result/).waitFor()
  await page.locator('.run').getByText('What changed since the previous run').click()
  const change = page.locator('.run .change-list li', { hasText: 'Gaps' })
  await change.getByText('depth: 2 → 3').waitFor()
  t.match(await change.textContent(), /“Depth” changed|“depth” changed/)
  t.match(await change.textContent(), /The same files as before/)
  t.same(await axe(page), [])
  t.same(complaints, [])
})

t.test('only a token with the scope signs, and a rejection has a reason', { skip }, async (t) => {
  const { service, api, page, complaints } = await start(t, { SIGN_OFF_SCOPE: 'sign' })
  await openAs(page, api.url)
  await startRun(page, '2 · Gaps')
  half(await service.call(0))
  finish(await service.call(0))
  half(await service.call(1))
  finish(await service.call(1))
  await page.getByText('Nobody looked at stairs.').waitFor()
  await page.getByText(/your token has no sign-off scope/).waitFor()
  t.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0)

  const signer = await openTab(t, { colorScheme: 'dark', viewport: { width: 1200, height: 900 } })
  await signer.page.goto(`${api.url}/console/#/sign-offs`)
  await signer.page.getByLabel('Token').fill(token('signer', { scope: 'sign' }))
  await signer.page.getByRole('button', { name: 'Sign in' }).click()
  await signer.page.getByRole('link', { name: /Gaps/ }).click()
  await signer.page.getByText('Nobody looked at stairs.').waitFor()
  await signer.page.getByText('The owner can include or exclude them on the page of stage 1.').waitFor()
  t.equal(await signer.page.getByRole('link', { name: /Decide on/ }).count(), 0, 'no way to a job of others')
  t.equal(await page.getByRole('link', { name: 'Decide on them in stage 1' }).count(), 1)
  await signer.page.getByRole('button', { name: 'Reject…' }).click()
  await signer.page.getByRole('button', { name: 'Reject' }).click()
  await signer.page.getByText('A rejection needs a reason.').waitFor()
  t.equal(await signer.page.getByRole('button', { name: 'Cancel' }).count(), 0, 'who signs does not cancel')
  t.same(await axe(signer.page), [])
  await signer.page.getByLabel('Reason').fill('Too thin.')
  await signer.page.getByRole('button', { name: 'Reject' }).click()
  await signer.page.locator('.run.rejected').waitFor()

  await page.locator('.run.rejected').waitFor()
  t.match(await stop(page, 'rejected', 'Gaps').textContent(), /Rejected by signer.*Too thin\./)
  t.same([...complaints, ...signer.complaints], [])
})

t.test('a failed step says what to do, and earlier results are kept', { skip }, async (t) => {
  const { service, api, page, complaints } = await start(t)
  await openAs(page, api.url)
  await startRun(page, '1 · Search')
  half(await service.call(0))
  finish(await service.call(0))
  await page.locator('.run.completed').waitFor()
  await page.getByRole('link', { name: 'Run again' }).click()
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByLabel('Run stage 1 again').check()
  await page.getByText('1 to run').waitFor()
  await page.getByRole('button', { name: 'Start' }).click()
  const call = await service.call(1)
  half(call)
  const error = { type: 'error', code: 'NO_SHELF', message: 'the shelf is gone', retryable: false }
  call.response.end(`${JSON.stringify(error)}\n`)
  await page.locator('.run.failed').waitFor()
  const failed = stop(page, 'failed', 'Search')
  t.match(await failed.textContent(), /the shelf is gone NO_SHELF/)
  t.ok(((await failed.locator('.advice').textContent()) ?? '').length > 20, 'and what to do')
  t.same(await axe(page), [])
  await page
    .getByRole('link', { name: /Stage 1 again|First run/ })
    .first()
    .waitFor()
  await page.getByRole('link', { name: 'see the completed run' }).click()
  await page.getByText('This is an earlier run').waitFor()
  await page.locator('.run.completed').waitFor()
  await page.getByRole('link', { name: 'Workflows' }).click()
  await page.getByText('the results of a completed one are kept').waitFor()
  t.same(complaints, [])
})

t.test('a run is cancelled', { skip }, async (t) => {
  const { service, api, page } = await start(t)
  await openAs(page, api.url)
  await startRun(page, '2 · Gaps')
  const call = await service.call(0)
  half(call)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Yes, cancel it' }).click()
  await call.hungUp
  await page.locator('.run.cancelled').waitFor()
  await stop(page, 'skipped', 'Gaps').waitFor()
})

t.test('who signs sees how long the steps took, and how the run goes on', { skip }, async (t) => {
  const { service, api, page } = await start(t, { SIGN_OFF_SCOPE: 'sign' })
  await openAs(page, api.url)
  await startRun(page, '3 · Draft')
  for (const place of [0, 1]) {
    half(await service.call(place))
    finish(await service.call(place))
  }
  const signer = await openTab(t)
  await signer.page.goto(`${api.url}/console/#/sign-offs`)
  await signer.page.getByLabel('Token').fill(token('signer', { scope: 'sign' }))
  await signer.page.getByRole('button', { name: 'Sign in' }).click()
  await signer.page.getByRole('link', { name: /Gaps/ }).click()
  await signer.page.getByRole('heading', { name: QUESTION }).waitFor()
  await signer.page.locator('.stop.completed .took').waitFor()
  await signer.page.getByRole('button', { name: 'Approve' }).click()
  // Signers do not read the events of a step, only its state.
  await stop(signer.page, 'active', 'Draft').waitFor()
  half(await service.call(2))
  finish(await service.call(2))
  await signer.page.locator('.run.completed').waitFor()
  t.same(signer.complaints, [])
})

t.test('stages that no service offers cannot be started', { skip }, async (t) => {
  const { service, api, page, complaints } = await start(t)
  service.onGet = (url, response) =>
    void response
      .writeHead(url.endsWith('/stages') ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify([1, 2].map((stage) => ({ stage, version: '1' }))))
  await openAs(page, api.url)
  const way = page.getByRole('list', { name: 'Stages of the workflow' })
  await way.waitFor()
  t.match(await way.textContent(), /1 Search.*2 Gaps/)
  t.notMatch(await way.textContent(), /Draft/)
  t.equal(await page.getByRole('link', { name: /Draft/ }).count(), 0)
  await page.getByRole('heading', { name: 'Not available' }).click()
  await page.locator('.unserved', { hasText: 'Draft' }).getByText('not available').waitFor()
  t.same(await axe(page), [])
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText(/needs at least 10 characters/).waitFor()
  await page.getByLabel('Your question').fill(QUESTION)
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText('2 to run, 1 to sign off.').waitFor()
  await page.getByText('1 stage not available').click()
  t.ok(await page.getByLabel(/3 · Draft/).isDisabled())
  await page.goto(`${api.url}/console/#/run?stage=3`)
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await page.getByText('Stages cannot start: stage 3 is not available.').waitFor()
  t.equal(await page.getByLabel('Research question').inputValue(), QUESTION)
  await page.getByRole('button', { name: 'Discard changes' }).click()
  t.equal(await page.getByLabel('Research question').inputValue(), QUESTION, 'of a new workflow it stays')
  await page.goto(`${api.url}/console/#/new/3`)
  await page.getByText('This stage is not available').waitFor()
  t.equal(await page.getByRole('button', { name: 'Start' }).count(), 0)
  t.same(complaints, [])
})

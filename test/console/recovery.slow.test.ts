/** Recovery of an open page: a reload, a lost network, a killed server, an expired token. */
import { mock } from 'node:test'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startApi, startDoor, startWorker, testEnv, token } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { CuttingProxy } from '../helpers/cutting-proxy.ts'
import { freePort } from '../helpers/free-port.ts'
import { end } from '../helpers/processes.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import {
  type FakeStageService,
  fakeStageService,
  ndjson,
  silence,
  success,
} from '../helpers/stage-service.ts'
import { axe, CONSOLE, openAs, openTab, startReview } from './console.ts'

t.test('reload, lost network, killed server', { skip }, async (whole) => {
  const t = whole
  const service = await fakeStageService(t, ndjson([], { end: false }))
  const env = await testEnv(t, { WORKER_URL: service.url, PORT: String(await freePort()) })
  let api = await startDoor(t, 'server/api.ts', env)
  startWorker(t, env)
  const { page, complaints } = await openTab(t)
  const network = await CuttingProxy.open(t, api.url)
  await openAs(page, network.url)
  await startReview(page)
  const work = await stage(service)

  await t.test('a reload in the middle shows all that has happened', async (t) => {
    await work.step('reading the first shelf')
    await page.reload()
    await seen(page, 'reading the first shelf')
    await work.step('reading the second shelf')
    await seen(page, 'reading the second shelf')
    t.match(await page.locator('.job').textContent(), /active/)
  })

  await t.test('a lost network is shown, and missed events arrive afterwards', async (t) => {
    await page.context().setOffline(true)
    // Offline, the browser refuses new requests but keeps open ones.
    network.cut()
    await page.getByText('You are offline').waitFor()
    await work.step('while nobody could see it')
    await page.getByText('Waiting for the server').waitFor()
    t.equal(await page.locator('.step', { hasText: 'while nobody' }).count(), 0)
    await page.context().setOffline(false)
    await seen(page, 'while nobody could see it')
    t.equal(await page.getByText('You are offline').count(), 0)
  })

  await t.test('a killed server is shown, and missed events arrive afterwards', async (t) => {
    await end(api, 'SIGKILL')
    await page.getByText('The server cannot be reached').waitFor()
    await work.step('while the server was down')
    // Tie it to the whole test, because it must outlive this part.
    api = await startDoor(whole, 'server/api.ts', env)
    await seen(page, 'while the server was down')
    t.equal(await page.getByText('The server cannot be reached').count(), 0)
  })

  await t.test('no event is missing or repeated', async (t) => {
    work.finish()
    await page.locator('.job.completed').waitFor()
    await page.locator('summary', { hasText: 'Steps' }).click()
    await page.locator('.step .what').first().waitFor()
    const steps = await page.locator('.step .what').allTextContents()
    const told = steps.reverse().filter((text) => /shelf|while/.test(text))
    t.same(told, [
      'reading the first shelf',
      'reading the second shelf',
      'while nobody could see it',
      'while the server was down',
    ])
  })
  t.same(complaints, [])
})

t.test('a token that ends asks for another, and comes back', { skip }, async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const { page } = await openTab(t)
  await page.goto(`${api.url}/console/`)

  await enter(page, token('alice', { exp: Math.floor(Date.now() / 1000) + 600 }))
  await page.getByRole('link', { name: /Literature search/ }).click()
  await page.getByLabel('Research question').fill('Does better sleep improve memory?')
  // Of the API, which is in this process; the browser goes by its own.
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 700_000 })
  t.teardown(() => mock.timers.reset())
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByText('Your token has expired').waitFor()
  mock.timers.reset()
  t.equal(service.calls.length, 0)

  await enter(page, 'eyJhbGciOiJIUzI1NiJ9.e30.nonsense')
  t.match(await page.locator('#token-fault').textContent(), /token is not valid/)

  await enter(page, token('alice'))
  t.equal(
    await page.getByLabel('Research question').inputValue(),
    'Does better sleep improve memory?',
    'nothing that was typed is lost',
  )
  await page.getByRole('button', { name: 'Start' }).click()
  await page.locator('.job').waitFor()
  t.notOk(page.url().includes('eyJ'), 'no token in the address')

  await page.getByRole('link', { name: 'Run again with changes' }).click()
  await page.goBack()
  await page.locator('.job').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await enter(page, token('mallory'))
  await page.getByRole('heading', { name: 'No such job' }).waitFor()
  t.match(await page.locator('main').textContent(), /not yours/, 'somebody else sees nothing')
  await page.getByRole('link', { name: 'Stages' }).click()
  await page.getByRole('link', { name: /Literature search/ }).click()
  t.equal(await page.getByLabel('Research question').inputValue(), '', 'nor what was typed')
})

t.test('a token that ends while a job is watched', { skip }, async (t) => {
  const service = await fakeStageService(t, ndjson([], { end: false }))
  // The test freezes the clock, by which BullMQ renews locks.
  const env = await testEnv(t, { WORKER_URL: service.url, SSE_HEARTBEAT_MS: '50', WORKER_LOCK_MS: '60000' })
  const api = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const { page, complaints } = await openTab(t)
  await page.goto(`${api.url}/console/`)
  await enter(page, token('alice', { exp: Math.floor(Date.now() / 1000) + 600 }))
  await startReview(page)
  const at = page.url()
  const work = await stage(service)
  await work.step('reading the first shelf')
  await seen(page, 'reading the first shelf')

  // Of the API, which is in this process; the browser goes by its own.
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 700_000 })
  t.teardown(() => mock.timers.reset())
  await page.getByText('Your token has expired. Sign in again to continue where you were.').waitFor()
  t.equal(await page.locator('.job').count(), 0, 'nothing is shown to the next person at the screen')
  t.equal(await page.getByText('cannot be reached').count(), 0, 'and nothing else is blamed')
  await work.step('while nobody was signed in')

  await enter(page, token('alice'))
  await seen(page, 'while nobody was signed in')
  t.equal(page.url(), at, 'where it was')
  work.finish()
  await page.locator('.job.completed').waitFor()
  await page.locator('summary', { hasText: 'Steps' }).click()
  await page.locator('.step .what').first().waitFor()
  const told = (await page.locator('.step .what').allTextContents()).filter((text) =>
    /shelf|while/.test(text),
  )
  t.same(told, ['while nobody was signed in', 'reading the first shelf'], 'each once')
  t.equal(service.calls.length, 1, 'the job never noticed')
  t.same(complaints, [])
})

t.test('mock authentication is said plainly, and no token counts unchecked', { skip }, async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t, { ALLOW_MOCK_AUTH: 'true' }), CONSOLE))
  const { page } = await openTab(t)
  await page.goto(`${api.url}/`)
  t.equal(new URL(page.url()).pathname, '/console/')
  const bar = page.locator('.bar')
  const height = async () => (await bar.boundingBox())?.height
  await bar.getByText('user-dev-001').waitFor()
  const high = await height()
  t.match(await bar.textContent(), /Dashboard.*user-dev-001.*development/)
  t.equal(await bar.getByText(/token|sign in|sign out/i).count(), 0, 'nothing leads to a form for a token')

  await page.setViewportSize({ width: 390, height: 844 })
  const middle = async (part: string) => {
    const box = await bar.locator(part).boundingBox()
    return box ? box.y + box.height / 2 : 0
  }
  const apart = (await middle('.who')) - (await middle('.brand'))
  t.ok(Math.abs(apart) < 10, `the user stands beside the name on a phone, ${apart} px apart`)
  await page.setViewportSize({ width: 1280, height: 800 })

  await page.goto(`${api.url}/console/#/sign-in`)
  await page.getByText('everyone is this user and may do everything').waitFor()
  await page.getByText('Sign in as another user with a token').click()
  t.same(await axe(page), [])
  await enter(page, 'hello')
  t.match(await page.locator('#token-fault').textContent(), /the server did not check it/)
  t.match(await bar.textContent(), /Dashboard.*user-dev-001/, 'who one was, one is')
  await enter(page, token('alice'))
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  t.match(await bar.textContent(), /alice/)
  t.equal(await height(), high, 'the bar is as high as before')
  await page.reload()
  await bar.getByText('alice').waitFor()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are signed out.').waitFor()
  t.same(await axe(page), [])
  t.equal(await height(), high, 'and after signing out')
  await page.getByRole('button', { name: 'Continue as user-dev-001' }).click()
  await page.getByRole('link', { name: 'Dashboard' }).waitFor()
})

async function enter(page: Page, text: string): Promise<void> {
  await page.getByLabel('Token').fill(text)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page
    .locator('form:not(:has(#token)), main:not(:has(#token)), #token-fault:not(:empty)')
    .first()
    .waitFor()
}

async function seen(page: Page, text: string): Promise<void> {
  await page.locator('.step', { hasText: text }).waitFor()
}

/** The stage service's side of the job that has just been started. */
async function stage(service: FakeStageService) {
  const call = await service.call(0)
  const say = (line: unknown) => call.response.write(`${JSON.stringify(line)}\n`)
  let percent = 0
  return {
    async step(message: string) {
      percent += 10
      say({ type: 'progress', percent, message })
    },
    finish() {
      say({ type: 'result', ...success(call) })
      call.response.end()
    },
  }
}

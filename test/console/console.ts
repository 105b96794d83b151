/** The console in a browser, with API, worker and the built-in stage service. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Queue } from 'bullmq'
import type { BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { consoleOfWorkingCopy } from '../../packages/console/bundle.mjs'
import { startBuiltInService } from '../../packages/literature/start.ts'
import { type Env, startApi, startWorker, type TestApi, testEnv, token } from '../helpers/app.ts'
import { launchBrowser } from '../helpers/browser.ts'
import { openQueue } from '../helpers/queue.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { type Answer, fakeStageService } from '../helpers/stage-service.ts'

export const CONSOLE = { consoleFiles: consoleOfWorkingCopy }
export const QUESTION = 'What are the effects of intermittent fasting on cardiovascular health?'

/** The built-in stage service, one step each `paceMs`; answers its address. */
async function sampleService(t: Test, paceMs: number): Promise<string> {
  const options = { host: '127.0.0.1', port: 0, dataDir: t.testdir(), paceMs }
  const service = await startBuiltInService(options)
  t.teardown(() => service.close())
  return service.url
}

/** API, worker and stage service in this process, and the queue between them. */
export async function startAll(
  t: Test,
  { paceMs = 0, env = {} as Env } = {},
): Promise<TestApi & { queue: Queue }> {
  const all = await testEnv(t, { WORKER_URL: await sampleService(t, paceMs), ...env })
  const api = closeQuickly(t, await startApi(t, all, CONSOLE))
  startWorker(t, all)
  return { ...api, queue: openQueue(t, all) }
}

/** API and worker with a stage service that gives `answer`, whose every file is `review`; a tab of somebody signed in. */
export async function openReviewed(t: Test, answer: Answer, review: object): Promise<Tab & { url: string }> {
  const service = await fakeStageService(t, answer)
  service.onGet = (_url, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review))
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = closeQuickly(t, await startApi(t, env, CONSOLE))
  startWorker(t, env)
  const tab = await openTab(t)
  await openAs(tab.page, url)
  return { ...tab, url }
}

export interface Tab {
  page: Page
  /** The browser's errors: policy violations and exceptions in scripts. */
  complaints: string[]
}

/** A new, empty tab. The browser's errors are collected. */
export async function openTab(t: Test, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await (await launchBrowser()).newContext(options)
  t.teardown(() => context.close())
  const page = await context.newPage()
  // Long enough for a page on a busy machine.
  page.setDefaultTimeout(300_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // Answers with an error status are the page's business, and it deals with them.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  await page.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
    console.error('policy violated:', event.violatedDirective, event.blockedURI))`)
  return { page, complaints }
}

/** Opens a page of the console as somebody who has signed in. */
export async function openAs(page: Page, url: string, hash = '#/', user = 'alice'): Promise<void> {
  await page.goto(`${url}/console/${hash}`)
  await page.getByLabel('Token').fill(token(user))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

/** Fills the form of stage 2 and starts it; resolves on the page of the job. */
export async function startReview(page: Page, question = QUESTION): Promise<void> {
  await page.getByRole('link', { name: /Literature search/ }).click()
  await page.getByLabel('Research question').fill(question)
  await page.getByRole('button', { name: 'Start' }).click()
  await page.locator('.job').waitFor()
}

/** What tests ask of an element. They are compiled without the types of the DOM. */
export interface Dom {
  clientWidth: number
  scrollWidth: number
  dataset: Record<string, string>
  ownerDocument: { activeElement: unknown }
  getAttribute(name: string): string | null
}

export function hasFocus(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => (element as unknown as Dom).ownerDocument.activeElement === element)
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The rules that the current page breaks according to axe, with the elements. */
export async function axe(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(AXE)
  const found = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')
  const { violations } = found as { violations: { id: string; nodes: { target: string[] }[] }[] }
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

/** How many px the page is wider than its window. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth')
}

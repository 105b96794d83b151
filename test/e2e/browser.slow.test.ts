/** A real browser follows a job with its own EventSource, from a page of another origin, over a network that breaks. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startApi, testEnv } from '../helpers/app.ts'
import { launchBrowser, noBrowser as skip } from '../helpers/browser.ts'
import { CuttingProxy } from '../helpers/cutting-proxy.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { runningJob } from '../helpers/scripted-job.ts'
import { eventually, idsOf } from '../helpers/waiting.ts'

interface Seen {
  id: string
  event: string
  data: { message: string }
}

/** What the page collects. It runs in the browser. */
declare const window: { seen: Seen[]; errors: number[]; source: { readyState: number } }

const PAGE = `<!doctype html><script>
  window.seen = []
  window.errors = []
  window.watch = (url) => {
    const source = window.source = new EventSource(url)
    source.onerror = () => window.errors.push(source.readyState)
    for (const type of ['queued', 'active', 'progress', 'retrying', 'completed', 'gap', 'gone'])
      source.addEventListener(type, ({ lastEventId, data }) =>
        window.seen.push({ id: lastEventId, event: type, data: JSON.parse(data) }))
  }
</script>`

async function servePage(t: Test): Promise<string> {
  const server = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function openPage(t: Test, origin: string): Promise<Page> {
  const page = await (await launchBrowser()).newPage()
  t.teardown(() => page.close())
  await page.goto(origin)
  return page
}

t.test('EventSource of a browser', { skip }, async (t) => {
  const origin = await servePage(t)
  const api = closeQuickly(t, await startApi(t, await testEnv(t, { CORS_ORIGINS: origin })))
  const proxy = await CuttingProxy.open(t, api.url)
  const page = await openPage(t, origin)

  const job = await runningJob(api, 3)
  const url = proxy.url + job.urls.events
  const seen = () => page.evaluate(() => window.seen)
  await page.evaluate(`watch(${JSON.stringify(url)})`)
  await page.waitForFunction((count) => window.seen.length >= count, job.ids.length)

  const requestsFor = () => proxy.requests.filter((text) => text.includes('/events?'))
  t.notMatch(requestsFor()[0], /last-event-id/i)
  t.match(requestsFor()[0], /^origin: http:\/\/127\.0\.0\.1/im, 'the page is of another origin')

  proxy.cut()
  await eventually('the server has noticed', () => api.app.stagecast.streams.size === 0)
  await job.steps(2, 'while nobody watches')
  await page.waitForFunction((count) => window.seen.length >= count, job.ids.length)
  t.same(idsOf(await seen()), job.ids, 'it resumes by itself, without loss or repeats')
  t.match(requestsFor()[1], new RegExp(`last-event-id: ${job.ids[4]}`, 'i'))
  t.same(await page.evaluate(() => window.errors), [0], 'an interruption is not the end')

  await job.steps(1, 'ünïcödé ✓ \u2028')
  await job.complete()
  // It reconnects after the terminal event, and a 204 stops it.
  await page.waitForFunction(() => window.source.readyState === 2)
  const all = await seen()
  t.same(idsOf(all), job.ids)
  t.match(all.at(-2), { event: 'progress', data: { message: 'ünïcödé ✓ \u2028' } })
  t.equal(all.at(-1)?.event, 'completed')
  t.same(await page.evaluate(() => window.errors), [0, 0, 2])
  const answered = api.logs.filter((line) => line.includes('"statusCode":204')).length
  t.equal(answered, 1, 'one 204')
  t.equal(api.app.stagecast.streams.size, 0)
})

t.test('a page of an origin that is not allowed sees nothing', { skip }, async (t) => {
  const origin = await servePage(t)
  const env = await testEnv(t, { CORS_ORIGINS: 'https://app.example.org' })
  const api = closeQuickly(t, await startApi(t, env))
  const page = await openPage(t, origin)
  const job = await runningJob(api, 1)
  await page.evaluate(`watch(${JSON.stringify(api.url + job.urls.events)})`)
  await page.waitForFunction(() => window.source.readyState === 2)
  t.same(await page.evaluate(() => window.seen), [])
})

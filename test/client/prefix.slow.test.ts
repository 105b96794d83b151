/** nginx serves the API under a path and removes it: all URLs lead back through nginx, in clients, console and /docs. */
import t from 'tap'
import { Stagecast } from '../../packages/client/index.ts'
import { consoleOfWorkingCopy } from '../../packages/console/bundle.mjs'
import { openAs, openTab, startReview } from '../console/console.ts'
import { authorization, enqueue, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { noBrowser } from '../helpers/browser.ts'
import { documentedProxy, lacks } from '../helpers/documented-proxy.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fakeStageService } from '../helpers/stage-service.ts'

const PREFIXED = { block: 'nginx-prefix', path: '/research' }
const html = { accept: 'text/html' }

t.test('an nginx that removes a prefix', { skip: lacks('nginx') || noBrowser }, async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url, TRUST_PROXY: '10.0.0.0/8,127.0.0.1' })
  const api = closeQuickly(t, await startApi(t, env, { consoleFiles: consoleOfWorkingCopy }))
  startWorker(t, env)
  const url = await documentedProxy(t, 'nginx', api.url, undefined, PREFIXED)
  const { origin } = new URL(url)

  await t.test('URLs in answers', async (t) => {
    const { job_id, urls } = await enqueue(url)
    const path = `/research/api/workflow/stages/2/jobs/${job_id}`
    t.match(urls, { status: `${path}/status`, cancel: `${path}/cancel` })
    const status = await fetch(origin + urls.status, { headers: authorization() })
    t.match(await status.json(), { job_id })
    const events = await (await fetch(origin + urls.events)).text()
    t.match(events, /^event: completed$/m, 'the ticket in the URL opens its events')

    const client = new Stagecast({ baseUrl: url, token: token() })
    const reference = { stage: 2, job_id }
    const ways = [undefined, urls.events, async () => (await client.ticket(reference)).events_url]
    for (const way of ways) {
      const seen: string[] = []
      for await (const { event } of client.watch(reference, { events: way })) seen.push(event)
      t.equal(seen.at(-1), 'completed', 'the client uses the URLs unchanged')
    }
  })

  await t.test('pages', async (t) => {
    for (const path of ['/', '/console']) {
      const answer = await fetch(url + path, { headers: html, redirect: 'manual' })
      t.equal(answer.headers.get('location'), '/research/console/', path)
    }
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as { servers: object }
    t.same(document.servers, [{ url: '/research' }])
    const { page } = await openTab(t)
    for (const path of ['/docs', '/docs/']) {
      await page.goto(url + path)
      await page.getByText('/api/workflow/stages/{stage}/jobs/{job_id}/status').first().waitFor()
    }
  })

  await t.test('the console', async (t) => {
    const { page, complaints } = await openTab(t)
    const outside: string[] = []
    page.on('request', (request) => {
      // A preview is a blob that the page creates, so no request is sent for it.
      const isOwn = request.url().startsWith('blob:') || request.url().startsWith(`${url}/`)
      if (!isOwn) outside.push(request.url())
    })
    await openAs(page, url)
    await startReview(page)
    await page.locator('.job.completed').waitFor()
    await page.getByRole('link', { name: 'Jobs', exact: true }).click()
    await page.locator('.job-row').first().waitFor()
    t.same(outside, [], 'no request leaves the prefix')
    t.same(complaints, [])
    await page.getByRole('link', { name: 'The API' }).click()
    await page.getByText('/api/workflow/stages/{stage}/jobs/{job_id}/status').first().waitFor()
    t.match(page.url(), `${url}/docs/`)
    await page.goBack()
    await page.getByRole('link', { name: 'OpenAPI document' }).click()
    await page.waitForURL(`${url}/openapi.json`)
  })
})

t.test('an untrusted X-Forwarded-Prefix is ignored', { skip: lacks('nginx') }, async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t, { TRUST_PROXY: '10.0.0.0/8' })))
  const url = await documentedProxy(t, 'nginx', api.url, undefined, PREFIXED)
  const { urls } = await enqueue(url)
  t.match(urls.status, /^\/api\//)
})

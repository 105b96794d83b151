/** The client in a real browser, from a page of another origin, over a network that breaks. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import t, { type Test } from 'tap'
import { startApi, testEnv, token } from '../helpers/app.ts'
import { launchBrowser, noBrowser as skip } from '../helpers/browser.ts'
import { CuttingProxy } from '../helpers/cutting-proxy.ts'
import { ROOT } from '../helpers/processes.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { runningJob } from '../helpers/scripted-job.ts'
import { eventually } from '../helpers/waiting.ts'

interface Watching {
  ids: (string | null)[]
  events: string[]
  transports: string[]
  end: string
}

/** What the page collects. It runs in the browser. */
declare const window: { watching: Watching }

/** The client as a page loads it, and a page that watches what its `start` is given. */
async function servePage(t: Test): Promise<string> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['packages/client/index.ts'],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    // Name the configuration, or esbuild would use a tsconfig.json in a folder above.
    tsconfig: 'tsconfig.json',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const sources = Object.keys(metafile.inputs)
  t.same(
    sources.filter((path) => !path.startsWith('packages/client/')),
    [],
    'the bundle contains only the client',
  )
  const bundle = outputFiles[0]?.text ?? ''
  const page = `<!doctype html><script type="module">
    import { Stagecast } from './client.js'
    window.start = async (baseUrl, token, job, events) => {
      const watching = (window.watching = { ids: [], events: [], transports: [], end: '' })
      const stagecast = new Stagecast({ baseUrl, token: token ? async () => token : undefined })
      const onTransport = (transport) => watching.transports.push(transport)
      try {
        for await (const { id, event } of stagecast.watch(job, { events, onTransport })) {
          watching.ids.push(id)
          watching.events.push(event)
        }
        watching.end = 'ended'
      } catch (error) {
        watching.end = String(error)
      }
    }
    window.ready = true
  </script>`
  const server = createServer(({ url }, response) => {
    const [type, text] = url === '/client.js' ? ['text/javascript', bundle] : ['text/html', page]
    response.writeHead(200, { 'content-type': type as string }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

for (const by of ['token', 'ticket'] as const) {
  t.test(`a job is watched through lost connections, by ${by}`, { skip }, async (t) => {
    const origin = await servePage(t)
    const api = closeQuickly(t, await startApi(t, await testEnv(t, { CORS_ORIGINS: origin })))
    const proxy = await CuttingProxy.open(t, api.url)
    const browser = await launchBrowser()
    const context = await browser.newContext()
    t.teardown(() => context.close())
    const page = await context.newPage()
    await page.goto(origin)
    await page.waitForFunction('window.ready')

    const job = await runningJob(api, 3)
    const reference = { stage: 2, job_id: job.id }
    const given =
      by === 'token' ? [proxy.url, token(), reference] : [proxy.url, '', reference, job.urls.events]
    await page.evaluate(`void start(...${JSON.stringify(given)})`)
    const caughtUp = () => page.waitForFunction((n) => window.watching.ids.length >= n, job.ids.length)
    await caughtUp()

    proxy.cut()
    await eventually('the server has noticed', () => api.app.stagecast.streams.size === 0)
    await job.steps(2, 'while nobody watches')
    await caughtUp()

    // Going offline alone refuses new connections but keeps the open one.
    await context.setOffline(true)
    proxy.cut()
    await eventually('the server has noticed', () => api.app.stagecast.streams.size === 0)
    await job.steps(2, 'while the browser is offline')
    await page.waitForFunction(() => window.watching.transports.at(-1) === 'waiting')
    await context.setOffline(false)
    await caughtUp()

    await job.complete()
    await page.waitForFunction(() => window.watching.end !== '')
    const { ids, events, transports, end } = await page.evaluate(() => window.watching)
    t.equal(end, 'ended')
    t.same(ids, job.ids, 'nothing is missed or repeated')
    t.equal(events.at(-1), 'completed')
    t.same(transports, ['sse', 'waiting', 'sse', 'waiting', 'sse'])
    const preflights = proxy.requests.join('').match(/^OPTIONS /gm)?.length ?? 0
    t.equal(preflights > 0, by === 'token', `${preflights} preflights`)
  })
}

/** The examples, and the example of docs/embedding.md, with the package installed from the tarball. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import stagecast, { startStageWorker } from '../../stagecast.ts'
import { type Dom, openTab, startReview } from '../console/console.ts'
import { read } from '../docs/markdown.ts'
import { JWT_SECRET, memoryLog, QUESTION, token } from '../helpers/app.ts'
import { noBrowser as skip } from '../helpers/browser.ts'
import { CuttingProxy } from '../helpers/cutting-proxy.ts'
import { randomPrefix, sharedRedis } from '../helpers/redis.ts'
import { fakeStageService, success } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'
import { install, pack, run, start } from './packed.ts'

/** Time limit for a page on a busy machine. */
const PATIENCE_MS = 60_000
const tarball = await pack(t)

const json = { 'content-type': 'application/json' }
const body = () => JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION })

/** Starts a program of an example; returns its address. */
async function serve(t: Test, folder: string, file: string, more: NodeJS.ProcessEnv = {}) {
  const service = await fakeStageService(t)
  const REDIS_URL = await sharedRedis(t)
  const env = { ...process.env, REDIS_URL, WORKER_URL: service.url, PORT: '0', ...more }
  const child = start(process.execPath, [file], { cwd: folder, env })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  let said = ''
  const listening = new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk) => {
      said += chunk
      const url = /listening at (http:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d+)/.exec(said)?.[1]
      if (url) resolve(url)
    })
  })
  const url = await Promise.race([listening, ended.then(() => '')])
  if (!url) throw new Error(`${file} ended: ${said}`)
  return { url, child, ended }
}

t.test('examples/embedded and docs/embedding.md', { skip }, async (t) => {
  const folder = await install(t, tarball, 'examples/embedded')

  await t.test("the application's sessions", async (t) => {
    const more = {
      SESSION_SECRET: 'a secret of at least thirty-two characters',
      REDIS_PREFIX: randomPrefix(),
    }
    const { url, child, ended } = await serve(t, folder, 'serve.mjs', more)
    const api = `${url}/research/api`
    const login = async (name: string, password: string) => {
      const answer = await fetch(`${url}/login`, {
        method: 'POST',
        body: new URLSearchParams({ name, password }),
        redirect: 'manual',
      })
      return {
        status: answer.status,
        cookie: String(answer.headers.getSetCookie().at(-1)).split(';')[0] as string,
      }
    }
    t.equal((await login('ann', 'a guessed session')).status, 401)
    const stranger = await fetch(`${api}/workflow/jobs`)
    t.equal(stranger.status, 401)
    t.match(await stranger.json(), { code: 'UNAUTHENTICATED' })
    t.same(await (await fetch(`${url}/me`)).json(), { user: null })

    const ann = { cookie: (await login('ann', 'correct horse')).cookie }
    const bob = { cookie: (await login('bob', 'battery staple')).cookie }
    const me = await (await fetch(`${url}/me`, { headers: bob })).json()
    t.same(me, { user: { name: 'bob', admin: false } }, 'its own `user`')
    const accepted = await fetch(`${api}/workflow/stages/2/execute`, {
      method: 'POST',
      headers: { ...ann, ...json },
      body: body(),
    })
    t.equal(accepted.status, 202)
    const { urls } = (await accepted.json()) as { urls: { status: string; events: string } }
    t.match(urls.status, /^\/research\/api\//)
    t.match(await (await fetch(url + urls.events)).text(), /^event: completed$/m)
    const state = await (await fetch(url + urls.status, { headers: ann })).json()
    t.match(state, { status: 'completed', data: { user_id: 'ann' } })
    t.equal((await fetch(url + urls.status, { headers: bob })).status, 404, "another user's job")
    t.equal((await fetch(`${api}/admin/overview`, { headers: bob })).status, 403)
    t.equal((await fetch(`${api}/admin/overview`, { headers: ann })).status, 200)
    await fetch(`${url}/logout`, { method: 'POST', headers: bob, redirect: 'manual' })
    t.equal((await fetch(`${api}/workflow/jobs`, { headers: bob })).status, 401, 'the session has ended')

    const { page, complaints } = await openTab(t)
    page.setDefaultTimeout(PATIENCE_MS)
    await page.goto(url)
    await page.getByLabel('Name').fill('bob')
    await page.getByLabel('Password').fill('battery staple')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: 'Research' }).click()
    await startReview(page)
    await page.locator('.job.completed').waitFor()
    t.match(page.url(), `${url}/research/console/`, 'the console asks for no token')
    t.same(complaints, [])

    child.kill('SIGTERM')
    t.same(await ended, [0, null], 'the process exits after it is closed')
  })

  await t.test('the example of docs/embedding.md', async (t) => {
    const code = /```js\n(import Fastify.*?)```/s.exec(read('docs/embedding.md'))?.[1] as string
    await writeFile(join(folder, 'docs.mjs'), code.replace("'research'", `'${randomPrefix()}'`))
    const { url } = await serve(t, folder, 'docs.mjs')
    const headers = { ...json, 'x-user': 'ann' }
    const path = `${url}/research/api/workflow/stages/2/execute`
    t.equal((await fetch(path, { method: 'POST', headers: json, body: body() })).status, 401)
    const answer = await fetch(path, { method: 'POST', headers, body: body() })
    const { urls } = (await answer.json()) as { urls: { events: string } }
    t.match(await (await fetch(url + urls.events)).text(), /^event: completed$/m)
  })
})

for (const major of [19, 18]) {
  const other = ['react', 'react-dom', '@types/react', '@types/react-dom'].map((name) => `${name}@${major}`)
  t.test(`examples/react, with React ${major}`, { skip }, (t) =>
    drivePage(t, major, major === 19 ? [] : other),
  )
}

async function drivePage(t: Test, major: number, packages: string[]): Promise<void> {
  const folder = await install(t, tarball, 'examples/react', packages)
  const manifest = await readFile(join(folder, 'node_modules/react/package.json'), 'utf8')
  t.match(JSON.parse(manifest).version, new RegExp(`^${major}\\.`))
  await run('npm', ['run', 'build'], { cwd: folder })
  // Only in this build does StrictMode set up effects and stores twice.
  const env = { ...process.env, NODE_ENV: 'development' }
  await run('npx', ['vite', 'build', '--mode', 'development', '--outDir', 'dist-dev'], { cwd: folder, env })

  for (const built of ['dist', 'dist-dev'])
    await t.test(`${built}: a token that expires, offline and back`, async (t) => {
      const { url: server, service, tokens } = await backend(t, join(folder, built))
      const network = await CuttingProxy.open(t, server)
      const { url } = network
      const { page, complaints } = await openTab(t)
      page.setDefaultTimeout(PATIENCE_MS)
      const streams: string[] = []
      page.on('request', (request) => {
        if (/\/jobs\/[^/]+\/events/.test(request.url())) streams.push(request.url())
      })
      await page.goto(url)
      await page.getByLabel('Question').fill(QUESTION)
      await page.getByRole('button', { name: 'Start' }).click()
      const call = await service.call(0)
      call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      const step = (percent: number, message: string) =>
        call.response.write(`${JSON.stringify({ type: 'progress', percent, message })}\n`)
      const shown = (message: string) => page.getByText(`progress: ${message}`, { exact: true }).waitFor()
      step(10, 'step one')
      await shown('step one')
      t.equal(streams.length, 1, 'one connection for both components, also under StrictMode')
      await page.getByText('Stage 2: active').waitFor()

      await eventually('the first token has ended', () => tokens.length > 2, PATIENCE_MS)
      step(20, 'step two')
      await shown('step two')

      await page.context().setOffline(true)
      // Chromium keeps open connections when it goes offline.
      network.cut()
      await page.getByTestId('transport').getByText('waiting for the network').waitFor()
      step(30, 'step three')
      const until = Math.max(...tokens)
      await eventually('the last token has ended', () => Date.now() > until, PATIENCE_MS)
      t.equal(await page.getByText('step three').count(), 0)
      await page.context().setOffline(false)
      await shown('step three')
      step(40, 'step four')
      await shown('step four')
      call.response.end(`${JSON.stringify({ type: 'result', ...success(call, { artifacts: ['a.txt'] }) })}\n`)
      await page.getByText('Files: a.txt').waitFor()
      await page.getByText('Stage 2: completed, 100 %').waitFor()
      t.equal(await page.getByTestId('status').textContent(), 'completed')
      const inTitle = async () => (await page.title()) === '100 % completed'
      await eventually('the other component shows the end too', inTitle, PATIENCE_MS)
      t.same(await idsOn(page), await idsOf(url, String(call.body.job_id)), 'every event once, in order')
      t.same(complaints, [])
    })
}

async function idsOn(page: Page): Promise<string[]> {
  return page
    .getByRole('list', { name: 'Events' })
    .locator('li')
    .evaluateAll((all) => all.map((one) => (one as unknown as Dom).dataset.id ?? ''))
}

async function idsOf(url: string, job_id: string): Promise<string[]> {
  const path = `${url}/research/api/workflow/stages/2/jobs/${job_id}/events/page`
  const answer = await fetch(path, { headers: { authorization: `Bearer ${token('ann')}` } })
  return ((await answer.json()) as { events: { id: string }[] }).events.map(({ id }) => id)
}

/** The page's origin: serves the page, short-lived tokens, and Stagecast. */
async function backend(t: Test, files: string) {
  const service = await fakeStageService(t, () => {})
  const { log } = memoryLog()
  const app = Fastify({ loggerInstance: log, forceCloseConnections: true }) as unknown as FastifyInstance
  t.teardown(() => app.close())
  const connection = {
    redisUrl: await sharedRedis(t),
    redisPrefix: randomPrefix(),
    services: { default: { url: service.url } },
  }
  const tokens: number[] = []
  app.post('/token', async () => {
    const exp = Math.floor(Date.now() / 1000) + 5
    tokens.push(exp * 1000)
    return { token: token('ann', { exp }), expires_in: 4 }
  })
  await app.register(fastifyStatic, { root: files })
  const options = { jwt: { secret: JWT_SECRET }, requestsPerMinute: 0, consoleFiles: null, drainMs: 100 }
  await app.register(stagecast, { ...connection, ...options, prefix: '/research' })
  const worker = startStageWorker({ ...connection, log })
  t.teardown(() => worker.close(500))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url, service, tokens }
}

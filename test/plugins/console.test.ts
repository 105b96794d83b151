/** How the console is served: redirects, content security policy and caching. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { bundleConsole } from '../../packages/console/bundle.mjs'
import { startApi, testEnv } from '../helpers/app.ts'

t.test('the console', async (t) => {
  const folder = join(t.testdir(), 'console')
  await bundleConsole(folder, { compress: true })
  const env = await testEnv(t)
  const { app } = await startApi(t, env, { consoleFiles: async () => folder })

  await t.test('the root redirects a browser, and is a 404 for other clients', async (t) => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
    const browser = await app.inject({ url: '/', headers: { accept } })
    t.equal(browser.statusCode, 302)
    t.equal(browser.headers.location, '/console/')
    t.equal((await app.inject({ url: '/console' })).headers.location, '/console/')
    const program = await app.inject({ url: '/', headers: { accept: '*/*' } })
    t.match([program.statusCode, program.json().code], [404, 'NOT_FOUND'])
  })

  const page = await app.inject({ url: '/console/' })
  await t.test('the page is revalidated each time and runs only its own scripts', async (t) => {
    t.equal(page.statusCode, 200)
    t.match(page.headers['content-type'], 'text/html')
    t.equal(page.headers['cache-control'], 'no-cache')
    const policy = String(page.headers['content-security-policy'])
    t.match(policy, /script-src 'self'(;|$)/)
    t.match(policy, /style-src 'self'(;|$)/)
    t.match(policy, /connect-src 'self'(;|$)/)
    t.match(policy, /default-src 'none'/)
    t.notMatch(policy, /unsafe/)
    t.notMatch(page.body, /<style|<script>|style=|onclick|https?:/)
    const again = await app.inject({
      url: '/console/',
      headers: { 'if-none-match': String(page.headers.etag) },
    })
    t.equal(again.statusCode, 304)
  })

  await t.test('scripts and styles have a hash in their names and are cached', async (t) => {
    const names = [...page.body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, name = '']) => name)
    const hashed = names.filter((name) => /\.(js|css)$/.test(name))
    t.equal(hashed.length, 2)
    for (const name of hashed) {
      const answer = await app.inject({ url: `/console/${name}`, headers: { 'accept-encoding': 'br' } })
      t.match(answer.headers['cache-control'], /max-age=31536000, immutable/)
      t.equal(answer.headers['content-encoding'], 'br')
      t.ok(answer.rawPayload.length < 52_000, `${name}: ${answer.rawPayload.length} bytes`)
      const whole = await app.inject({ url: `/console/${name}` })
      t.equal(whole.body, await readFile(join(folder, name), 'utf8'))
    }
    t.equal((await app.inject({ url: '/console/icon.svg' })).headers['cache-control'], 'no-cache')
  })

  await t.test('nothing else is served', async (t) => {
    await mkdir(join(folder, '..', 'other'))
    await writeFile(join(folder, '..', 'other', 'secret.txt'), 'secret')
    for (const url of [
      '/console/nothing.js',
      '/console/../other/secret.txt',
      '/console/%2e%2e/other/secret.txt',
    ]) {
      const { statusCode, body } = await app.inject({ url })
      t.ok([403, 404].includes(statusCode), `${url}: ${statusCode}`)
      t.notMatch(body, 'secret')
    }
    const posted = await app.inject({ method: 'POST', url: '/console/' })
    t.match([posted.statusCode, posted.json().code], [405, 'METHOD_NOT_ALLOWED'])
  })

  t.equal(
    (await startApi(t, env)).app.hasRoute({ method: 'GET', url: '/console/*' }),
    false,
    'only when given',
  )
})

/** CORS: only pages of listed origins may call the API from a browser. */
import t, { type Test } from 'tap'
import { loadConfig } from '../../server/config.ts'
import { authorization, type Env, enqueue, JWT_SECRET, startApi, testEnv } from '../helpers/app.ts'
import { injected, isProblem } from '../helpers/problem.ts'
import { sendRaw } from '../helpers/raw.ts'
import { openStream } from '../helpers/sse.ts'

const APP = 'https://app.example.org'
const DEV = 'http://localhost:5173'
const BASE: Env = { REDIS_URL: 'redis://localhost', WORKER_URL: 'http://localhost', JWT_SECRET }
const ENV: Env = { CORS_ORIGINS: `${APP}, ${DEV}` }

t.test('without a list no origin is allowed', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  const headers = { ...authorization(), origin: APP }
  const answer = await app.inject({ url: '/api/workflow/stages', headers })
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['access-control-allow-origin'], undefined)
  const preflight = injected(
    await app.inject({ method: 'OPTIONS', url: '/api/workflow/stages', headers: asking('GET') }),
  )
  isProblem(t, preflight, 'METHOD_NOT_ALLOWED')
})

t.test('the origins on the list', async (t) => {
  const { app } = await startApi(t, await testEnv(t, ENV))
  const ask = (origin?: string) =>
    app.inject({ url: '/api/workflow/stages', headers: { ...authorization(), ...(origin && { origin }) } })
  for (const origin of [APP, DEV]) {
    const { headers } = await ask(origin)
    t.equal(headers['access-control-allow-origin'], origin, 'by name, never *')
    t.match(headers.vary, /origin/i)
    t.equal(
      headers['access-control-allow-credentials'],
      undefined,
      'tokens are sent in a header, not in cookies',
    )
    const exposed = String(headers['access-control-expose-headers'])
    for (const name of ['location', 'retry-after', 'etag', 'idempotent-replayed']) t.match(exposed, name)
  }
  for (const origin of [
    'https://evil.example',
    'null',
    `${APP}.evil.example`,
    `${APP}:8443`,
    'http://app.example.org',
    'https://APP.example.org',
    'http://localhost:5174',
    undefined,
  ]) {
    const answer = await ask(origin)
    t.equal(answer.headers['access-control-allow-origin'], undefined, `${origin}`)
    t.match(answer.headers.vary, /origin/i, 'caches must distinguish origins')
  }
})

t.test('errors can be read by the origins on the list', async (t) => {
  const { app } = await startApi(t, await testEnv(t, ENV))
  for (const [method, url] of [
    ['GET', '/api/workflow/stages'],
    ['GET', '/nowhere'],
    ['DELETE', '/api/workflow/stages'],
    ['POST', '/api/workflow/stages/2/execute'],
  ] as const) {
    const answer = await app.inject({ method, url, headers: { origin: APP } })
    t.ok(answer.statusCode >= 400)
    t.equal(answer.headers['access-control-allow-origin'], APP, `${method} ${url}: ${answer.statusCode}`)
  }
})

t.test('subdomains', async (t) => {
  const env = await testEnv(t, { CORS_ORIGINS: 'https://*.example.org, http://*.test:8080' })
  const { app, url } = await startApi(t, env)
  const allowed = async (origin: string) =>
    (await app.inject({ url: '/nowhere', headers: { origin } })).headers['access-control-allow-origin']
  for (const origin of ['https://a.example.org', 'https://a.b-c.example.org', 'http://x.test:8080'])
    t.equal(await allowed(origin), origin)
  for (const origin of [
    'https://example.org',
    'https://.example.org',
    'https://aexample.org',
    'https://a.example.org.evil.net',
    'https://a.exampleXorg',
    'https://evil.net/.example.org',
    'https://a.example.org:8443',
    'http://a.example.org',
    'http://x.test',
    'https://*.example.org',
  ])
    t.equal(await allowed(origin), undefined, origin)
  const broken = await sendRaw(
    url,
    'GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example.org\r\nBad\r\n\r\n',
  )
  t.equal(broken.header('access-control-allow-origin'), 'https://a.example.org')
})

t.test('an origin with a wildcard anywhere else is refused', async (t) => {
  for (const origin of ['*', 'https://*', 'https://a.*.org', '*.example.org', 'https://*example.org'])
    t.throws(
      () => loadConfig({ ...BASE, CORS_ORIGINS: origin }),
      { message: /https:\/\/\*\.example\.org, got/ },
      origin,
    )
})

t.test('responses sent before a request is parsed', async (t) => {
  const { url } = await startApi(t, await testEnv(t, ENV))
  const ask = (path: string, headers: string) =>
    sendRaw(url, `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`)
  const large = `X: ${'x'.repeat(20_000)}\r\n`
  for (const [status, path, more] of [
    [431, '/', large],
    [400, '/%zz', ''],
    [400, '/', 'No colon here\r\n'],
    [414, `/api/workflow/stages/${'9'.repeat(2000)}/execute`, ''],
  ] as const) {
    const mine = await ask(path, `Origin: ${APP}\r\n${more}`)
    t.equal(mine.status, status, `${status}`)
    t.equal(mine.header('access-control-allow-origin'), APP, `${status}`)
    t.match(mine.header('access-control-expose-headers'), 'retry-after')
    t.match(mine.header('vary'), /origin/i)
    const strange = await ask(path, `Origin: https://evil.example\r\n${more}`)
    t.equal(strange.status, status)
    t.equal(strange.header('access-control-allow-origin'), undefined, `${status}`)
  }
  const unknown = await ask('/', large)
  t.equal(unknown.header('access-control-allow-origin'), '*', 'the origin may have been in an earlier packet')
})

t.test('a page may read every header that the API sends', async (t) => {
  const api = await startApi(t, await testEnv(t, { ...ENV, RATE_LIMIT_PER_MINUTE: '1' }))
  const headers = { origin: APP, ...authorization() }
  const answers = [
    await fetch(`${api.url}/api/workflow/stages`, { headers }),
    await fetch(`${api.url}/api/workflow/stages`, { headers }),
    await fetch(`${api.url}/api/workflow/stages`, { headers: { origin: APP } }),
    await fetch(`${api.url}/api/workflow/stages`, { headers, method: 'DELETE' }),
  ]
  t.same(
    answers.map(({ status }) => status),
    [200, 429, 401, 405],
  )
  // These are safelisted by the Fetch standard, or useless to a page.
  const readable = /^(cache-control|content-(language|length|type)|expires|last-modified|pragma)$/
  const ofNoUse =
    /^(access-control-.*|connection|keep-alive|vary|strict-transport-security|x-(content-type|frame)-options|.*-policy|referrer-policy)$/
  for (const answer of answers) {
    const exposed = answer.headers.get('access-control-expose-headers')?.split(', ') ?? []
    for (const name of answer.headers.keys())
      if (!readable.test(name) && !ofNoUse.test(name))
        t.ok(exposed.includes(name), `${answer.status}: ${name}`)
  }
  t.equal(answers[0]?.headers.get('x-ratelimit-remaining'), '0')
})

t.test('the preflight', async (t) => {
  const { app } = await startApi(t, await testEnv(t, ENV))
  const ask = (headers: Record<string, string>, url = '/api/workflow/stages/2/execute') =>
    app.inject({ method: 'OPTIONS', url, headers })
  const wanted = 'authorization,content-type,idempotency-key,last-event-id'
  const answer = await ask({ ...asking('POST'), 'access-control-request-headers': wanted })
  t.equal(answer.statusCode, 204, 'the preflight needs no token, because browsers send none')
  t.equal(answer.body, '')
  t.equal(answer.headers['access-control-allow-origin'], APP)
  t.match(answer.headers['access-control-allow-methods'], /GET.*POST|POST.*GET/)
  t.equal(answer.headers['access-control-allow-headers'], wanted)
  t.equal(answer.headers['access-control-max-age'], '600')
  const stranger = await ask({ ...asking('POST'), origin: 'https://evil.example' })
  t.equal(stranger.headers['access-control-allow-origin'], undefined)
  const bare = await ask({})
  t.equal(bare.headers['access-control-allow-origin'], undefined)
  t.notMatch(bare.headers['content-type'], 'text/plain', 'the response is not plain text')
})

t.test('a stream can be read by the origins on the list', async (t) => {
  const api = await startApi(t, await testEnv(t, ENV))
  const job = await enqueue(api.url)
  for (const [origin, allowed] of [
    [APP, APP],
    ['https://evil.example', null],
  ] as const) {
    const stream = await openStream(api.url + job.urls.events, { headers: { origin } })
    const { headers, status } = stream.response
    t.equal(status, 200)
    t.equal(headers.get('access-control-allow-origin'), allowed)
    t.match(headers.get('vary'), /origin/i)
    t.match(headers.get('vary'), /accept/i)
    isStream(t, headers)
    stream.close()
  }
})

t.test('the head of a stream', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const stream = await openStream(api.url + job.urls.events)
  isStream(t, stream.response.headers)
  stream.close()
})

function isStream(t: Test, headers: Headers): void {
  t.match(headers.get('content-type'), /^text\/event-stream/)
  t.equal(headers.get('cache-control'), 'no-cache, no-transform')
  t.equal(headers.get('x-accel-buffering'), 'no')
  t.equal(headers.get('x-content-type-options'), 'nosniff')
  t.match(headers.get('content-security-policy'), "default-src 'none'")
}

function asking(method: string): Record<string, string> {
  return { origin: APP, 'access-control-request-method': method }
}

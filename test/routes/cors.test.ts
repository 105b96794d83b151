/** Other origins: those on the list may call, from a browser, and nobody else. */
import t, { type Test } from 'tap'
import { authorization, type Env, enqueue, startApi, testEnv } from '../helpers/app.ts'
import { injected, isProblem } from '../helpers/problem.ts'
import { openStream } from '../helpers/sse.ts'

const APP = 'https://app.example.org'
const DEV = 'http://localhost:5173'
const ENV: Env = { CORS_ORIGINS: `${APP}, ${DEV}` }

t.test('without a list nobody is let in', async (t) => {
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
      'tokens travel in a header, not in cookies',
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
    t.match(answer.headers.vary, /origin/i, 'a cache must not mix them up')
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

t.test('the preflight', async (t) => {
  const { app } = await startApi(t, await testEnv(t, ENV))
  const ask = (headers: Record<string, string>, url = '/api/workflow/stages/2/execute') =>
    app.inject({ method: 'OPTIONS', url, headers })
  const wanted = 'authorization,content-type,idempotency-key,last-event-id'
  const answer = await ask({ ...asking('POST'), 'access-control-request-headers': wanted })
  t.equal(answer.statusCode, 204, 'no token is asked for: a browser sends none')
  t.equal(answer.body, '')
  t.equal(answer.headers['access-control-allow-origin'], APP)
  t.match(answer.headers['access-control-allow-methods'], /GET.*POST|POST.*GET/)
  t.equal(answer.headers['access-control-allow-headers'], wanted)
  t.equal(answer.headers['access-control-max-age'], '600')
  const stranger = await ask({ ...asking('POST'), origin: 'https://evil.example' })
  t.equal(stranger.headers['access-control-allow-origin'], undefined)
  const bare = await ask({})
  t.equal(bare.headers['access-control-allow-origin'], undefined)
  t.notMatch(bare.headers['content-type'], 'text/plain', 'no error of another kind than all others')
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

/** Every error is a problem document, wherever it arises: route, router, HTTP parser, or a process that is closing. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import type { JournalReader } from '../../journal/reader.ts'
import { authorization, enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { answered, injected, isProblem } from '../helpers/problem.ts'
import { openRaw, parseAnswer, readToEnd, sendRaw } from '../helpers/raw.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const STATUS = `/api/workflow/stages/2/jobs/${randomUUID()}/status`

t.test('unknown paths', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  for (const url of [
    '/',
    '/api',
    '/api/workflow/stages/',
    '/API/workflow/stages',
    '/openapi.json/',
    '/%00',
    '//',
    '/docs2',
  ]) {
    isProblem(t, injected(await app.inject({ url, headers: authorization() })), 'NOT_FOUND', url)
  }
  isProblem(
    t,
    injected(await app.inject({ method: 'POST', url: '/nowhere', payload: { a: 1 } })),
    'NOT_FOUND',
  )
  isProblem(t, injected(await app.inject({ method: 'DELETE', url: '/nowhere' })), 'NOT_FOUND')
})

t.test('unsupported methods', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  const job = `/api/workflow/stages/2/jobs/${randomUUID()}`
  const paths: Record<string, string> = {
    '/api/workflow/stages': 'GET, HEAD',
    '/api/workflow/stages/2/execute': 'POST',
    '/api/workflow/stages/77/execute': 'POST',
    [`${job}/status`]: 'GET, HEAD',
    [`${job}/events`]: 'GET',
    [`${job}/cancel`]: 'POST',
    [`${job}/tickets`]: 'POST',
    [`${job}/artifacts/a.json`]: 'GET',
    '/health/live': 'GET, HEAD',
    '/health/ready': 'GET, HEAD',
    '/openapi.json': 'GET, HEAD',
  }
  for (const [url, allow] of Object.entries(paths)) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      if (allow.split(', ').includes(method)) continue
      const answer = injected(await app.inject({ method, url: `${url}?x=1`, headers: authorization() }))
      t.equal(answer.status, 405, `${method} ${url}`)
      t.equal(answer.header('allow'), allow, `${method} ${url}`)
      if (method !== 'HEAD') isProblem(t, answer, 'METHOD_NOT_ALLOWED', `${method} ${url}`)
    }
  }
})

t.test('invalid path segments', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  const ask = async (url: string) => injected(await app.inject({ url, headers: authorization() }))
  const id = randomUUID()
  for (const stage of ['0', '1000', '-1', '2.5', 'abc', '%20', 'NaN']) {
    isProblem(t, await ask(`/api/workflow/stages/${stage}/jobs/${id}/status`), 'STAGE_NOT_FOUND', stage)
  }
  for (const job of [
    '1',
    'abc',
    `${id}x`,
    `urn:uuid:${id}`,
    `%7B${id}%7D`,
    `${id}%0a`,
    '..',
    '%2e%2e',
    'a:b',
    '*',
  ]) {
    const { status } = await ask(`/api/workflow/stages/2/jobs/${job}/status`)
    t.equal(status, 404, job)
  }
  isProblem(t, await ask(`/api/workflow/stages/2/jobs/${'x'.repeat(2000)}/status`), 'URI_TOO_LONG')
  for (const url of ['/api/%zz', '/%', `/api/workflow/stages/2/jobs/%ff%fe/status`]) {
    isProblem(t, await ask(url), 'BAD_REQUEST', url)
  }
})

t.test('requests that only a raw socket can send', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const badRequests: Record<string, string> = {
    garbage: 'this is not HTTP\r\n\r\n',
    'a TLS greeting': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'an unknown method': 'BREW /coffee HTTP/1.1\r\nHost: x\r\n\r\n',
    'an unknown version': 'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
    'no host': 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
    'a header without name': 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n',
    'a NUL in a header': 'GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n',
    'two lengths': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'a length and chunks':
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a length that is none': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n',
  }
  for (const [about, bytes] of Object.entries(badRequests)) {
    const answer = await sendRaw(api.url, bytes)
    isProblem(t, answer, 'BAD_REQUEST', about)
    t.equal(answer.header('connection'), 'close', about)
    t.equal(Number(answer.header('content-length')), Buffer.byteLength(answer.text), about)
  }
  const large = `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`
  isProblem(t, await sendRaw(api.url, large), 'HEADERS_TOO_LARGE')
  const long = `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`
  isProblem(t, await sendRaw(api.url, long), 'HEADERS_TOO_LARGE', 'a long target')
  const { authorization: header } = authorization()
  const chunks = (chunk: string) =>
    `POST /api/workflow/stages/3/execute HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${header}\r\n` +
    `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`
  const body = JSON.stringify({ workflow_id: 7 })
  const whole = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const parsed = parseAnswer(
    (await readToEnd(send(api.url, chunks(whole)))).replace(/\r\n[0-9a-f]+\r\n/g, '\r\n'),
  )
  t.equal(parsed.status, 400, 'a body in chunks is read')
  t.match(parsed.text, /VALIDATION_FAILED/)
  isProblem(t, await sendRaw(api.url, chunks('xyz\r\n')), 'BAD_REQUEST', 'chunks that are none')
  const endless = chunks(`${(300_000).toString(16)}\r\n${'x'.repeat(300_000)}\r\n0\r\n\r\n`)
  t.equal((await sendRaw(api.url, endless)).status, 413, 'a body without a length is limited too')
  t.equal((await fetch(`${api.url}/health/live`)).status, 200, 'the server still works')
})

t.test('a client that closes its sending side gets no answer, and its job runs', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  const body = JSON.stringify({ workflow_id: randomUUID() })
  const { authorization: header } = authorization()
  const socket = openRaw(api.url)
  socket.write(
    `POST /api/workflow/stages/3/execute HTTP/1.1\r\nHost: x\r\nAuthorization: ${header}\r\nPrefer: wait=30\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  const isNow = (status: string) =>
    eventually(
      `its job is ${status}`,
      async () => {
        const list = await fetch(`${api.url}/api/workflow/jobs`, { headers: authorization() })
        return ((await list.json()) as { jobs: { status: string }[] }).jobs[0]?.status === status
      },
      60_000,
    )
  await isNow('queued')
  socket.end()
  t.equal(await readToEnd(socket), '', 'as docs/proxies.md says')
  startWorker(t, env)
  await isNow('completed')
})

t.test('the server does not wait for slow clients for ever', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  t.equal(app.server.requestTimeout, 30_000, 'a whole request')
  t.ok(app.server.headersTimeout > 0 && app.server.headersTimeout <= 60_000, 'its head')
  t.ok(app.server.keepAliveTimeout > 0, 'an idle connection')
})

t.test('a request that takes too long gets a 408', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const accepted = once(api.app.server, 'connection')
  const socket = openRaw(api.url)
  const answer = readToEnd(socket)
  const [connection] = await accepted
  // Emit the event that Node emits after the time limit, without waiting for it.
  const error = Object.assign(new Error('timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
  api.app.server.emit('clientError', error, connection)
  isProblem(t, parseAnswer(await answer), 'REQUEST_TIMEOUT')
})

t.test('an unknown expectation is ignored', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const request = 'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: miracles\r\n\r\n'
  t.equal((await sendRaw(api.url, request)).status, 200)
  const old = 'GET /health/live HTTP/1.0\r\n\r\n'
  t.equal((await sendRaw(api.url, old)).status, 200, 'HTTP/1.0 needs no host')
})

t.test('an internal error reveals no internals', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const inner = new Error('SELECT canary FROM secrets at /opt/app/db.ts')
  api.app.stagecast.journal.snapshot = () => Promise.reject(inner)
  const url = STATUS
  const answer = injected(await api.app.inject({ url, headers: authorization() }))
  isProblem(t, answer, 'INTERNAL_ERROR')
  t.notMatch(answer.text, /canary|secrets|\.ts|Error:/)
  t.ok(
    api.logs.some((line) => line.includes('SELECT canary') && line.includes('request failed')),
    'the log has the error',
  )
  for (const thrown of [
    Object.assign(new Error('canary'), { statusCode: 503 }),
    'canary',
    { statusCode: 200 },
  ]) {
    api.app.stagecast.journal.snapshot = () => Promise.reject(thrown)
    const other = injected(await api.app.inject({ url, headers: authorization() }))
    isProblem(t, other, 'INTERNAL_ERROR', `thrown: ${thrown}`)
    t.notMatch(other.text, /canary/)
  }
})

t.test('all responses have the security headers, errors too', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  for (const url of ['/health/live', '/nowhere', STATUS]) {
    const { headers } = await app.inject({ url, headers: authorization() })
    t.match(
      headers,
      {
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': /DENY|SAMEORIGIN/,
        'referrer-policy': 'no-referrer',
      },
      url,
    )
    t.notOk('x-powered-by' in headers)
  }
})

t.test('a request during shutdown is answered like any other', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  // The process waits for a response in progress and keeps connections open meanwhile.
  const { authorization: token } = authorization()
  const slow = openRaw(api.url)
  slow.on('data', () => {})
  slow.write(get(`${job.urls.status}?after=000000000000&wait=30`, token))
  while (api.app.stagecast.progress.watched === 0) await new Promise((resolve) => setImmediate(resolve))
  const held = heldFind(api.app.stagecast.journal)

  const socket = openRaw(api.url)
  socket.write(get('/health/live', token))
  await once(socket, 'data')
  const closed = api.app.close()
  await held.called
  const text = readToEnd(socket)
  socket.write(get(job.urls.status, token))
  const answer = parseAnswer(await text)
  held.release()
  await closed
  t.equal(answer.status, 200, answer.text)
  t.equal(answer.header('connection'), 'close')
  t.match(JSON.parse(answer.text), { job_id: job.job_id, status: 'queued' })
})

t.test('closing does not wait for idle connections', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const accepted = once(api.app.server, 'connection')
  const unused = openRaw(api.url)
  await accepted
  const idle = openRaw(api.url)
  idle.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(idle, 'data')
  const startedAt = performance.now()
  const ends = [once(unused, 'close'), once(idle, 'close')]
  await api.app.close()
  t.ok(performance.now() - startedAt < 3000, `closed after ${Math.round(performance.now() - startedAt)} ms`)
  await Promise.all(ends)
})

t.test('HEAD is a GET without a body', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const { urls } = await enqueue(api.url)
  const answer = await answered(fetch(api.url + urls.status, { method: 'HEAD', headers: authorization() }))
  t.equal(answer.status, 200)
  t.equal(answer.text, '')
  t.match(answer.header('etag'), /^"\d{12}"$/)
})

function send(url: string, bytes: string) {
  const socket = openRaw(url)
  socket.write(bytes)
  return socket
}

function get(path: string, token: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${token}\r\n\r\n`
}

/** Delays the next read of a job. */
function heldFind(journal: JournalReader) {
  const { find } = journal
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const called = new Promise<void>((resolve) => {
    journal.find = async (...args) => {
      journal.find = find
      resolve()
      await released
      return find(...args)
    }
  })
  return { called, release: () => release() }
}

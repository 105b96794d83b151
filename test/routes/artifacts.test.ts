/** Files of a completed job: only those in its result, only for its owner, streamed. */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import {
  authorization,
  type Env,
  enqueue,
  type Queued,
  startApi,
  startWorker,
  type TestApi,
  testEnv,
} from '../helpers/app.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { openRaw } from '../helpers/raw.ts'
import { openStream } from '../helpers/sse.ts'

const LONG = '長'.repeat(255)
const NAMES = [
  'a.json',
  'with space & more.txt',
  'ünï.pdf',
  "it's (1)*.txt",
  'per%2fcent',
  '?.#',
  '...',
  LONG,
]

t.test("a file is passed on unchanged, with the service's headers", async (t) => {
  const { api, job, service } = await completed(t)
  for (const name of NAMES) {
    const bytes = randomBytes(1000)
    service.answer = (request, response) => {
      t.equal(request.url, `/api/workflow/jobs/${job.job_id}/artifacts/${encodeURIComponent(name)}`)
      response
        .writeHead(200, {
          'content-type': 'text/html',
          'content-length': 1000,
          etag: '"v1"',
          'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
          'accept-ranges': 'bytes',
          'set-cookie': 'session=1',
          'x-inside': 'secret',
        })
        .end(bytes)
    }
    const response = await download(api, job, name)
    t.equal(response.status, 200, name.slice(0, 30))
    t.same(Buffer.from(await response.arrayBuffer()), bytes)
    const header = (one: string) => response.headers.get(one)
    t.equal(header('content-length'), '1000')
    t.equal(header('content-type'), 'text/html')
    t.equal(header('etag'), '"v1"')
    t.equal(header('accept-ranges'), 'bytes')
    t.match(
      header('content-disposition'),
      /^attachment; filename\*=UTF-8''/,
      'browsers save the file and never show it as a page',
    )
    t.equal(decodeURIComponent(header('content-disposition')?.split("''")[1] ?? ''), name)
    t.equal(header('x-content-type-options'), 'nosniff')
    t.equal(header('set-cookie'), null)
    t.equal(header('x-inside'), null)
  }
})

t.test('one redirect to an allowed host is followed', async (t) => {
  const paths: (string | undefined)[] = []
  const storage = createServer((request, response) => {
    paths.push(`${request.headers.host?.split(':')[0]}${request.url}`)
    if (request.url?.startsWith('/again')) response.writeHead(302, { location: '/file' }).end()
    else response.writeHead(200, { 'content-type': 'text/plain' }).end('from storage')
  }).listen(0)
  await once(storage, 'listening')
  t.teardown(() => storage.close())
  const { port } = storage.address() as AddressInfo
  const { api, job, service } = await completed(t, {
    ARTIFACT_REDIRECT_HOSTS: 'elsewhere.example, LOCALHOST',
  })
  const fetched = async (location: string) => {
    service.answer = (_request, response) => void response.writeHead(307, { location }).end()
    return download(api, job, NAMES[0] as string)
  }
  t.equal(
    await (await fetched(`http://localhost:${port}/named?signed=1`)).text(),
    'from storage',
    'a host in the list',
  )
  for (const place of [
    `http://127.0.0.1:${port}/file`,
    `http://[::1]:${port}/file`,
    'file:///etc/passwd',
    'http://[',
    `http://localhost:${port}/again`,
  ]) {
    const refused = await fetched(place)
    t.equal(refused.status, 502, place)
    t.match(await refused.json(), { code: 'STAGE_SERVICE_ERROR' })
  }
  service.answer = (request, response) => {
    if (request.url === '/moved') response.writeHead(200, { 'content-type': 'text/plain' }).end('moved')
    else response.writeHead(308, { location: '/moved' }).end()
  }
  t.equal(await (await download(api, job, NAMES[0] as string)).text(), 'moved', 'its own address')
  t.same(paths, ['localhost/named?signed=1', 'localhost/again'])
  t.ok(api.logs.some((line) => line.includes('ARTIFACT_REDIRECT_HOSTS') && line.includes('"[::1]"')))
})

t.test('50 MB are streamed, not buffered', async (t) => {
  const { api, job, service } = await completed(t)
  const chunk = Buffer.alloc(1_048_576, 'x')
  let sent = 0
  let goOn = () => {}
  const received = new Promise<void>((resolve) => {
    goOn = resolve
  })
  service.answer = async (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    response.write(chunk)
    sent = 1
    // Send nothing more until the client has the first bytes.
    await received
    for (; sent < 50; sent += 1) if (!response.write(chunk)) await once(response, 'drain')
    response.end()
  }
  const response = await download(api, job, 'a.json')
  let size = 0
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    if (size === 0) {
      t.equal(sent, 1, 'the first bytes arrive before the last are sent')
      goOn()
    }
    size += bytes.length
  }
  t.equal(size, 50 * 1_048_576)
})

t.test('a client that reads slowly slows the service down', async (t) => {
  const { api, job, service } = await completed(t)
  let sent = 0
  let stuck = () => {}
  const blocked = new Promise<void>((resolve) => {
    stuck = resolve
  })
  let gone = () => {}
  const closed = new Promise<void>((resolve) => {
    gone = resolve
  })
  service.answer = (_request, response) => {
    response.on('close', gone)
    response.writeHead(200)
    const chunk = Buffer.alloc(1_048_576, 'x')
    const push = () => {
      while (sent < 200 && response.write(chunk)) sent += 1
      // The socket stays full, because the client does not read.
      const waiting = setTimeout(stuck, 500)
      response.once('drain', () => {
        clearTimeout(waiting)
        sent += 1
        push()
      })
    }
    push()
  }
  const socket = openRaw(api.url)
  await once(socket, 'connect')
  socket.write(request(job, 'a.json'))
  await once(socket, 'data')
  socket.pause()
  await blocked
  t.ok(sent < 50, `${sent} MB of 200 were taken from the service`)
  socket.destroy()
  await closed
  t.pass('and hanging up closes the connection to the service')
})

t.test('a client that disconnects before the service answers', async (t) => {
  const { api, job, service } = await completed(t)
  const asked = new Promise<ServerResponse>((resolve) => {
    service.answer = (_request, response) => resolve(response)
  })
  const socket = openRaw(api.url)
  await once(socket, 'connect')
  socket.write(request(job, 'a.json'))
  const response = await asked
  const closed = once(response, 'close')
  socket.destroy()
  await closed
  t.equal(response.writableFinished, false)
})

t.test("ranges and validators are the service's business", async (t) => {
  const { api, job, service } = await completed(t)
  service.answer = (request, response) => {
    const { range, 'if-none-match': tag, 'if-range': ifRange, authorization: token } = request.headers
    t.equal(token, undefined, 'the token is not passed on')
    if (tag === '"v1"') return response.writeHead(304, { etag: '"v1"' }).end()
    if (range === 'bytes=9-') return response.writeHead(416, { 'content-range': 'bytes */5' }).end()
    t.equal(range, 'bytes=1-2')
    t.equal(ifRange, '"v1"')
    return response
      .writeHead(206, { 'content-range': 'bytes 1-2/5', 'content-length': 2, etag: '"v1"' })
      .end('bc')
  }
  const part = await download(api, job, 'a.json', { range: 'bytes=1-2', 'if-range': '"v1"' })
  t.equal(part.status, 206)
  t.equal(part.headers.get('content-range'), 'bytes 1-2/5')
  t.equal(await part.text(), 'bc')
  const same = await download(api, job, 'a.json', { 'if-none-match': '"v1"' })
  t.equal(same.status, 304)
  t.equal(same.headers.get('etag'), '"v1"')
  t.equal(await same.text(), '')
  isProblem(t, await answered(download(api, job, 'a.json', { range: 'bytes=9-' })), 'RANGE_NOT_SATISFIABLE')
})

t.test('an encoded file keeps its Content-Encoding', async (t) => {
  const { api, job, service } = await completed(t)
  service.answer = (_request, response) =>
    void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('plain text'))
  t.equal(await (await download(api, job, 'a.json')).text(), 'plain text')
})

t.test('only names in the result are served', async (t) => {
  const { api, job, service } = await completed(t)
  let asked = 0
  service.answer = (_request, response) => {
    asked += 1
    response.end('secret')
  }
  for (const name of [
    'b.json',
    'A.json',
    '..',
    '.',
    'a.json/',
    'a.json%00',
    '../a.json',
    'a.json ',
    '%2e%2e%2fa.json',
    'x'.repeat(900),
  ]) {
    const url = `/api/workflow/stages/2/jobs/${job.job_id}/artifacts/${name.includes('%') ? name : encodeURIComponent(name)}`
    const { statusCode, body } = await api.app.inject({ url, headers: authorization() })
    t.equal(statusCode, 404, `${name.slice(0, 30)}: ${body.slice(0, 100)}`)
    t.notMatch(body, 'secret')
  }
  isProblem(t, await answered(download(api, job, 'b.json')), 'ARTIFACT_NOT_FOUND')
  const queued = await enqueue(api.url, { user: 'dora' })
  const early = await answered(download(api, queued, 'a.json', authorization('dora')))
  t.equal(early.status, 404, 'a job without a result has no files')
  isProblem(t, await answered(download(api, job, 'a.json', authorization('bob'))), 'JOB_NOT_FOUND')
  isProblem(t, await answered(download(api, { ...job, job_id: randomUUID() }, 'a.json')), 'JOB_NOT_FOUND')
  t.equal(asked, 0, 'the service was not asked for any of them')
})

t.test('a service in trouble', async (t) => {
  const { api, job, service } = await completed(t)
  const ask = () => answered(download(api, job, 'a.json'))
  const answers = {
    404: 'ARTIFACT_NOT_FOUND',
    400: 'STAGE_SERVICE_ERROR',
    401: 'STAGE_SERVICE_ERROR',
    302: 'STAGE_SERVICE_ERROR',
    500: 'STAGE_SERVICE_ERROR',
    503: 'STAGE_SERVICE_ERROR',
  } as const
  for (const [status, code] of Object.entries(answers)) {
    service.answer = (_request, response) =>
      void response.writeHead(Number(status), { location: 'http://127.0.0.1:1/' }).end('inner canary')
    const answer = await ask()
    isProblem(t, answer, code, status)
    t.notMatch(answer.text, 'canary')
  }
  service.answer = (request) => request.socket.destroy()
  isProblem(t, await ask(), 'STAGE_SERVICE_UNAVAILABLE', 'it hangs up')
  service.answer = (request) => request.socket.end('nonsense\r\n\r\n')
  isProblem(t, await ask(), 'STAGE_SERVICE_UNAVAILABLE', 'it does not speak HTTP')

  service.answer = (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('half')
    setImmediate(() => response.destroy())
  }
  const short = await download(api, job, 'a.json')
  await t.rejects(short.text(), 'a truncated file is not a complete response')
  service.answer = (_request, response) => {
    response.writeHead(200).write('half')
    setImmediate(() => response.destroy())
  }
  const open = await download(api, job, 'a.json')
  await t.rejects(open.text(), 'nor is a truncated file of unknown length')

  await service.close()
  isProblem(t, await ask(), 'STAGE_SERVICE_UNAVAILABLE', 'it is down')
  t.equal((await fetch(`${api.url}/health/live`)).status, 200)
})

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

/** An API with a completed job of alice, and the service that has its files. */
async function completed(t: Test, overrides: Env = {}) {
  const server = createServer((request, response) => void service.answer(request, response))
  const service = {
    answer: ((request, response) => {
      request.resume()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ success: true, artifacts: NAMES, duration_ms: 1 }))
    }) as Answer,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(service.close)
  const WORKER_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = await testEnv(t, { WORKER_URL, ...overrides })
  const api = await startApi(t, env)
  const worker = startWorker(t, env)
  const job = await enqueue(api.url)
  const last = (await (await openStream(api.url + job.urls.events)).rest()).at(-1)
  if (last?.event !== 'completed') throw new Error(`the job ended ${last?.event}`)
  await worker.close(1000)
  return { api, job, service }
}

function pathOf({ job_id }: Pick<Queued, 'job_id'>, name: string): string {
  return `/api/workflow/stages/2/jobs/${job_id}/artifacts/${encodeURIComponent(name)}`
}

function download({ url }: TestApi, job: Queued, name: string, headers: Record<string, string> = {}) {
  return fetch(url + pathOf(job, name), { headers: { ...authorization(), ...headers } })
}

function request(job: Queued, name: string): string {
  return `GET ${pathOf(job, name)} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization().authorization}\r\n\r\n`
}

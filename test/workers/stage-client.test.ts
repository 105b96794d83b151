/** The stage client with a service whose bytes the test controls. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { NO_TRACING } from '../../contract/tracing.ts'
import { StageClient } from '../../workers/stage-client.ts'
import { call, callAt, job } from '../helpers/stage-call.ts'
import {
  type Answer,
  fail,
  fakeStageService,
  json,
  ndjson,
  silence,
  succeed,
} from '../helpers/stage-service.ts'

const RESULT = { type: 'result', success: true, artifacts: ['a.json'], duration_ms: 5 }

t.test('the request follows the contract', async (t) => {
  const { service, answer } = await call(t, succeed({ artifacts: ['x.json'], results: { papers: 1 } }))
  t.match(answer, { success: true, artifacts: ['x.json'], results: { papers: 1 }, duration_ms: 5 })
  t.equal(service.calls.length, 1)
  const { stage, headers, body } = await service.call(0)
  t.equal(stage, 2)
  t.match(headers, {
    'content-type': 'application/json',
    accept: 'application/x-ndjson, application/json',
    'x-request-id': job.job_id,
    'idempotency-key': job.job_id,
    'x-attempt': '2',
  })
  t.same(body, {
    workflow_id: job.workflow_id,
    research_question: job.research_question,
    user_id: 'alice',
    job_id: job.job_id,
    inputs: { max_results: 5 },
    run_id: null,
    upstream: {},
  })
})

t.test('a stage service may live under a path', async (t) => {
  const paths: (string | undefined)[] = []
  const server = createServer((request, response) => {
    paths.push(request.url)
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"success":true}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const url of [origin, `${origin}/`, `${origin}/deep/api`, `${origin}/deep/api/`])
    t.equal((await callAt(t, url, {})).answer?.success, true)
  const path = '/api/workflow/stages/2/execute'
  t.same(paths, [path, path, `/deep/api${path}`, `/deep/api${path}`])
})

t.test('NDJSON: progress, heartbeats, a result', async (t) => {
  const { answer, progress, alive } = await call(
    t,
    ndjson([
      { type: 'progress', percent: 0 },
      { type: 'heartbeat' },
      '',
      { type: 'progress', percent: 33.5, message: 'reading' },
      { type: 'note', text: 'a line this version does not know' },
      { type: 'progress', percent: 250, message: 7 },
      { type: 'progress', percent: 'half' },
      { type: 'progress', percent: 50, message: 'x'.repeat(2000) },
      RESULT,
    ]),
  )
  t.match(answer, { success: true, artifacts: ['a.json'] })
  t.same(progress.slice(0, 3), [
    [0, undefined],
    [33.5, 'reading'],
    [100, undefined],
  ])
  t.equal(progress.length, 4)
  t.equal(progress[3]?.[1]?.length, 500, 'a message is stored in every event, so it is clipped')
  t.equal(alive, 8)
})

t.test('lines may arrive in pieces, and the last one may lack a newline', async (t) => {
  const text = `${JSON.stringify({ type: 'progress', percent: 5, message: '睡眠' })}\r\n${JSON.stringify(RESULT)}`
  const { answer, progress } = await call(t, async ({ response }) => {
    response.writeHead(200, { 'content-type': 'Application/X-NDJSON; charset=utf-8' })
    for (const byte of Buffer.from(text)) {
      if (!response.write(Buffer.from([byte]))) await once(response, 'drain')
      await new Promise(setImmediate)
    }
    response.end()
  })
  t.same(progress, [[5, '睡眠']])
  t.match(answer, { success: true })
})

t.test('after a service has ended its answer, the connection stays open', async (t) => {
  let cut = false
  const ports: (number | undefined)[] = []
  const service = await fakeStageService(t, ({ response, hungUp }) => {
    void hungUp.then(() => {
      cut = true
    })
    ports.push(response.socket?.remotePort)
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    // The end arrives separately, as from a generator that cleans up after its last line.
    response.write(`${JSON.stringify(RESULT)}\n`, () => setImmediate(() => response.end()))
  })
  const options = {
    ...{ url: service.url, timeoutMs: 5000, silenceMs: 5000, maxResultBytes: 1000 },
    tracing: NO_TRACING,
  }
  const client = new StageClient(options)
  t.teardown(() => client.close())
  const signal = new AbortController().signal
  for (let i = 0; i < 3; i += 1) {
    const given = { job, attempt: 1, trace: null, signal, onAlive() {}, onProgress: async () => {} }
    t.match(await client.call(given), { success: true })
  }
  t.notOk(cut)
  t.ok(new Set(ports).size < 3, 'connections are used again')
})

t.test('a result counts even if the service does not end its answer', async (t) => {
  const { answer, service } = await call(t, ndjson([RESULT], { end: false }))
  t.match(answer, { success: true })
  await (await service.call(0)).hungUp
  const failed = await call(t, ndjson([{ type: 'error', code: 'NO', message: 'no' }], { end: false }))
  t.equal(failed.failure?.code, 'NO')
})

t.test('the error line', async (t) => {
  const line = { type: 'error', code: 'SOURCES_UNREACHABLE', message: 'none answered', retryable: true }
  const { failure } = await call(t, ndjson([{ type: 'heartbeat' }, line]))
  t.match(failure, { code: 'SOURCES_UNREACHABLE', message: 'none answered', retryable: true, ill: false })
  t.match((await call(t, ndjson([{ ...line, retryable: false }]))).failure, { retryable: false })
  t.match((await call(t, ndjson([{ type: 'error' }]))).failure, { code: 'STAGE_FAILED', retryable: false })
  t.match((await call(t, ndjson([{ ...line, retryable: 'yes' }]))).failure, { retryable: false })
})

t.test('heartbeats keep a slow stage alive', async (t) => {
  const { answer, alive } = await call(
    t,
    ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      let beats = 0
      const timer = setInterval(() => {
        beats += 1
        if (beats <= 10) response.write('{"type":"heartbeat"}\n')
        else response.end(`${JSON.stringify(RESULT)}\n`)
        if (beats > 10) clearInterval(timer)
      }, 60)
    },
    { silenceMs: 400 },
  )
  t.match(answer, { success: true })
  t.equal(alive, 11)
})

t.test('silence', async (t) => {
  const head = { 'content-type': 'application/x-ndjson' }
  const silent: Record<string, Answer> = {
    'after the head': ({ response }) => response.writeHead(200, head).flushHeaders(),
    'after a line': ndjson([{ type: 'heartbeat' }], { end: false }),
    'within a JSON answer': ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"success":')
    },
    'bytes that never make a line': ({ response }) => {
      response.writeHead(200, head)
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    },
    'nothing but empty lines': ({ response }) => {
      response.writeHead(200, head)
      const timer = setInterval(() => response.write('\n'), 20)
      response.on('close', () => clearInterval(timer))
    },
  }
  for (const [name, answer] of Object.entries(silent)) {
    const { failure, service } = await call(t, answer, { silenceMs: 150 })
    t.match(failure, { code: 'STAGE_SILENT', retryable: true, ill: true }, name)
    await (await service.call(0)).hungUp
  }
})

t.test('the time to store a step does not count as silence', async (t) => {
  const { answer } = await call(t, ndjson([{ type: 'progress', percent: 5 }, RESULT]), {
    silenceMs: 100,
    onProgress: () => new Promise((resolve) => setTimeout(resolve, 300)),
  })
  t.match(answer, { success: true })
})

t.test('if a step cannot be stored, the call fails with that error', async (t) => {
  const error = new Error('the lock was lost')
  const { thrown, service } = await call(t, ndjson([{ type: 'progress', percent: 5 }], { end: false }), {
    onProgress: () => Promise.reject(error),
  })
  t.equal(thrown, error)
  await (await service.call(0)).hungUp
})

t.test('the deadline counts from the call to the last byte', async (t) => {
  const busy: Answer = ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write('{"type":"heartbeat"}\n'), 20)
    response.on('close', () => clearInterval(timer))
  }
  for (const answer of [silence, busy]) {
    const { failure, service } = await call(t, answer, { timeoutMs: 250 })
    t.match(failure, { code: 'STAGE_TIMEOUT', retryable: true, ill: true })
    await (await service.call(0)).hungUp
  }
})

t.test('connections that break', async (t) => {
  const unreachable = { code: 'STAGE_UNREACHABLE', retryable: true, ill: true }
  const service = await fakeStageService(t)
  const { url } = service
  await service.close()
  const refused = await callAt(t, url, {})
  t.match(refused.failure, { ...unreachable, unmet: 'unsent', message: /ECONNREFUSED/ })
  const nowhere = await callAt(t, 'http://no-such-host.invalid', {})
  t.match(nowhere.failure, { ...unreachable, unmet: 'unsent' })

  const reset = await call(t, ({ response }) => void response.socket?.resetAndDestroy())
  t.match(reset.failure, { ...unreachable, unmet: undefined })
  const closed = await call(t, ({ response }) => void response.socket?.destroy())
  t.match(closed.failure, { ...unreachable, unmet: undefined })
  const midway = await call(t, ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write('{"type":"heartbeat"}\n', () => response.socket?.destroy())
  })
  t.match(midway.failure, { ...unreachable, unmet: undefined })
  const short = await call(t, ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
    response.write('{"success":true', () => response.socket?.destroy())
  })
  t.match(short.failure, { ...unreachable, unmet: undefined })
  const cut = await call(t, ndjson([{ type: 'progress', percent: 90 }]))
  t.match(cut.failure, { code: 'STAGE_ANSWER_INCOMPLETE', retryable: true, ill: true })
})

t.test('what a status means', async (t) => {
  const classes: [number[], boolean, boolean][] = [
    [[400, 401, 403, 404, 409, 413, 415, 422, 418, 300, 302, 304], false, false],
    [[408, 425, 429], true, false],
    [[500, 501, 502, 503, 504, 599], true, true],
  ]
  for (const [statuses, retryable, ill] of classes) {
    for (const status of statuses) {
      const { failure } = await call(t, fail(status, 'SOME_CODE'))
      // 304 has no body by definition.
      const code = status === 304 ? 'STAGE_SERVICE_304' : 'SOME_CODE'
      t.match(failure, { code, retryable, ill }, String(status))
    }
  }
})

t.test('Retry-After, in seconds and as a date', async (t) => {
  const after = async (value: string) =>
    (await call(t, fail(429, 'SLOW_DOWN', { 'retry-after': value }))).failure?.retryAfterMs ?? -1
  t.equal(await after('7'), 7000)
  t.equal(await after('0'), 0)
  const dated = await after(new Date(Date.now() + 30_000).toUTCString())
  t.ok(dated > 25_000 && dated <= 30_000, String(dated))
  t.equal(await after(new Date(Date.now() - 30_000).toUTCString()), 0, 'past')
  t.equal(await after('soon'), 0)
  t.equal(await after('99999999999'), 86_400_000, 'at most a day')
  t.equal((await call(t, fail(429, 'SLOW_DOWN'))).failure?.retryAfterMs, 0)
})

t.test('the forms of detail', async (t) => {
  const detail = async (body: unknown) => {
    const { failure } = await call(t, json(400, body))
    return [failure?.code, failure?.message]
  }
  const bare = ['STAGE_SERVICE_400', 'The stage service answered with status 400']
  t.same(await detail({ detail: { code: 'BAD_DOI', message: 'no such DOI' } }), ['BAD_DOI', 'no such DOI'])
  t.same(await detail({ detail: 'Not Found' }), ['STAGE_SERVICE_400', 'Not Found'])
  t.same(await detail({ detail: [{ loc: ['body'], msg: 'field required' }] }), [
    bare[0],
    'body: field required',
  ])
  t.same(await detail({ detail: null }), bare)
  t.same(await detail(['no object']), bare)
  t.same(await detail({ detail: { code: 'with spaces\nand lines', message: 7 } }), bare)
  t.equal((await detail({ detail: 'x'.repeat(3000) }))[1]?.length, 500)
  const html = await call(t, ({ response }) => void response.writeHead(502).end('<h1>Bad gateway</h1>'))
  t.match(html.failure, { code: 'STAGE_SERVICE_502', retryable: true, ill: true })
  const endless = await call(t, ({ response }) => {
    response.writeHead(500, { 'content-type': 'text/plain' })
    pour(response, 'e'.repeat(65_536))
  })
  t.match(endless.failure, { code: 'STAGE_SERVICE_500' }, 'an endless error body is not read to its end')
  await (await endless.service.call(0)).hungUp
})

t.test('invalid answers', async (t) => {
  const invalid = { code: 'STAGE_ANSWER_INVALID', ill: true }
  const raw =
    (body: string, type = 'application/json'): Answer =>
    ({ response }) =>
      void response.writeHead(200, { 'content-type': type }).end(body)
  const answers: Record<string, Answer> = {
    'no JSON': raw('{"success":'),
    empty: raw(''),
    'a list': raw('[{"success":true}]'),
    null: raw('null'),
    'no success': json(200, { artifacts: [] }),
    'artifact with a path': succeed({ artifacts: ['../secret'] }),
    'artifact with a backslash': succeed({ artifacts: ['a\\b'] }),
    'artifact of two dots': succeed({ artifacts: ['..'] }),
    'artifact with a line break': succeed({ artifacts: ['a\nb'] }),
    'artifacts no list': succeed({ artifacts: 'a.json' }),
    'negative duration': succeed({ duration_ms: -1 }),
    'a page': raw('<h1>It works</h1>', 'text/html'),
    'no type': ({ response }) => void response.writeHead(200).end('{"success":true}'),
    'no content': ({ response }) => void response.writeHead(204).end(),
    'NDJSON with a broken line': ndjson(['{"type":']),
    'NDJSON of texts': ndjson(['"result"']),
    'NDJSON result without success': ndjson([{ type: 'result' }]),
  }
  for (const [name, answer] of Object.entries(answers))
    t.match((await call(t, answer)).failure, invalid, name)
})

t.test('an answer of another content type does not keep its connection', async (t) => {
  const { failure, service } = await call(t, ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: without end\n\n')
  })
  t.equal(failure?.code, 'STAGE_ANSWER_INVALID')
  await (await service.call(0)).hungUp
})

t.test('success: false is a failure that is not retried', async (t) => {
  const answer = { success: false, message: 'no paper could be read' }
  const expected = { code: 'STAGE_FAILED', message: answer.message, retryable: false, ill: false }
  t.match((await call(t, json(200, answer))).failure, expected)
  t.match((await call(t, ndjson([{ type: 'result', ...answer }]))).failure, expected)
})

t.test('an answer over the limit', async (t) => {
  const tooLarge = { code: 'STAGE_RESULT_TOO_LARGE', retryable: false, ill: false, message: /10000 bytes/ }
  const results = (size: number) => ({ success: true, results: { text: 'x'.repeat(size) } })
  const limit = { maxResultBytes: 10_000 }
  t.match((await call(t, json(200, results(10_000)), limit)).failure, tooLarge)
  t.match((await call(t, ndjson([{ type: 'result', ...results(10_000) }]), limit)).failure, tooLarge)
  t.ok((await call(t, json(200, results(9900)), limit)).answer)
  t.ok((await call(t, ndjson([{ type: 'result', ...results(9900) }]), limit)).answer)
  const many = Array.from({ length: 50 }, () => ({ type: 'heartbeat', padding: 'x'.repeat(1000) }))
  t.ok(
    (await call(t, ndjson([...many, RESULT]), limit)).answer,
    'the limit applies to a line, not to the whole answer',
  )
})

t.test('a line of a gigabyte is aborted early', async (t) => {
  for (const type of ['application/x-ndjson', 'application/json']) {
    let sent = 0
    const before = process.memoryUsage().rss
    const { failure, service } = await call(
      t,
      ({ response }) => {
        response.writeHead(200, { 'content-type': type }).write('{"type":"result","text":"')
        pour(response, 'x'.repeat(262_144), (bytes) => {
          sent += bytes
          return sent < 1e9
        })
      },
      { maxResultBytes: 1_000_000 },
    )
    t.equal(failure?.code, 'STAGE_RESULT_TOO_LARGE', type)
    await (await service.call(0)).hungUp
    t.ok(sent < 50e6, `${sent} bytes were sent`)
    t.ok(process.memoryUsage().rss - before < 100e6)
  }
})

t.test('an abort closes the connection at any time', async (t) => {
  const talking = ndjson([{ type: 'heartbeat' }], { end: false })
  for (const answer of [silence, talking]) {
    const abort = new AbortController()
    const service = await fakeStageService(t, answer)
    const called = callAt(t, service.url, { signal: abort.signal })
    const { hungUp } = await service.call(0)
    abort.abort('cancel')
    await hungUp
    t.equal((await called).thrown, 'cancel', 'the abort reason is thrown unchanged')
  }
  const before = new AbortController()
  before.abort('shutdown')
  const { thrown, service } = await call(t, succeed(), { signal: before.signal })
  t.equal(thrown, 'shutdown')
  t.equal(service.calls.length, 0)
})

t.test('a redirect is not followed', async (t) => {
  const target = await fakeStageService(t)
  const { failure } = await call(t, ({ response }) => {
    response.writeHead(307, { location: `${target.url}/api/workflow/stages/2/execute` }).end()
  })
  t.match(failure, { code: 'STAGE_SERVICE_307', retryable: false })
  t.equal(target.calls.length, 0)
})

/** Writes `chunk` repeatedly, as fast as it is read, until `more` returns false or the reader is gone. */
function pour(
  response: import('node:http').ServerResponse,
  chunk: string,
  more: (bytes: number) => boolean = () => true,
): void {
  const next = () => {
    while (!response.destroyed && more(chunk.length)) if (!response.write(chunk)) return
  }
  response.on('drain', next)
  next()
}

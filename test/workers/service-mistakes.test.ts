/** Mistakes of real services: each is named in the error, and retried only if a retry can help. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { call } from '../helpers/stage-call.ts'
import { type Answer, json, ndjson, succeed } from '../helpers/stage-service.ts'

const JSON_TYPE = 'application/json'
const GOOD = '{"success":true,"artifacts":["a.json"]}'

function raw(body: string | Buffer, headers: Record<string, string> = {}, status = 200): Answer {
  return ({ response }) =>
    void response.writeHead(status, { 'content-type': JSON_TYPE, ...headers }).end(body)
}

t.test('null counts as absent in optional fields', async (t) => {
  const nulls = {
    stage: null,
    workflow_id: null,
    job_id: null,
    artifacts: null,
    results: null,
    duration_ms: null,
  }
  const { answer } = await call(t, json(200, { success: true, message: null, ...nulls }))
  t.same(answer, { success: true, message: null })
  t.match((await call(t, ndjson([{ type: 'result', success: true, ...nulls }]))).answer, { success: true })
  const failed = await call(t, json(200, { success: false, message: 'no paper could be read', ...nulls }))
  t.match(failed.failure, { code: 'STAGE_FAILED', message: 'no paper could be read' })
  const line = { type: 'error', code: null, message: null, retryable: null }
  t.match((await call(t, ndjson([line]))).failure, { code: 'STAGE_FAILED', retryable: false })
  const { progress } = await call(
    t,
    ndjson([
      { type: 'progress', percent: 5, message: null },
      { type: 'result', success: true },
    ]),
  )
  t.same(progress, [[5, undefined]])
  t.match((await call(t, json(200, { success: null }))).failure, {
    code: 'STAGE_ANSWER_INVALID',
    message: /success/,
  })
})

t.test('a reported failure counts, whatever else is wrong with the answer', async (t) => {
  const { failure } = await call(
    t,
    json(200, { success: false, stage: 'two', error: { code: 'NO_PDF', message: 'no text' } }),
  )
  t.match(failure, { code: 'NO_PDF', message: 'no text', retryable: false, ill: false })
})

t.test('unambiguous deviations are accepted', async (t) => {
  const result = `${JSON.stringify({ type: 'result', success: true, artifacts: ['a.json'] })}\n`
  const answers: Record<string, Answer> = {
    'a byte-order mark': raw(`\ufeff${GOOD}`),
    'a byte-order mark before a line': raw(`\ufeff${result}`, { 'content-type': 'application/x-ndjson' }),
    'a charset': raw(GOOD, { 'content-type': 'application/json; charset=UTF-8' }),
    gzip: raw(gzipSync(GOOD), { 'content-encoding': 'gzip' }),
    deflate: raw(deflateSync(GOOD), { 'content-encoding': 'deflate' }),
    brotli: raw(brotliCompressSync(GOOD), { 'content-encoding': 'BR' }),
    'gzip of lines': raw(gzipSync(result), {
      'content-type': 'application/x-ndjson',
      'content-encoding': 'gzip',
    }),
  }
  for (const type of ['application/jsonl', 'application/ndjson', 'application/x-ndjson; charset=utf-8'])
    answers[type] = raw(result, { 'content-type': type })
  for (const [name, answer] of Object.entries(answers))
    t.match((await call(t, answer)).answer, { success: true, artifacts: ['a.json'] }, name)
})

t.test('an answer that is not JSON is described, quoted from its beginning, and not retried', async (t) => {
  const page = '<!DOCTYPE html><title>Sign in</title>'
  const mistakes: [string, Answer, RegExp][] = [
    [
      'NaN',
      raw('{"success":true,"results":{"p":NaN}}'),
      /it contains NaN, which JSON does not allow; it begins with "\{\\"success/,
    ],
    ['-Infinity', raw('{"success":true,"results":{"p":-Infinity}}'), /it contains -Infinity/],
    ['NaN inside a string is not a mistake', raw('{"success":true,"a":"NaN" x}'), /it is not JSON; /],
    ['gzip without a header', raw(gzipSync(GOOD)), /gzip data without a Content-Encoding: gzip header/],
    ['broken gzip', raw('no gzip', { 'content-encoding': 'gzip' }), /compressed data is corrupt/],
    ['another encoding', raw(GOOD, { 'content-encoding': 'snappy' }), /content encoding must be/],
    [
      'NDJSON labelled JSON',
      raw(`{"type":"heartbeat"}\n${GOOD}\n`),
      /NDJSON: its content type must be application\/x-ndjson/,
    ],
    [
      'JSON labelled NDJSON',
      raw('{\n "success": true\n}\n', { 'content-type': 'application/x-ndjson' }),
      /it is not JSON; it begins with "\{/,
    ],
    ['a page labelled JSON', raw(page), /an HTML or XML page; it begins with "<!DOCTYPE/],
    ['a page', raw(page, { 'content-type': 'text/html' }), /but is "text\/html".*it begins with "<!DOCTYPE/],
    ['no content type', ({ response }) => void response.writeHead(200).end(GOOD), /but is ""/],
    ['an event stream', raw('data: {}\n\n'), /event stream/],
    ['UTF-16', raw(Buffer.from(`\ufeff${GOOD}`, 'utf16le')), /UTF-16/],
    ['Latin-1', raw(Buffer.from('{"success":true,"results":{"name":"café"}}', 'latin1')), /it is not UTF-8/],
    [
      'Latin-1 in a line',
      raw(Buffer.from('{"type":"progress","message":"café"}\n', 'latin1'), {
        'content-type': 'application/x-ndjson',
      }),
      /it is not UTF-8/,
    ],
    ["Python's repr", raw("{'success': True}"), /Python dict printed as text/],
    ['encoded twice', raw(JSON.stringify(GOOD)), /encoded twice/],
    ['a list', raw('[]'), /it is a list/],
    ['null', raw('null'), /it is null/],
    ['a name with half a pair', succeed({ artifacts: ['caf\udce9.csv'] }), /not Unicode/],
    ['a text with half a pair', succeed({ results: { list: ['\ud83d'] } }), /not Unicode/],
    ['a key with half a pair', succeed({ results: { 'a\udfff': 1 } }), /not Unicode/],
    [
      'an integer beyond 2^53',
      raw('{"success":true,"results":{"id":12345678901234567890}}'),
      /invalid answer: \/results\/id must be a number/,
    ],
    [
      'an overflow in a line',
      raw('{"type":"progress","percent":1e999}\n', { 'content-type': 'application/x-ndjson' }),
      /\/percent must be a number/,
    ],
    ['a key twice', raw('{"success":true,"success":true}'), /\/success must not be given twice/],
    [
      '5000 levels',
      raw(`{"success":true,"results":{"a":${'['.repeat(5000)}${']'.repeat(5000)}}}`),
      /nested more than 200/,
    ],
    ['a wrong type', json(200, { success: 'yes' }), /\/success: /],
  ]
  for (const [name, answer, message] of mistakes)
    t.match(
      (await call(t, answer)).failure,
      { code: 'STAGE_ANSWER_INVALID', retryable: false, message },
      name,
    )
})

t.test('200 levels are accepted', async (t) => {
  const nested = (levels: number) =>
    raw(`{"success":true,"results":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`)
  t.match((await call(t, nested(198))).answer, { success: true })
  t.match((await call(t, nested(199))).failure, { message: /nested more than 200/ })
})

t.test('an answer that breaks off is retried', async (t) => {
  for (const body of ['', '{"success":tr', '{"success":true,"message":"caf', '{'])
    t.match((await call(t, raw(body))).failure, { code: 'STAGE_ANSWER_INVALID', retryable: true }, body)
  const half = gzipSync(GOOD.repeat(100)).subarray(0, 30)
  t.match((await call(t, raw(half, { 'content-encoding': 'gzip' }))).failure, { retryable: true })
})

t.test('the size limit applies to the decoded answer', async (t) => {
  const bomb = gzipSync(JSON.stringify({ success: true, results: { zeros: '0'.repeat(1_000_000) } }))
  const { failure } = await call(t, raw(bomb, { 'content-encoding': 'gzip' }), { maxResultBytes: 10_000 })
  t.match(failure, { code: 'STAGE_RESULT_TOO_LARGE' })
})

t.test('the reason is found in the error formats of common frameworks', async (t) => {
  const shown = async (body: unknown, status = 422) => {
    const { failure } = await call(
      t,
      typeof body === 'string' ? raw(body, { 'content-type': 'text/plain' }, status) : json(status, body),
    )
    return [failure?.code, failure?.message]
  }
  const code = 'STAGE_SERVICE_422'
  const faults = [
    {
      type: 'int_parsing',
      loc: ['body', 'inputs', 'year_from'],
      msg: 'Input should be a valid integer',
      input: 'x',
    },
    { type: 'missing', loc: ['body', 'user_id'], msg: 'Field required' },
  ]
  t.same(await shown({ detail: faults }), [
    code,
    'body.inputs.year_from: Input should be a valid integer; body.user_id: Field required',
  ])
  t.same(await shown({ message: 'no such model' }), [code, 'no such model'])
  t.same(await shown({ error: 'no such model' }), [code, 'no such model'])
  t.same(await shown({ error: { code: 'NO_MODEL', message: 'no such model' } }), [
    'NO_MODEL',
    'no such model',
  ])
  t.same(await shown({ code: 'NO_MODEL', title: 'Not there', detail: 'no such model' }), [
    'NO_MODEL',
    'no such model',
  ])
  t.same(await shown('Internal Server Error', 500), ['STAGE_SERVICE_500', 'Internal Server Error'])
  t.same(await shown('', 500), ['STAGE_SERVICE_500', 'The stage service answered with status 500'])
  t.same(await shown({ detail: 'caf\udce9' }), [code, 'caf\ufffd'], 'a lone surrogate is replaced')
  t.match(await shown({ detail: `caf\udce9${'x'.repeat(600)}` }), [code, /^caf\ufffdx+…$/])
  t.match(
    await shown({ detail: `${'x'.repeat(498)}😀😀` }),
    [code, /^x{498}…$/],
    'no surrogate pair is split',
  )
})

t.test('the error for a redirect names its target without the query', async (t) => {
  const { failure } = await call(t, ({ response }) => {
    response.writeHead(307, { location: 'http://elsewhere.example/api/?token=secret' }).end()
  })
  t.match(failure, {
    code: 'STAGE_SERVICE_307',
    retryable: false,
    message:
      /^The stage service answered with status 307, a redirect to http:\/\/elsewhere.example\/api\/: WORKER_URL/,
    words: 'The stage service answered with status 307, a redirect',
  })
})

t.test('an HTML page of a gateway counts as an outage', async (t) => {
  for (const status of [502, 503, 504]) {
    const { failure } = await call(
      t,
      raw('<html><h1>Bad Gateway</h1></html>', { 'content-type': 'text/html' }, status),
    )
    t.match(failure, { retryable: true, ill: true, unmet: 'gateway', message: /a gateway in front of it/ })
  }
  const other = await call(t, raw('<h1>Oops</h1>', { 'content-type': 'text/html' }, 500))
  t.match(other.failure, { retryable: true, ill: true, unmet: undefined })
})

t.test('our own words contain no text of the service', async (t) => {
  for (const answer of [
    raw('secret words'),
    raw('{"success":true,"results":{"secret words":1e999}}'),
    raw('secret words', { 'content-type': 'text/secret' }),
    raw('{"secret":"words"}', {}, 500),
    raw('secret words', {}, 400),
    json(200, { success: false, message: 'secret words' }),
    json(422, { detail: [{ loc: ['secret'], msg: 'words' }] }),
    ndjson([{ type: 'error', message: 'secret words' }]),
    raw('', { location: 'http://secret/' }, 301),
  ]) {
    const { failure } = await call(t, answer)
    t.ok(failure?.words)
    t.notMatch(failure?.words, /secret/)
  }
})

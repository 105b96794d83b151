/** The parser of JSON bodies: accepted bodies are unchanged, and dangerous ones are rejected. */
import { gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import errors from '../../plugins/errors.ts'
import jsonBody from '../../plugins/json-body.ts'
import { injected, isProblem } from '../helpers/problem.ts'

t.test('valid bodies are parsed unchanged', async (t) => {
  const send = await start(t)
  const good = [
    '{}',
    '[]',
    'null',
    'true',
    '"text"',
    '-0.5e-3',
    '{"a":[1,{"b":null}],"":"","é":"\u{1f52c}\\u0001\\n"}',
    `{"deep":${'['.repeat(30)}${']'.repeat(30)}}`,
    '{"constructor":"a name like any other"}',
    '{"toString":1,"hasOwnProperty":2}',
  ]
  for (const text of good) {
    const { status, text: echo } = await send(text)
    t.equal(status, 200, `${text.slice(0, 40)}: ${echo}`)
    t.strictSame(JSON.parse(echo), { body: JSON.parse(text) })
  }
})

t.test('a request without a body is accepted', async (t) => {
  const send = await start(t)
  const { status, text } = await send('')
  t.equal(status, 200)
  t.strictSame(JSON.parse(text), {})
})

t.test('values that cannot be stored and returned unchanged are refused with their path', async (t) => {
  const send = await start(t)
  const bad: Record<string, string> = {
    '"\\u0000"': 'body',
    '{"a":"x\\u0000"}': 'body/a',
    '{"a":{"b\\u0000":1}}': 'body/a',
    '["ok","\\ud800"]': 'body/1',
    '{"\\udc00":1}': 'body',
    '{"a":"\\udc00\\ud800"}': 'body/a',
    '{"a":[1e400]}': 'body/a/0',
    '{"a":-1e400}': 'body/a',
    '{"a":[{"b":12345678901234567890}]}': 'body/a/0/b',
    '{"a":-0}': 'body/a',
    '{"a":1e-400}': 'body/a',
    '{"a":1,"b":{"a":1,"a":2}}': 'body/b/a',
    '{"a":1,"\\u0061":1}': 'body/a',
    [`${'['.repeat(33)}${']'.repeat(33)}`]: `body${'/0'.repeat(32)}`,
  }
  for (const [text, path] of Object.entries(bad)) {
    const { errors } = isProblem(t, await send(text), 'VALIDATION_FAILED', text)
    t.equal(errors?.[0]?.path, path, text)
  }
})

t.test('bodies that are not JSON, or are malicious', async (t) => {
  const send = await start(t)
  const bad = [
    ' ',
    '{',
    "{'a':1}",
    '{"a":1,}',
    'NaN',
    'undefined',
    '[1][2]',
    '{"__proto__":{}}',
    '[{"a":{"__proto__":1}}]',
    '{"\\u005f\\u005fproto__":1}',
    '{"constructor":{"prototype":{}}}',
    Buffer.from([0x22, 0xff, 0x22]),
    Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
    Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    Buffer.from('"a"', 'utf16le'),
  ]
  for (const body of bad) isProblem(t, await send(body), 'BAD_REQUEST', JSON.stringify(String(body)))
})

t.test('very deep nesting is refused and does no harm', async (t) => {
  const send = await start(t)
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const text = `${open.repeat(50_000)}1${close.repeat(50_000)}`
    isProblem(t, await send(text), 'VALIDATION_FAILED', open)
  }
})

async function start(t: Test) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(errors, { catchAll: true })
  await app.register(jsonBody)
  app.post('/', async ({ body }) => ({ body }))
  return async (payload: string | Buffer, headers: Record<string, string> = {}) =>
    injected(
      await app.inject({
        method: 'POST',
        url: '/',
        headers: { 'content-type': 'application/json', ...headers },
        payload,
      }),
    )
}

t.test('an encoded body is refused, and the response names the supported coding', async (t) => {
  const send = await start(t)
  for (const coding of ['gzip', 'GZIP', 'br', 'deflate, gzip']) {
    const answer = await send(gzipSync('{"a":1}'), { 'content-encoding': coding })
    const { detail } = isProblem(t, answer, 'UNSUPPORTED_MEDIA_TYPE', coding)
    t.match(detail, coding)
    t.equal(answer.header('accept-encoding'), 'identity')
  }
  t.equal((await send('{}', { 'content-encoding': 'identity' })).status, 200)
  const other = await send(Buffer.from('{"a":"é"}', 'latin1'), {
    'content-type': 'application/json; charset=ISO-8859-1',
  })
  t.match(isProblem(t, other, 'UNSUPPORTED_MEDIA_TYPE').detail, 'ISO-8859-1')
  for (const charset of ['utf-8', '"UTF-8"', 'us-ascii'])
    t.equal(
      (await send('{}', { 'content-type': `application/json;charset=${charset}` })).status,
      200,
      charset,
    )
})

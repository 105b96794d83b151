/** Finds values that JSON.parse would change or lose, with their paths, and accepts all others. */
import t from 'tap'
import { findLoss, LossyJsonError, mendSurrogates, parseExact } from '../../contract/exact-json.ts'

t.test('numbers that are kept exactly', async (t) => {
  const good = [
    '0',
    '-1',
    '1.50',
    '15e-1',
    '1E+2',
    '0.1',
    '0.30000000000000004',
    '9007199254740991',
    '-9007199254740992',
    '9007199254740994',
    '1e21',
    '100000000000000000000',
    '1.7976931348623157e308',
    '5e-324',
    '0.0',
    '0e99999999999999999999',
    `1${'0'.repeat(300)}`,
    `0.${'0'.repeat(300)}1`,
  ]
  for (const number of good) {
    t.equal(findLoss(number), null, number)
    t.strictSame(parseExact(`{"a":[${number}]}`), { a: [Number(number)] })
  }
})

t.test('numbers that would be changed', async (t) => {
  const bad = [
    '12345678901234567890',
    '9007199254740993',
    '-9007199254740993',
    // Exact as a double, but written back as 36028797018963970.
    '36028797018963968',
    '1e400',
    '-1e400',
    '1e-400',
    '-0',
    '-0.0',
    '-0e5',
    '0.1000000000000000055511151231257827',
    '3.14159265358979323846',
    '1.00000000000000000001',
    '1234567890.12345678901',
  ]
  for (const number of bad) {
    t.match(findLoss(`[1,{"a":{"b":${number}}}]`), { path: ['1', 'a', 'b'], message: /number/ }, number)
    t.match(findLoss(` ${number} `), { path: [] }, number)
  }
})

t.test('a duplicate name, however it is escaped', async (t) => {
  const bad: [text: string, path: string[]][] = [
    ['{"a":1,"a":2}', ['a']],
    ['{"a":1,"a":1}', ['a']],
    ['{"a":1,"\\u0061":2}', ['a']],
    ['{"x":[{},{"b":{"a":1},"c":[],"b":{}}]}', ['x', '1', 'b']],
    ['{"\\"":1,"b":"\\\\","\\"":2}', ['"']],
    ['{"":1,"":2}', ['']],
    ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ]
  for (const [text, path] of bad) t.match(findLoss(text), { path, message: /twice/ }, text)
})

t.test('text that only looks like a fault', async (t) => {
  const good = [
    '{"a":{"a":1},"b":{"a":[{"a":1},{"a":1}]}}',
    '{"a":"-0","b":"12345678901234567890","c":"\\",\\"a\\":1"}',
    '["a","a",{"a":"a"},"a"]',
    '{"a":["x","y"],"x":1,"y":{"x":2}}',
    '{"constructor":1,"toString":2}',
    '{"a\\\\":1,"a":2}',
  ]
  for (const text of good) t.equal(findLoss(text), null, text)
})

t.test('the time for a long number grows linearly', async (t) => {
  const zeros = '0'.repeat(500_000)
  const start = performance.now()
  t.ok(findLoss(`1${zeros}1`))
  t.ok(findLoss(`1.${zeros}1`))
  t.ok(findLoss(`0.5e-${zeros}9999`))
  t.equal(findLoss(`1e${zeros}2`), null)
  t.ok(performance.now() - start < 2000)
})

t.test('the error says where', async (t) => {
  t.throws(() => parseExact('{"results":{"n":1e999}}'), { name: 'LossyJsonError', path: '/results/n' })
  t.throws(() => parseExact('{"a":1,"a":2}'), LossyJsonError)
  t.throws(() => parseExact('{"a":1,}'), SyntaxError)
  t.throws(() => parseExact('NaN'), SyntaxError)
})

t.test('lone surrogates are replaced; whole pairs and escaped backslashes are not', async (t) => {
  const mended = (text: string) => JSON.parse(mendSurrogates(text))
  t.equal(mended('"a\\ud800b"'), 'a\ufffdb')
  t.equal(mended('"\\uDC00\\uD800"'), '\ufffd\ufffd')
  t.equal(mended('"\\ud83d\\ude00"'), '😀')
  t.equal(mended('"\\ud83d\\ud83d\\ude00"'), '\ufffd😀')
  t.equal(mended('"\\\\ud800"'), '\\ud800')
  t.equal(mended('"\\\\\\ud800"'), '\\\ufffd')
  t.same(mended('{"\\ud800":1}'), { '\ufffd': 1 })
})

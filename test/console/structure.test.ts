/** How structured inputs are edited without JSON: what their schemas say, and what is kept of what is typed. */
import t from 'tap'
import { LiteratureInputs } from '../../contract/literature.ts'
import type { Schema } from '../../packages/console/form/json-schema.ts'
import {
  linesOf,
  oneOrEach,
  rowsOf,
  textOfEach,
  textOfLines,
  textOfRows,
} from '../../packages/console/form/rows.ts'
import { type Structure, structureOf } from '../../packages/console/form/structure.ts'
import { inShort } from '../../packages/console/page/in-short.ts'

const inputs = JSON.parse(JSON.stringify(LiteratureInputs.properties)) as Record<string, Schema>
const of = (name: string) => structureOf(inputs[name] as Schema)

t.test('no input of the literature review is typed as JSON', async (t) => {
  t.match(of('concepts'), { kind: 'groups' })
  t.match(of('query'), { kind: 'each', names: ['sample', 'europepmc', 'pubmed', 'openalex'] })
  t.match(of('records'), { kind: 'rows', text: 'text', parts: [{ name: 'name' }, { name: 'text' }] })
  t.match(of('decisions'), {
    kind: 'entries',
    parts: [{ name: 'decision', kind: 'choice' }, { name: 'reason' }],
  })
})

t.test('what has no known inside stays JSON', async (t) => {
  t.equal(structureOf({ type: 'object' }), null)
  t.equal(structureOf({ type: 'array', items: { type: 'object' } }), null)
  const deep = { type: 'object', properties: { inside: { type: 'object', properties: {} } } }
  t.equal(structureOf({ type: 'array', items: deep }), null)
  t.equal(structureOf({ anyOf: [{ type: 'object' }, { type: 'array' }] }), null)
})

t.test('groups are lines', async (t) => {
  t.equal(linesOf('[["sleep", "rest"], ["age"]]'), 'sleep, rest\nage')
  t.equal(textOfLines(' sleep , rest,\n\n age'), '[["sleep","rest"],["age"]]')
  t.equal(textOfLines(' \n,'), '')
  t.equal(linesOf('{"a": 1}'), null, 'something else is left alone')
})

t.test('rows are kept as a text while they are nothing more', async (t) => {
  const records = of('records') as Extract<Structure, { kind: 'rows' }>
  const csl = '[{"id": "1", "type": "book"}]'
  t.same(rowsOf(records, csl), [{ text: csl }], 'records in JSON are a text')
  t.equal(textOfRows(records, [{ text: csl }]), csl)
  t.equal(
    textOfRows(records, [{ name: 'Embase', text: 'TY  - JOUR' }, {}]),
    '[{"name":"Embase","text":"TY  - JOUR"}]',
    'a blank row is left out',
  )
  t.same(rowsOf(records, '[{"text": "a"}, {"text": "b"}]'), [{ text: 'a' }, { text: 'b' }])
})

t.test('entries keep their names', async (t) => {
  const decisions = of('decisions') as Extract<Structure, { kind: 'entries' }>
  const text = '{"doi:10.5555/a":{"decision":"include","reason":"fits"}}'
  t.equal(textOfRows(decisions, rowsOf(decisions, text) ?? []), text)
  t.equal(rowsOf(decisions, '{"doi:10.5555/a": {"decision": {"by": "me"}}}'), null)
  t.equal(textOfRows(decisions, []), '')
})

t.test('values are said in words', async (t) => {
  const decisions = {
    'doi:10.5555/a': { decision: 'include', reason: 'fits' },
    'pmid:7': { decision: 'exclude' },
  }
  t.equal(inShort(decisions), 'doi:10.5555/a: include, “fits”; pmid:7: exclude')
  t.equal(inShort([['sleep', 'rest'], ['age']]), 'sleep or rest, and age')
  t.equal(inShort([{ depth: 2, soil: 'sand' }]), '(depth: 2; soil: sand)')
  t.equal(inShort(true), 'yes')
  t.equal(inShort(undefined), 'not set')
  t.equal(inShort('x'.repeat(400)).length, 301, 'long ones are cut')
})

t.test('one text, or one for each name', async (t) => {
  t.equal(oneOrEach('sleep AND age'), 'sleep AND age')
  t.equal(oneOrEach('"sleep"'), 'sleep')
  t.same(oneOrEach('{"pubmed": "sleep[ti]"}'), { pubmed: 'sleep[ti]' })
  t.equal(textOfEach({ pubmed: 'sleep[ti]', openalex: ' ' }), '{"pubmed":"sleep[ti]"}')
})

/** Invalid bodies of execute requests. */
import { QUESTION } from '../helpers/app.ts'
import type { BadRequest, Scene } from './request.ts'

const WORKFLOW = '123e4567-e89b-12d3-a456-426614174000'
const PATH = '/api/workflow/stages/2/execute'
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

export function badBodies({ token, mine }: Scene): BadRequest[] {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const good = { workflow_id: WORKFLOW, research_question: QUESTION }
  const of = (change: Record<string, unknown>) => JSON.stringify({ ...good, ...change })
  const inputs = (value: unknown) => of({ inputs: value })
  const withText = (text: string) => `{"workflow_id":"${WORKFLOW}","research_question":"${text}"}`
  const invalid: Record<string, string> = {
    null: 'null',
    'a list': '[]',
    'a list around it': JSON.stringify([good]),
    'a text': '"hello"',
    'a number': '7',
    true: 'true',
    'an empty object': '{}',
    'no workflow': JSON.stringify({ research_question: QUESTION }),
    'no question': JSON.stringify({ workflow_id: WORKFLOW }),
    'workflow null': of({ workflow_id: null }),
    'workflow a number': of({ workflow_id: 7 }),
    'workflow a word': of({ workflow_id: 'seven' }),
    'workflow with a letter more': of({ workflow_id: `${WORKFLOW}0` }),
    'workflow with a line end': of({ workflow_id: `${WORKFLOW}\n` }),
    'workflow as urn': of({ workflow_id: `urn:uuid:${WORKFLOW}` }),
    'workflow in braces': of({ workflow_id: `{${WORKFLOW}}` }),
    'workflow without dashes': of({ workflow_id: WORKFLOW.replaceAll('-', '') }),
    'workflow in full-width digits': of({ workflow_id: WORKFLOW.replaceAll('1', '１') }),
    'workflow a list of one': of({ workflow_id: [WORKFLOW] }),
    'question null': of({ research_question: null }),
    'question a number': of({ research_question: 1234567890 }),
    'question a list': of({ research_question: [QUESTION] }),
    'question of nine letters': of({ research_question: '123456789' }),
    'question of 4,001 letters': of({ research_question: 'x'.repeat(4001) }),
    'question of blanks': of({ research_question: ' '.repeat(20) }),
    'question of other white space': of({ research_question: '\t\n\u00a0\u2003\u3000\ufeff\t\n\t\n\t\n' }),
    'question with NUL': withText('What about \\u0000 in here?'),
    'question with half a pair': withText('What about \\ud83d in here?'),
    'question with the other half': withText('What about \\ude00 in here?'),
    'a field too many': of({ priority: 1 }),
    'the field of another naming': of({ workflowId: WORKFLOW }),
    'a job id from the client': of({ job_id: WORKFLOW }),
    'a user id from the client': of({ user_id: 'bob' }),
    'inputs null': inputs(null),
    'inputs a list': inputs([]),
    'inputs a text': inputs('{}'),
    'inputs with an unknown option': inputs({ magic: true }),
    'max_results 0': inputs({ max_results: 0 }),
    'max_results 201': inputs({ max_results: 201 }),
    'max_results 2.5': inputs({ max_results: 2.5 }),
    'max_results a text': inputs({ max_results: '25' }),
    'max_results true': inputs({ max_results: true }),
    'year_from in the future': inputs({ year_from: 9999 }),
    'sources empty': inputs({ sources: [] }),
    'sources unknown': inputs({ sources: ['library-genesis'] }),
    'sources twice': inputs({ sources: ['sample', 'sample'] }),
    'sources a text': inputs({ sources: 'sample' }),
    'a study type unknown': inputs({ study_types: ['opinion'] }),
    'keywords of a blank': inputs({ include_keywords: [' '] }),
    'keywords by the hundred': inputs({ exclude_keywords: Array.from({ length: 100 }, (_, i) => `k${i}`) }),
    'a keyword of 101 letters': inputs({ include_keywords: ['x'.repeat(101)] }),
    'a keyword with NUL': inputs({ include_keywords: ['a\u0000b'] }),
    'language in words': inputs({ language: 'English' }),
    'require_abstract a number': inputs({ require_abstract: 1 }),
    'options nested too deeply': `{"workflow_id":"${WORKFLOW}","research_question":"${QUESTION}","inputs":${deep(60)}}`,
    'a number beyond all numbers': `{"workflow_id":"${WORKFLOW}","research_question":"${QUESTION}","inputs":{"max_results":1e999}}`,
  }
  const unreadable: Record<string, string | Buffer> = {
    'half an object': '{"workflow_id":',
    'a comma too many': '{"a":1,}',
    'single quotes': "{'workflow_id':'x'}",
    'a comment': '{/* hello */}',
    NaN: '{"workflow_id":NaN}',
    'two documents': '{}{}',
    'a bare word': 'undefined',
    'white space alone': '   ',
    'a bad escape': '{"a":"\\x"}',
    'a line break in a text': '{"a":"\n"}',
    __proto__: '{"__proto__":{"admin":true}}',
    'constructor.prototype': '{"constructor":{"prototype":{"admin":true}}}',
    'bytes that are not UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    'UTF-16': Buffer.from('{"a":1}', 'utf16le'),
    'an overlong slash': Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
    'a hundred thousand brackets': '['.repeat(100_000),
  }
  const types: Record<string, string> = {
    'text/plain': 'text/plain',
    'a form': 'application/x-www-form-urlencoded',
    'a multipart form': 'multipart/form-data; boundary=x',
    XML: 'application/xml',
    'text/json': 'text/json',
    'no type at all': '',
    'half a type': 'application/',
    'a type of nonsense': ';;;',
  }
  return [
    ...Object.entries(invalid).map(([about, body]) => ({
      about: `body: ${about}`,
      code: 'VALIDATION_FAILED' as const,
      path: PATH,
      headers,
      body,
    })),
    ...Object.entries(unreadable).map(([about, body]) => ({
      about: `body: ${about}`,
      code: 'BAD_REQUEST' as const,
      path: PATH,
      headers,
      body,
    })),
    ...Object.entries(types).map(([about, type]) => ({
      about: `content type: ${about}`,
      code: 'UNSUPPORTED_MEDIA_TYPE' as const,
      path: PATH,
      headers: { authorization: headers.authorization, 'content-type': type },
      body: JSON.stringify(good),
    })),
    {
      about: 'body: none',
      code: 'VALIDATION_FAILED',
      method: 'POST',
      path: PATH,
      headers: { authorization: headers.authorization },
    },
    {
      about: 'body: empty, with a type',
      code: 'VALIDATION_FAILED',
      path: PATH,
      headers,
      body: '',
    },
    {
      about: 'body: larger than the limit',
      code: 'PAYLOAD_TOO_LARGE',
      path: PATH,
      headers,
      body: JSON.stringify({ ...good, inputs: { x: 'x'.repeat(300_000) } }),
    },
    {
      about: 'body: where none is needed, unreadable',
      code: 'BAD_REQUEST',
      path: `${mine}/tickets`,
      headers,
      body: '{',
    },
    {
      about: 'body: gzip without being asked',
      code: 'UNSUPPORTED_MEDIA_TYPE',
      path: PATH,
      headers: { ...headers, 'content-type': 'application/gzip' },
      body: Buffer.from([0x1f, 0x8b, 8, 0]),
    },
  ]
}

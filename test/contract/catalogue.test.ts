import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { BUILT_IN } from '../../contract/built-in.ts'
import { type CatalogueStage, executeBody, openCatalogue } from '../../contract/catalogue.ts'
import { CatalogueError } from '../../contract/catalogue-faults.ts'
import { CatalogueFile } from '../../contract/catalogue-file.ts'
import { JobData } from '../../contract/job.ts'
import { ROOT } from '../helpers/processes.ts'

const SERVICES = { default: 'http://127.0.0.1:8000' }
const catalogue = openCatalogue({ services: SERVICES })
const CATALOGUE = catalogue.stages

const SLUGS = [
  'topic-declaration',
  'literature-search',
  'irb-proposal',
  'variable-definition',
  'phi-scanning',
  'schema-extraction',
  'final-scrubbing',
  'data-validation',
  'summary-characteristics',
  'gap-analysis',
  'manuscript-ideation',
  'manuscript-selection',
  'statistical-analysis',
  'manuscript-drafting',
  'polish-manuscript',
  'submission-readiness',
  'poster',
  'symposium',
  'presentation',
  'conference-prep',
]
const WORKFLOW = '123e4567-e89b-12d3-a456-426614174000'
const QUESTION = 'Does sleep change memory?'

t.test('the twenty stages, in order', async (t) => {
  t.same(
    CATALOGUE.map(({ slug }) => slug),
    SLUGS,
  )
  t.same(
    CATALOGUE.map(({ stage }) => stage),
    SLUGS.map((_, index) => index + 1),
  )
  const numbers = (flag: keyof CatalogueStage) =>
    CATALOGUE.flatMap((stage) => (stage[flag] ? stage.stage : []))
  t.same(numbers('sign_off'), [5, 9, 10, 11, 13, 14, 15])
  t.same(numbers('optional'), [17, 18, 19, 20])
  t.same(numbers('needs_question'), [2])
})

t.test('the body of each stage', async (t) => {
  for (const stage of CATALOGUE) {
    const accepts = (body: unknown) => Value.Check(executeBody(stage), body)
    t.ok(accepts({ workflow_id: WORKFLOW, research_question: QUESTION }), `stage ${stage.stage}`)
    t.equal(accepts({ workflow_id: WORKFLOW }), stage.stage !== 2, 'only stage 2 needs a question')
    t.notOk(accepts({ workflow_id: WORKFLOW, research_question: QUESTION, extra: 1 }), 'unknown field')
    t.notOk(accepts({ workflow_id: 'no uuid', research_question: QUESTION }), 'bad workflow id')
    t.notOk(accepts({ workflow_id: WORKFLOW, research_question: 123 }), 'wrong type')
  }
})

t.test('the research question', async (t) => {
  const [stage] = CATALOGUE.slice(1)
  const accepts = (research_question: string) =>
    Value.Check(executeBody(stage as CatalogueStage), { workflow_id: WORKFLOW, research_question })
  t.ok(accepts('x'.repeat(10)))
  t.notOk(accepts('x'.repeat(9)))
  t.ok(accepts('x'.repeat(4000)))
  t.notOk(accepts('x'.repeat(4001)))
  t.notOk(accepts(' '.repeat(20)), 'blank')
  t.notOk(accepts(`with a NUL \0 inside`))
  t.ok(accepts('Wirkt Schlaf auf das Gedächtnis? 睡眠与记忆\nzweite Zeile'))
})

t.test('stage 2 has typed options; other stages take any object', async (t) => {
  const accepts = (stage: number, inputs: unknown) => catalogue.inputFaults(stage, inputs).length === 0
  t.ok(accepts(2, { sources: ['sample'], max_results: 200, year_from: 1990, language: 'en' }))
  for (const bad of [{ max_results: 201 }, { max_results: '5' }, { sources: [] }, { other: 1 }])
    t.notOk(accepts(2, bad), JSON.stringify(bad))
  t.ok(accepts(3, { anything: { at: ['all'] } }))
  t.same(
    catalogue.inputFaults(2, { year_from: 2020, year_to: 2010 }).map(({ instancePath }) => instancePath),
    ['/year_from'],
    'a rule between fields',
  )
})

t.test('the worker checks the data of a job again', async (t) => {
  const data = {
    stage: 3,
    job_id: WORKFLOW,
    workflow_id: WORKFLOW,
    research_question: null,
    user_id: 'alice',
    timestamp: 1,
    inputs: {},
  }
  t.ok(Value.Check(JobData, data))
  for (const bad of [{ stage: 1000 }, { stage: 0 }, { job_id: '7' }, { user_id: '' }, { inputs: null }])
    t.notOk(Value.Check(JobData, { ...data, ...bad }), JSON.stringify(bad))
})

/** A catalogue of one stage, changed by the test. */
const file = (change: object = {}, more: object = {}) => ({
  stages: [{ stage: 1, slug: 'one', title: 'One', ...change }],
  ...more,
})

t.test('each fault of a catalogue names its pointer', async (t) => {
  const entry = (stage: number, more: object = {}) => ({
    stage,
    slug: `s${stage}`,
    title: `S${stage}`,
    ...more,
  })
  const stages = (...list: object[]) => ({ stages: list })
  const cases: [name: string, file: unknown, ...faults: RegExp[]][] = [
    ['no object', [], /^\/ must be object/],
    ['no stages', { stages: [] }, /^\/stages must NOT have fewer than 1 items/],
    [
      'an unknown field',
      file({ slugg: 'x' }),
      /^\/stages\/0\/slugg is not a field of a stage, which has stage, slug/,
    ],
    ['an unknown field at the top', file({}, { stage: [] }), /^\/stage is not a field of a catalogue/],
    ['a missing title', { stages: [{ stage: 1, slug: 'x' }] }, /^\/stages\/0\/title is required$/],
    [
      'two faults',
      file({ stage: 0, title: 7 }),
      /^\/stages\/0\/stage must be >= 1, got 0$/,
      /title must be string/,
    ],
    ['a number too large', file({ stage: 1000 }), /^\/stages\/0\/stage must be <= 999/],
    ['a bad slug', file({ slug: 'A b' }), /^\/stages\/0\/slug must be lowercase letters/],
    [
      'a duplicate number',
      stages(entry(1), entry(1, { slug: 'b' })),
      /^\/stages\/1\/stage is 1, which \/stages\/0 already uses/,
    ],
    ['one slug twice', stages(entry(1), entry(2, { slug: 's1' })), /^\/stages\/1\/slug is "s1"/],
    [
      'an unknown stage',
      file({ needs: [7] }),
      /^\/stages\/0\/needs\/0 names stage 7, which is not in this file$/,
    ],
    [
      'a cycle',
      stages(entry(1, { needs: [2] }), entry(2, { uses: [1] })),
      /^\/stages\/0 needs or uses itself: 1 -> 2 -> 1$/,
    ],
    ['itself', file({ uses: [1] }), /^\/stages\/0 needs or uses itself: 1 -> 1$/],
    [
      'an unknown service',
      file({ service: 'x' }),
      /^\/stages\/0\/service names the service "x", which is not defined$/,
    ],
    [
      'an invalid schema',
      file({ inputs: { type: 'objekt' } }),
      /^\/stages\/0\/inputs\/type must be "object"/,
    ],
    [
      'a bad keyword',
      file({ inputs: { properties: { a: { type: 'strnig' } } } }),
      /^\/stages\/0\/inputs\/properties\/a\/type is not JSON Schema/,
    ],
    [
      'an unknown format',
      file({ inputs: { properties: { a: { format: 'dat' } } } }),
      /^\/stages\/0\/inputs\/properties\/a uses the unknown format "dat"$/,
    ],
    [
      'a remote reference',
      file({ inputs: { properties: { a: { $ref: 'https://example.org/a.json' } } } }),
      /^\/stages\/0\/inputs\/properties\/a\/\$ref refers to "https:\/\/example.org\/a.json"/,
    ],
    [
      'another dialect',
      file({ inputs: { $schema: 'http://json-schema.org/draft-07/schema#' } }),
      /^\/stages\/0\/inputs\/\$schema must be https/,
    ],
    ['no array', file({ inputs: { type: 'array' } }), /^\/stages\/0\/inputs\/type must be "object"/],
    [
      'a bad URL',
      file({}, { services: { x: { url: 'ftp://x' } } }),
      /^\/services\/x\/url must be an http or https URL$/,
    ],
    [
      'a password',
      file({}, { services: { x: { url: 'http://a:b@x' } } }),
      /^\/services\/x\/url must not contain/,
    ],
    [
      'a variable that is not set',
      file({}, { services: { x: { url: 'http://x', headers: { a: 'env:NO' } } } }),
      /^\/services\/x\/headers\/a needs the environment variable NO, which is not set$/,
    ],
    [
      'a header that Stagecast sets',
      file({}, { services: { x: { url: 'http://x', headers: { 'X-Attempt': '1' } } } }),
      /^\/services\/x\/headers\/X-Attempt is a header that/,
    ],
    [
      '101 stages',
      stages(...Array.from({ length: 101 }, (_, i) => entry(i + 1))),
      /^\/stages must NOT have more than 100 items/,
    ],
  ]
  for (const [name, value, ...expected] of cases) {
    try {
      openCatalogue({ file: value, services: SERVICES })
      t.fail(name)
    } catch (error) {
      t.ok(error instanceof CatalogueError, name)
      const { faults } = error as CatalogueError
      t.equal(faults.length, expected.length, `${name}: ${faults.join('; ')}`)
      for (const one of expected)
        t.ok(
          faults.some((fault) => one.test(fault)),
          `${name}: ${faults.join('; ')}`,
        )
      for (const fault of faults) t.notMatch(fault, /\n/)
    }
  }
})

t.test('a custom catalogue', async (t) => {
  const own = openCatalogue({
    file: {
      stages: [
        { stage: 300, slug: 'b', title: 'B', needs: [7], service: 'gpu', version: '4' },
        {
          ...{ stage: 7, slug: 'a', title: 'A', attempts: 9 },
          inputs: {
            type: 'object',
            properties: { when: { $ref: '#/$defs/Day' }, next: { $ref: '#' } },
            $defs: { Day: { type: 'string', format: 'date', title: 'Day' } },
          },
        },
      ],
      services: { gpu: { url: 'http://gpu:8000/', headers: { Authorization: 'env:KEY', 'X-A': 'literal' } } },
    },
    services: SERVICES,
    env: (name) => (name === 'KEY' ? 'Bearer secret' : undefined),
  })
  t.same(
    own.stages.map(({ stage }) => stage),
    [7, 300],
    'by number',
  )
  t.same(own.serviceOf(300), {
    url: 'http://gpu:8000',
    headers: { authorization: 'Bearer secret', 'x-a': 'literal' },
  })
  t.same(own.serviceOf(7), { url: SERVICES.default, headers: {} })
  t.match(own.get(7), { limits: { attempts: 9 }, version: '' })
  t.same(
    own.inputFaults(7, { when: '2024-02-30' }).map(({ instancePath }) => instancePath),
    ['/when'],
  )
  t.same(own.inputFaults(7, { when: '2024-02-29', next: { when: '2024-03-01' } }), [])
  t.same(
    own.inputFaults(7, { next: { when: 1 } }).map(({ instancePath }) => instancePath),
    ['/next/when'],
  )
  const shown = JSON.stringify(own.get(7)?.inputs)
  t.match(shown, '"when":{"type":"string","format":"date","title":"Day"}')
  t.notMatch(shown, '$ref')
  t.same(own.inputFaults(300, { anything: 1 }), [])
})

t.test('rules of built-in stages do not apply to a custom stage with the same number', async (t) => {
  const own = openCatalogue({ file: file({ stage: 2 }), services: SERVICES })
  t.same(own.inputFaults(2, { year_from: 2020, year_to: 2010 }), [])
})

t.test(
  'docs/stages.json is the built-in catalogue, and docs/stages.schema.json the schema of catalogue files',
  async (t) => {
    const inDocs = (name: string) => JSON.parse(readFileSync(join(ROOT, 'docs', name), 'utf8'))
    const made = { $schema: 'stages.schema.json', ...BUILT_IN }
    // To rewrite both after a change: UPDATE=1 npx tsx test/contract/catalogue.test.ts
    if (process.env.UPDATE) {
      const write = (name: string, value: unknown) =>
        writeFileSync(join(ROOT, 'docs', name), `${JSON.stringify(value, null, 2)}\n`)
      write('stages.json', made)
      write('stages.schema.json', {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        ...CatalogueFile,
      })
    }
    t.same(inDocs('stages.json'), JSON.parse(JSON.stringify(made)))
    t.same(inDocs('stages.schema.json'), {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      ...JSON.parse(JSON.stringify(CatalogueFile)),
    })
    t.same(
      openCatalogue({ file: inDocs('stages.json'), services: SERVICES }).stages.length,
      BUILT_IN.stages.length,
    )
  },
)

t.test('the example of docs/stages.md, and the error that it shows', async (t) => {
  const page = readFileSync(join(ROOT, 'docs', 'stages.md'), 'utf8')
  const [, example = ''] = /^```json\n([\s\S]*?)^```$/m.exec(page) ?? []
  const [, shown = ''] = /^```text\nSTAGES_FILE (.*)\n```$/m.exec(page) ?? []
  const open = (text: string) =>
    openCatalogue({ file: JSON.parse(text), services: SERVICES, env: () => 'a token' })
  const own = open(example)
  t.same(
    own.stages.map(({ slug }) => slug),
    ['collect-samples', 'analyse'],
  )
  t.equal(own.serviceOf(2)?.headers.authorization, 'a token')
  t.match(own.inputFaults(1, {}), [{ keyword: 'required' }])
  t.match(own.get(2)?.limits, { attempts: 5, timeout_ms: 7_200_000 })
  const wrong = () => open(example.replace('"needs": [1]', '"needs": [7]'))
  t.ok(shown)
  t.throws(wrong, { message: `The catalogue cannot be used:\n  ${shown}` })
})

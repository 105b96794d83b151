/**
 * The published schema and the output for the demo's question, byte by byte. After an intended change:
 * `WRITE_GOLDEN=1 npx tsx test/run.ts packages/literature/test/golden.test.ts`, then `npm run format`, and look at the difference.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { LiteratureReview } from '../schema.ts'
import { connect } from './connected.ts'
import { fakeClock } from './fake-clock.ts'
import { imitate, status } from './imitation.ts'
import { stageOver } from './literature-work.ts'

const GOLDEN = join(import.meta.dirname, 'golden')
const SCHEMA = join(import.meta.dirname, '../../../docs/literature-review.schema.json')
const WRITE = process.env.WRITE_GOLDEN === '1'

const valid = new Ajv({ strict: false, allErrors: true }).compile(
  JSON.parse(JSON.stringify(LiteratureReview)),
)

t.test('the schema in docs/ matches the code', async (t) => {
  const made = JSON.parse(
    JSON.stringify({ ...LiteratureReview, $schema: 'http://json-schema.org/draft-07/schema#' }),
  )
  if (WRITE) await writeFile(SCHEMA, `${JSON.stringify(made, null, 2)}\n`)
  t.strictSame(JSON.parse(await readFile(SCHEMA, 'utf8')), made)
})

t.test('the demo writes the same bytes as before', async (t) => {
  const { files, review } = await stageOver(t).work()
  if (WRITE) await mkdir(GOLDEN, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    if (WRITE) await writeFile(join(GOLDEN, name), text)
    t.equal(text, await readFile(join(GOLDEN, name), 'utf8'), name)
  }
  t.ok(valid(review), JSON.stringify(valid.errors))
})

t.test('reviews of live sources, degraded and empty ones match the schema', async (t) => {
  const imitation = await imitate(t)
  const clock = fakeClock()
  const { work } = stageOver(
    t,
    [...connect(t, imitation, clock).all.values()].filter(({ name }) => name !== 'sample'),
    0,
    clock,
  )
  const whole = await work()
  t.ok(valid(whole.review), JSON.stringify(valid.errors))
  imitation.fail('pubmed', [], status(500))
  const degraded = await work({ inputs: { year_from: 2000, language: 'en', study_types: ['cohort'] } })
  t.ok(degraded.review.degraded && valid(degraded.review), JSON.stringify(valid.errors))
  t.ok(valid((await work({ question: 'Does quantum gravity exist?' })).review))
  t.notOk(valid({ ...whole.review, counts: { ...whole.review.counts, included: -1 } }), 'it says no, too')
  t.notOk(valid({ ...whole.review, invented: 1 }))
})

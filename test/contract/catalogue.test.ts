import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { CATALOGUE, executeBody, type Stage } from '../../contract/catalogue.ts'
import { JobData } from '../../contract/job.ts'

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
  const numbers = (flag: keyof Stage) => CATALOGUE.flatMap((stage) => (stage[flag] ? stage.stage : []))
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
    Value.Check(executeBody(stage as Stage), { workflow_id: WORKFLOW, research_question })
  t.ok(accepts('x'.repeat(10)))
  t.notOk(accepts('x'.repeat(9)))
  t.ok(accepts('x'.repeat(4000)))
  t.notOk(accepts('x'.repeat(4001)))
  t.notOk(accepts(' '.repeat(20)), 'blank')
  t.notOk(accepts(`with a NUL \0 inside`))
  t.ok(accepts('Wirkt Schlaf auf das Gedächtnis? 睡眠与记忆\nzweite Zeile'))
})

t.test('options of stage 2 are its own, those of others any object', async (t) => {
  const accepts = (stage: number, inputs: unknown) =>
    Value.Check(executeBody(CATALOGUE[stage - 1] as Stage), {
      workflow_id: WORKFLOW,
      research_question: QUESTION,
      inputs,
    })
  t.ok(accepts(2, { sources: ['sample'], max_results: 200, year_from: 1990, language: 'en' }))
  for (const bad of [{ max_results: 201 }, { max_results: '5' }, { sources: [] }, { other: 1 }, []])
    t.notOk(accepts(2, bad), JSON.stringify(bad))
  t.ok(accepts(3, { anything: { at: ['all'] } }))
  t.notOk(accepts(3, 'text'))
})

t.test('the worker judges the data of a job by itself', async (t) => {
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
  for (const bad of [{ stage: 21 }, { stage: 0 }, { job_id: '7' }, { user_id: '' }, { inputs: null }])
    t.notOk(Value.Check(JobData, { ...data, ...bad }), JSON.stringify(bad))
})

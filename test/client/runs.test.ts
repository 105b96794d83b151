/** The client's methods for workflow runs against the real API and worker. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { type Run, type RunReference, Stagecast } from '../../packages/client/index.ts'
import { followWorkflow, NO_WORKFLOW } from '../../packages/client/workflow-view.ts'
import { startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

/** 2 needs 1 and is a gate; 3 needs 2. */
const STAGES = [{ stage: 1 }, { stage: 2, needs: [1], sign_off: true }, { stage: 3, needs: [2] }]
const ALL = { stages: [1, 2, 3] }

async function setUp(t: Test) {
  const service = await fakeStageService(t, succeed())
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: await stagesFile(t, STAGES) })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const stagecast = new Stagecast({ baseUrl: url, token: () => token() })
  return { service, url, stagecast, workflow: randomUUID() }
}

/** Long polls until the run leaves `running`. */
async function settled({ runs }: Stagecast, reference: RunReference): Promise<Run> {
  let run = await runs.get(reference)
  while (run.status === 'running') run = await runs.get(run, { after: run.cursor, wait: 5 })
  return run
}

t.test('a run from its plan to its end, with a sign-off', async (t) => {
  const { stagecast, workflow } = await setUp(t)
  const { runs } = stagecast
  const plan = await runs.plan(workflow, ALL)
  t.same(
    plan.steps.map(({ stage, action, sign_off }) => [stage, action, sign_off]),
    [
      [1, 'run', false],
      [2, 'run', true],
      [3, 'run', false],
    ],
  )
  t.same(await runs.list({ workflow_id: workflow }), { runs: [], next: null }, 'a plan starts nothing')

  const accepted = await runs.start(workflow, { ...ALL, name: 'first' }, { idempotencyKey: 'k' })
  t.match(accepted, { success: true, workflow_id: workflow, name: 'first', status: 'running' })
  const repeated = await runs.start(workflow, { ...ALL, name: 'first' }, { idempotencyKey: 'k' })
  t.equal(repeated.run_id, accepted.run_id, 'the key identifies the run')

  const waiting = await settled(stagecast, accepted)
  t.equal(waiting.status, 'waiting')
  const { sign_offs, next } = await runs.signOffs({ limit: 5 })
  t.match(sign_offs, [{ run_id: accepted.run_id, workflow_id: workflow, name: 'first', stage: 2 }])
  t.equal(next, null)
  const [gate] = sign_offs as [(typeof sign_offs)[0]]
  await t.rejects(runs.signOff(gate, 2, { verdict: 'approved', digest: 'f'.repeat(64) }), {
    status: 409,
    code: 'CONTENT_CHANGED',
  })
  await runs.signOff(gate, gate.stage, { verdict: 'approved', digest: gate.digest })
  t.same((await runs.signOffs()).sign_offs, [])

  const done = await settled(stagecast, accepted)
  t.equal(done.status, 'completed')
  t.match(done.steps[1]?.sign_off?.decision, { verdict: 'approved', by: 'alice' })
  await t.rejects(runs.cancel(done), { status: 409, code: 'RUN_FINISHED' })

  const other = await runs.start(randomUUID(), { stages: [1] })
  const idsOf = async (filter?: Parameters<typeof runs.list>[0]) =>
    (await runs.list(filter)).runs.map(({ run_id }) => run_id)
  t.same(await idsOf(), [other.run_id, accepted.run_id])
  t.same(await idsOf({ workflow_id: workflow }), [accepted.run_id])
  t.same(await idsOf({ workflow_id: workflow, status: 'failed' }), [])
  const first = await runs.list({ limit: 1 })
  t.same(await idsOf({ limit: 1, after: first.next ?? '' }), [accepted.run_id])
})

t.test('cancel', async (t) => {
  const { service, stagecast, workflow } = await setUp(t)
  service.answer = silence
  const accepted = await stagecast.runs.start(workflow, ALL)
  await service.call(0)
  t.match(await stagecast.runs.cancel(accepted), { run_id: accepted.run_id, status: /^cancell/ })
  let run = await stagecast.runs.get(accepted)
  while (run.status === 'cancelling') run = await stagecast.runs.get(run, { after: run.cursor, wait: 5 })
  t.equal(run.status, 'cancelled')
})

t.test('watching a workflow yields the events of its runs, and its view holds jobs only', async (t) => {
  const { stagecast, workflow, url } = await setUp(t)
  const accepted = await stagecast.runs.start(workflow, { stages: [1] })
  const told = []
  for await (const event of stagecast.watchWorkflow(workflow)) {
    if (event.event !== 'run') continue
    t.equal(event.data.run_id, accepted.run_id)
    told.push(event.data.status)
    if (event.data.status === 'completed') break
  }
  t.same(told, ['running', 'completed'])

  // Watch without a token, with the run's URL, which contains a cursor.
  const { urls } = accepted
  const [first, second] = await read(2)
  t.match(first, { event: 'run', data: { status: 'running' } })
  t.same(await read(1, first?.id ?? ''), [second], 'resumed after the first')

  async function read(count: number, after = '') {
    const events = []
    const anybody = new Stagecast({ baseUrl: url })
    for await (const event of anybody.watchWorkflow(workflow, { events: urls.events, after })) {
      events.push(event)
      if (events.length === count) return events
    }
    return events
  }

  // Watch afterwards: the stream replays everything, and one more job marks the end.
  const { job_id } = await stagecast.execute(1, { workflow_id: workflow })
  const stop = new AbortController()
  let view = NO_WORKFLOW
  const following = followWorkflow(stagecast, workflow, stop.signal, (next) => {
    view = next(view)
    if (view.jobs?.get(job_id)?.status === 'completed') stop.abort(new Error('seen'))
  })
  await t.rejects(following, { message: 'seen' })
  const [step] = (await stagecast.runs.get(accepted)).steps
  t.same([...(view.jobs?.keys() ?? [])], [step?.job_id, job_id])
})

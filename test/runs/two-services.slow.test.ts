/**
 * Five toy stages at two services, one of them in Python. The plan says what a run will do, only changed stages run again,
 * and two users with different scopes see a sign-off and what voids it.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { PlanStep, Run, WaitingSignOff } from '../../contract/run.ts'
import { Stages } from '../../packages/stage-kit/index.ts'
import { startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { startPython } from '../helpers/python-service.ts'
import { eventually } from '../helpers/waiting.ts'
import { CASES, play } from './reuse-cases.ts'
import { statuses } from './scene.ts'
import { openMall, ServiceShop } from './service-shop.ts'

const TEXT = 'the cat and the dog and the bird'
const ALL = { stages: [1, 2, 3, 4, 5], inputs: { 1: { text: TEXT } } }

async function startServices(t: Test) {
  const data = await mkdtemp(join(tmpdir(), 'stagecast-toy-'))
  t.teardown(() => rm(data, { recursive: true, force: true }))
  const python = await startPython(t, 'toy:stages', { STAGE_DATA_DIR: join(data, 'python') })
  const stages = new Stages({ data: join(data, 'node') })
  const ran: number[] = []
  stages.stage(1, { version: '1' }, async (job) => {
    ran.push(1)
    return { words: String(job.inputs.text).toLowerCase().split(/\s+/) }
  })
  stages.stage(4, { version: '1' }, async (job) => {
    ran.push(4)
    const frequent = await job.upstream[3]?.text('summary.txt')
    await job.write('draft.md', `# Frequent words\n\n${frequent}`)
    return { draft: 'draft.md' }
  })
  stages.stage(5, { version: '1' }, async (job) => {
    ran.push(5)
    const { counts = {} } = job.upstream[2]?.results ?? {}
    return { different: Object.keys(counts as object).length, as: job.inputs.as ?? 'a number' }
  })
  const node = await stages.listen({ port: 0 })
  t.teardown(() => node.close())
  const file = await stagesFile(
    t,
    [
      { stage: 1, service: 'node' },
      { stage: 2, service: 'python', needs: [1] },
      { stage: 3, service: 'python', needs: [2], sign_off: true },
      { stage: 4, service: 'node', needs: [3] },
      { stage: 5, service: 'node', uses: [2] },
    ],
    { node: { url: node.url }, python: { url: python } },
  )
  return { file, ran }
}

t.test('the table of reuse', async (t) => {
  const mall = await openMall(t)
  for (const one of CASES) await t.test(one.name, (t) => play(t, new ServiceShop(mall), one))
})

t.test('plan, change, sign-off and void', async (t) => {
  const { file, ran } = await startServices(t)
  const env = await testEnv(t, { STAGES_FILE: file, SIGN_OFF_SCOPE: 'sign' })
  const api = await startApi(t, env)
  startWorker(t, env)
  const runs = `${api.url}/api/workflow/workflows/${randomUUID()}/runs`
  const who = {
    alice: { authorization: `Bearer ${token('alice')}` },
    editor: { authorization: `Bearer ${token('editor', { scope: 'read sign' })}` },
  }
  type Who = keyof typeof who
  const read = async <T>(as: Who, url: string) => (await (await fetch(url, { headers: who[as] })).json()) as T
  async function send<T = Run>(as: Who, url: string, body: object) {
    const headers = { ...who[as], 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: (await response.json()) as T }
  }
  const plan = async (body: object) =>
    (await send<{ steps: PlanStep[] }>('alice', `${runs}?plan=true`, body)).body.steps
  const planned = (steps: PlanStep[]) =>
    Object.fromEntries(steps.map(({ stage, action, because }) => [stage, `${action}: ${because}`]))
  const reasons = ({ steps }: Pick<Run, 'steps'>) =>
    Object.fromEntries(steps.map(({ stage, because }) => [stage, because]))
  const gateOf = ({ steps }: Pick<Run, 'steps'>) => steps.find(({ stage }) => stage === 3)
  const until = (as: Who, id: string, status: string) =>
    eventually(
      `the run is ${status}`,
      async () => {
        const run = await read<Run>(as, `${runs}/${id}`)
        return run.status === status ? run : null
      },
      120_000,
    )
  const begin = async (body: object, status: string) => {
    const { body: begun } = await send('alice', runs, body)
    return until('alice', begun.run_id, status)
  }
  const decide = (as: Who, run: Run, decision: object) =>
    send(as, `${runs}/${run.run_id}/steps/3/sign-off`, { digest: gateOf(run)?.sign_off?.digest, ...decision })
  const waitingFor = async (as: Who) =>
    (await read<{ sign_offs: WaitingSignOff[] }>(as, `${api.url}/api/workflow/sign-offs`)).sign_offs
  const REUSE = 'reuse: nothing changed'

  const first = await plan(ALL)
  t.same([...new Set(Object.values(planned(first)))], ['run: never run'])
  t.equal(first[2]?.sign_off, true)
  const waiting = await begin(ALL, 'waiting')
  t.same(statuses(waiting).slice(2), ['3 awaiting_sign_off', '4 pending', '5 completed'])
  t.same(await waitingFor('alice'), [], 'the owner lacks the scope')
  t.equal((await decide('alice', waiting, { verdict: 'approved' })).status, 403)
  t.match(await waitingFor('editor'), [{ run_id: waiting.run_id, stage: 3 }])
  const shown = await read<Run>('editor', `${runs}/${waiting.run_id}`)
  const file3 = `${api.url}/api/workflow/stages/3/jobs/${gateOf(shown)?.job_id}/artifacts/summary.txt`
  t.equal(
    await (await fetch(file3, { headers: who.editor })).text(),
    'and\nthe\n',
    'the digest of the result',
  )
  t.equal((await decide('editor', shown, { verdict: 'approved' })).status, 200)
  const done = await until('alice', waiting.run_id, 'completed')
  t.match(gateOf(done)?.sign_off?.decision, { verdict: 'approved', by: 'editor' })
  t.same(ran, [1, 5, 4])

  t.comment('a changed input of the last stage: only that stage runs')
  const listed = { ...ALL, inputs: { ...ALL.inputs, 5: { as: 'a list' } } }
  t.same(planned(await plan(listed)), { 1: REUSE, 2: REUSE, 3: REUSE, 4: REUSE, 5: 'run: inputs.as changed' })
  ran.length = 0
  const relisted = await begin(listed, 'completed')
  t.same(ran, [5])
  t.same(statuses(relisted), ['1 reused', '2 reused', '3 reused', '4 reused', '5 completed'])
  t.equal(reasons(relisted)[5], 'inputs.as changed')

  t.comment('the same words in another case: the content does not change')
  const louder = { ...ALL, inputs: { 1: { text: TEXT.toUpperCase() } } }
  const louderPlan = await plan(louder)
  t.match(planned(louderPlan), {
    ...{ 1: 'run: inputs.text changed', 2: 'run_if_changed: stage 1 runs again' },
    ...{ 3: 'run_if_changed: stage 2 runs again', 4: 'run_if_changed: stage 3 runs again' },
  })
  t.equal(louderPlan[2]?.sign_off, 'if_changed')
  ran.length = 0
  const same = await begin(louder, 'completed')
  t.same(ran, [1])
  t.same(statuses(same), ['1 completed', '2 reused', '3 reused', '4 reused', '5 reused'])

  t.comment('other words: everything runs, and the approval does not count for the new result')
  const other = { ...ALL, inputs: { 1: { text: `${TEXT} and the bird` } } }
  const changed = await begin(other, 'waiting')
  t.match(reasons(changed), { 1: 'inputs.text changed', 2: 'stage 1 changed', 3: 'stage 2 changed' })
  t.not(gateOf(changed)?.sign_off?.digest, gateOf(done)?.sign_off?.digest)
  const late = { verdict: 'approved', digest: gateOf(done)?.sign_off?.digest }
  t.match(await decide('editor', changed, late), { status: 409, body: { code: 'CONTENT_CHANGED' } as never })
  t.equal((await decide('editor', changed, { verdict: 'rejected', reason: 'a bird too many' })).status, 200)
  const rejected = await until('alice', changed.run_id, 'rejected')
  t.match(gateOf(rejected)?.sign_off?.decision, { by: 'editor', reason: 'a bird too many' })
  t.equal(statuses(rejected)[3], '4 skipped')

  t.comment('a rerun of the gate voids the approval, and both users see it')
  const again = { ...ALL, rerun: [3] }
  const voiding = await plan(again)
  t.match(planned(voiding), { 1: REUSE, 2: REUSE, 3: 'run: a rerun was requested' })
  t.equal(voiding[2]?.sign_off, true)
  const voided = await begin(again, 'waiting')
  t.equal(gateOf(voided)?.sign_off?.digest, gateOf(done)?.sign_off?.digest, 'the same content')
  t.equal(gateOf(voided)?.sign_off?.decision, null)
  t.match(await waitingFor('editor'), [{ run_id: voided.run_id, stage: 3 }])
  t.equal((await decide('editor', voided, { verdict: 'approved' })).status, 200)
  t.equal(statuses(await until('alice', voided.run_id, 'completed'))[3], '4 reused')
})

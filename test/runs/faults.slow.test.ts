/** A process ends between two writes of a run, and two people decide at the same time. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Run } from '../../contract/run.ts'
import { advance } from '../../runs/advance.ts'
import { RunQueue } from '../../runs/queue.ts'
import { newRun } from '../../runs/request.ts'
import { authorization, get, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const STAGES = [{ stage: 1 }, { stage: 2, needs: [1], sign_off: true }, { stage: 3, needs: [2] }]

t.test('a worker starts a run whose process ended right after storing it', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: await stagesFile(t, STAGES) })
  const { app, url } = await startApi(t, env)
  const { catalogue, journal, redis, runs } = app.stagecast
  const origin = { run_id: randomUUID(), workflow_id: randomUUID(), user_id: 'alice' }
  const queue = new RunQueue({
    ...{ redis, prefix: String(env.REDIS_PREFIX), keys: journal.keys, journal },
    ...{ jobOptions: () => ({}), onError: () => {} },
  })
  t.teardown(() => queue.close())
  const carrier = await queue.carry(origin)
  const now = Date.now()
  const draft = newRun({ stages: [1] }, catalogue, [], {
    ...{ ...origin, fingerprint: '', previous: null, now, versionOf: () => '' },
  })
  if ('missing' in draft) throw new Error('nothing is missing')
  const { document } = advance(draft.run, { results: [], ends: new Map(), now })
  const memory = await runs.store.memory(origin)
  const changes = [{ before: null, after: document }]
  t.same(await runs.store.write(memory, changes, [], carrier.key, now), ['ok'])
  t.same(await runs.store.write(memory, changes, [], carrier.key, now), ['moved'], 'and only once')
  startWorker(t, env)
  const path = `${url}/api/workflow/workflows/${origin.workflow_id}/runs/${origin.run_id}`
  await eventually('it is completed', async () => (await get(path)).status === 'completed')
  t.equal(service.calls.length, 1)
})

t.test('of two opposite decisions at the same time, at two processes, one counts', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: await stagesFile(t, STAGES) })
  const apis = [await startApi(t, env), await startApi(t, env)]
  startWorker(t, env)
  const workflow = `/api/workflow/workflows/${randomUUID()}`
  const send = async (at: number, path: string, body: object) => {
    const headers = { ...authorization(), 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(`${apis[at]?.url}${workflow}${path}`, init)
    return { status: response.status, body: (await response.json()) as Run & { code?: string } }
  }
  const { body: started } = await send(0, '/runs', { stages: [1, 2, 3] })
  const path = `/runs/${started.run_id}`
  const read = () => get<Run>(`${apis[0]?.url}${workflow}${path}`)
  await eventually('it waits', async () => (await read()).status === 'waiting')
  const { digest } = (await read()).steps[1]?.sign_off ?? {}
  const answers = await Promise.all([
    send(0, `${path}/steps/2/sign-off`, { verdict: 'approved', digest }),
    send(1, `${path}/steps/2/sign-off`, { verdict: 'rejected', digest, reason: 'no' }),
  ])
  t.same(answers.map(({ status }) => status).sort(), [200, 409])
  t.equal(answers.find(({ status }) => status === 409)?.body.code, 'DECIDED')
  const verdict = answers[0]?.status === 200 ? 'completed' : 'rejected'
  await eventually('the run ends with the first decision', async () => (await read()).status === verdict)
  const { events } = await get<{ events: { event: string }[] }>(`${apis[0]?.url}${workflow}/events/page`)
  t.equal(events.filter(({ event }) => event === 'sign_off').length, 1, 'the decision is reported once')
})

/** Two things happen to a run at the same time, or its catalogue, service or files change meanwhile. */
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import t, { type Test } from 'tap'
import type { PlanStep, Run } from '../../contract/run.ts'
import { advance } from '../../runs/advance.ts'
import { RunEngine } from '../../runs/engine.ts'
import { RunQueue } from '../../runs/queue.ts'
import { newRun } from '../../runs/request.ts'
import { type Env, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { type Answer, fail, fakeStageService, json, success } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'
import { KeptWork, Runs, resultsOf, statuses } from './scene.ts'

/** 2 is a gate after 1; 3 comes after both. */
const STAGES = [{ stage: 1 }, { stage: 2, needs: [1], sign_off: true }, { stage: 3, needs: [1, 2] }]

async function open(t: Test, answer: Answer, over: Env = {}) {
  const service = await fakeStageService(t, answer)
  const file = await stagesFile(t, STAGES)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: file, ...over })
  const api = await startApi(t, env)
  const { redis } = api.app.stagecast
  const runs = new Runs(() => api.url)
  const faults = (run: Run) => runs.faults(run, redis, env.REDIS_PREFIX as string)
  return { service, env, api, runs, faults }
}

t.test('a rerun while a gate waits', async (t) => {
  let given = 'first'
  const { env, runs, faults } = await open(t, (call) =>
    json(200, success(call, { results: { given, ...resultsOf(call) } }))(call),
  )
  startWorker(t, env)
  const first = await runs.until((await runs.post({ stages: [1, 2, 3] })).run_id, 'waiting')
  const same = await runs.post({ stages: [1, 2, 3], rerun: [1] })
  const second = await runs.until(same.run_id, 'waiting')
  t.same(statuses(second), ['1 completed', '2 awaiting_sign_off', '3 pending'])
  t.equal(second.steps[1]?.job_id, first.steps[1]?.job_id, 'unchanged results are not made again')
  t.equal((await runs.read(first.run_id)).status, 'superseded')
  t.equal((await runs.sign(first, 2)).body.code, 'NOT_WAITING')

  given = 'second'
  const third = await runs.until((await runs.post({ stages: [1, 2, 3], rerun: [1] })).run_id, 'waiting')
  t.not(third.steps[1]?.sign_off?.digest, first.steps[1]?.sign_off?.digest)
  const stale = await runs.send(`/runs/${third.run_id}/steps/2/sign-off`, {
    ...{ verdict: 'approved', digest: first.steps[1]?.sign_off?.digest },
  })
  t.equal(stale.body.code, 'CONTENT_CHANGED', 'a decision about the earlier result does not count')
  t.equal((await runs.sign(third, 2)).status, 200)
  const done = await runs.until(third.run_id, 'completed')
  t.same(await faults(done), [])
  const plan = await runs.send('/runs?plan=true', { stages: [1, 2, 3], rerun: [2] })
  t.match(plan.body.steps[1], { action: 'run', sign_off: true } as Partial<PlanStep>)
})

t.test('cancel crosses a completion', async (t) => {
  const work = new KeptWork()
  let arrived: (() => void) | undefined
  const { env, api } = await open(t, async (call) => {
    arrived?.()
    await work.answer(call)
  })
  startWorker(t, env)
  const ends = new Map<string, number>()
  for (let i = 0; i < 12; i += 1) {
    const runs = new Runs(() => api.url)
    const called = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const { run_id } = await runs.post({ stages: i % 2 === 0 ? [1] : [1, 2] })
    await called
    // The answer is in transit; in each round the cancel comes a little later.
    for (let turns = 0; turns < i * 3; turns += 1) await new Promise(setImmediate)
    const answer = await runs.send(`/runs/${run_id}/cancel`)
    const run = await runs.until(run_id, 'completed', 'cancelled', 'waiting')
    ends.set(`${answer.status} ${run.status}`, (ends.get(`${answer.status} ${run.status}`) ?? 0) + 1)
    if (answer.status === 409) t.equal(run.status, 'completed', 'the cancel came too late')
    else t.equal(run.status, 'cancelled', 'an accepted cancel takes effect')
    const told = await runs.told()
    const last = told.filter(({ event }) => event === 'run').at(-1)
    t.equal(last?.data.status, run.status, 'the last event has the final status')
    for (const step of run.steps) {
      if (step.job_id === null || !['completed', 'cancelled'].includes(step.status)) continue
      const end = told.filter(({ data }) => data.job_id === step.job_id).at(-1)
      // If the job of a gate had completed, its step is cancelled, and no decision is due.
      if (step.sign_off === null) t.equal(end?.event, step.status, 'a step has the status of its job')
    }
    t.same(await runs.faults(run, api.app.stagecast.redis, env.REDIS_PREFIX as string), [])
  }
  t.comment(JSON.stringify([...ends]))
})

t.test('cancel crosses the queueing of a step', async (t) => {
  const { env, api, runs, service, faults } = await open(t, new KeptWork().answer)
  const { catalogue, journal, redis, queue: jobs, runs: plugin } = api.app.stagecast
  const queue = new RunQueue({
    ...{ redis, prefix: String(env.REDIS_PREFIX), keys: journal.keys, journal },
    ...{ jobOptions: () => ({}), onError: () => {} },
  })
  t.teardown(() => queue.close())
  const origin = { run_id: randomUUID(), workflow_id: runs.workflow, user_id: 'alice' }
  const now = Date.now()
  const draft = newRun({ stages: [1, 2] }, catalogue, [], {
    ...{ ...origin, fingerprint: '', previous: null, now, versionOf: () => '' },
  })
  if ('missing' in draft) throw new Error('nothing is missing')
  const { document } = advance(draft.run, { results: [], ends: new Map(), now })
  const carrier = await queue.carry(origin)
  const memory = await plugin.store.memory(origin)
  await plugin.store.write(memory, [{ before: null, after: document }], [], carrier.key, now)

  // Freeze a process after it has read the run and before it queues the step, and cancel the run meanwhile.
  const moments = new EventEmitter()
  const reached = once(moments, 'reached')
  const released = once(moments, 'released')
  const slow: Pick<RunQueue, 'add'> = {
    async add(...args) {
      moments.emit('reached')
      await released
      return queue.add(...args)
    },
  }
  const engine = new RunEngine({
    ...{ store: plugin.store, queue: slow as RunQueue, journal, discard: jobs.discard },
  })
  const going = engine.goOn(origin, carrier.key)
  await reached
  t.match(await runs.send(`/runs/${origin.run_id}/cancel`), { status: 200, body: { status: 'cancelled' } })
  moments.emit('released')
  await going
  startWorker(t, env)
  // A later job in the queue shows that the late one has ended.
  const other = new Runs(() => api.url)
  await other.until((await other.post({ stages: [1] })).run_id, 'completed')
  const run = await runs.read(origin.run_id)
  t.same([run.status, ...statuses(run)], ['cancelled', '1 cancelled', '2 skipped'])
  t.same(
    service.calls.map(({ body }) => body.workflow_id),
    [other.workflow],
    'the step was not called',
  )
  t.same(await faults(run), [])
})

t.test('the version in the catalogue changes during a run', async (t) => {
  const files = await Promise.all(
    ['1', '2'].map((version) =>
      stagesFile(
        t,
        STAGES.map((one) => ({ ...one, version })),
      ),
    ),
  )
  const [before, after] = files as [string, string]
  const work = new KeptWork()
  const { env, runs } = await open(t, work.answer, { STAGES_FILE: before })
  const old = startWorker(t, env)
  const waiting = await runs.until((await runs.post({ stages: [1, 2, 3] })).run_id, 'waiting')
  await old.close(1000)
  startWorker(t, { ...env, STAGES_FILE: after })
  t.equal((await runs.sign(waiting, 2)).status, 200)
  const done = await runs.until(waiting.run_id, 'completed')
  t.same(work.of(done), [1, 1, 1])
  const planned = async (file: string) => {
    const api = await startApi(t, { ...env, STAGES_FILE: file })
    const at = new Runs(() => api.url, runs.workflow)
    const { body } = await at.send('/runs?plan=true', { stages: [1, 2, 3] })
    return (body.steps as unknown as PlanStep[]).map(({ action, because }) => `${action}: ${because}`)
  }
  t.same(await planned(after), [
    'run: version changed from 1 to 2',
    'run_if_changed: version changed from 1 to 2',
    'run_if_changed: stage 1 runs again',
  ])
  t.same(await planned(before), [
    'reuse: nothing changed',
    'reuse: nothing changed',
    'run: version changed from 2 to 1',
  ])
})

t.test('the version that a service lists changes during a run', async (t) => {
  let version = '1'
  const work = new KeptWork()
  const { env, runs, service } = await open(t, work.answer)
  service.onGet = (url, response) =>
    url.endsWith('/stages')
      ? void response.end(JSON.stringify(STAGES.map(({ stage }) => ({ stage, version }))))
      : void response.writeHead(404).end()
  startWorker(t, env)
  const waiting = await runs.until((await runs.post({ stages: [1, 2, 3] })).run_id, 'waiting')
  const planned = async () => {
    const { body } = await runs.send('/runs?plan=true', { stages: [1, 2, 3] })
    return (body.steps as unknown as PlanStep[]).map(({ because }) => because)
  }
  // A process caches a service's list for some seconds.
  const says = (because: string) =>
    eventually(`the plan says: ${because}`, async () => (await planned())[0] === because)
  await says('nothing changed')
  version = '2'
  const changed = 'version changed from 1 to 2'
  await says(changed)
  t.equal((await runs.sign(waiting, 2)).status, 200)
  const done = await runs.until(waiting.run_id, 'completed')
  t.same(work.of(done), [1, 1, 1], 'the run continues with its results')
  t.same((await planned()).slice(0, 2), [changed, changed])
})

t.test('files are gone at the service', async (t) => {
  const file = { name: 'a.txt', sha256: 'a'.repeat(64), bytes: 3, media_type: 'text/plain' }
  let isThere = false
  let made = 0
  const { env, runs, service } = await open(t, async (call) => {
    if (call.stage === 1) {
      // The second run makes the file again.
      isThere = made++ > 0
      return json(200, success(call, { artifacts: [file.name], files: [file] }))(call)
    }
    const { upstream } = call.body as { upstream: Record<string, { files: { url: string }[] }> }
    const found = await fetch(upstream[1]?.files[0]?.url ?? '')
    return found.status === 200 ? json(200, success(call))(call) : fail(422, 'FILE_GONE')(call)
  })
  service.onGet = (_url, response) => void response.writeHead(isThere ? 200 : 404).end('abc')
  startWorker(t, env)
  const failed = await runs.until((await runs.post({ stages: [1, 2] })).run_id, 'failed')
  t.match(failed.steps[1]?.error, { code: 'UPSTREAM_GONE', gone: [1], retryable: false, attempt: 1 })
  t.match(failed.steps[1]?.error?.message, /^Files of stage 1, .* \(the service says FILE_GONE\)$/)
  const plan = await runs.send('/runs?plan=true', { stages: [1, 2] })
  t.match(plan.body.steps, [
    { stage: 1, action: 'run', because: 'the files of its last result are gone' },
    { stage: 2, action: 'run', because: 'its last job failed' },
  ] as Partial<PlanStep>[])
  t.match(await runs.send('/runs', { stages: [2] }), { status: 422, body: { code: 'STAGE_NEEDS' } })
  const mended = await runs.post({ stages: [1, 2] })
  t.same(statuses(await runs.until(mended.run_id, 'waiting')), ['1 completed', '2 awaiting_sign_off'])

  service.answer = fail(422, 'OTHER')
  const other = await runs.until((await runs.post({ stages: [1, 2], rerun: [2] })).run_id, 'failed')
  t.match(other.steps[1]?.error, { code: 'OTHER' }, 'while the files are there, the service says why')
  t.equal(other.steps[0]?.status, 'reused')
})

t.test('a step whose files cannot be read is retried, then fails', async (t) => {
  const file = { name: 'a.txt', sha256: 'a'.repeat(64), bytes: 3, media_type: 'text/plain' }
  const { env, runs, service } = await open(t, (call) =>
    json(200, success(call, { artifacts: [file.name], files: [file] }))(call),
  )
  const old = startWorker(t, env)
  const waiting = await runs.until((await runs.post({ stages: [1, 2, 3] })).run_id, 'waiting')
  await old.close(1000)
  // This worker serves the stage, but does not know the service of the earlier results.
  startWorker(t, { ...env, STAGES_FILE: await stagesFile(t, [{ stage: 3 }]) })
  t.equal((await runs.sign(waiting, 2)).status, 200)
  const failed = await runs.until(waiting.run_id, 'failed')
  t.match(failed.steps[2]?.error, { code: 'UPSTREAM_UNREADABLE', retryable: true, attempt: 3 })
  t.equal(
    service.calls.filter(({ stage }) => stage === 3).length,
    0,
    'the stage is not called without the files',
  )
})

t.test('the catalogue lacks a stage of a waiting run', async (t) => {
  const work = new KeptWork()
  const { env, runs, service } = await open(t, work.answer)
  const old = startWorker(t, env)
  const waiting = await runs.until((await runs.post({ stages: [1, 2, 3] })).run_id, 'waiting')
  await old.close(1000)

  const without = async (...stages: number[]) =>
    startWorker(t, {
      ...env,
      STAGES_FILE: await stagesFile(
        t,
        stages.map((stage) => ({ stage })),
      ),
    })
  const lacking = await without(2)
  t.equal((await runs.sign(waiting, 2)).status, 200)
  const other = new Runs(() => new URL(runs.url).origin)
  await other.post({ stages: [1] })
  t.equal((await runs.read(waiting.run_id)).status, 'running', 'it waits for a worker that knows the stage')
  t.equal(service.calls.filter(({ stage }) => stage === 3).length, 0)
  await lacking.close(1000)

  // This catalogue has the step's stage, but not the earlier ones. Their results are passed on all the same.
  await without(3)
  const done = await runs.until(waiting.run_id, 'completed')
  t.same(work.of(done), [1, 1, 1])
  const call = service.calls.find(({ stage }) => stage === 3)
  t.same(Object.keys(call?.body.upstream as object), ['1', '2'])
})

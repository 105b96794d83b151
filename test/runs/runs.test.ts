/** Workflow runs over HTTP, from the request to the end of the last step. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { PlanStep, Run } from '../../contract/run.ts'
import { type Env, get, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { openStream } from '../helpers/sse.ts'
import { type Answer, fail, fakeStageService, json, success } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

/** 1 and 2 come first; 3 needs both and is a gate; 4 needs 3; 5 uses 2. */
const STAGES = [
  { stage: 1 },
  { stage: 2, needs_question: true },
  { stage: 3, needs: [1, 2], sign_off: true },
  { stage: 4, needs: [3], uses: [1] },
  {
    stage: 5,
    uses: [2],
    inputs: { type: 'object', properties: { a: { type: 'array', items: { type: 'integer' } } } },
  },
]
const QUESTION = 'What is known about intermittent fasting?'
const ALL = { stages: [1, 2, 3, 4, 5], research_question: QUESTION }

/** The result of each stage is derived from its input. */
const honest: Answer = (call) => {
  const { inputs, upstream } = call.body as {
    inputs: object
    upstream: Record<string, { results: unknown }>
  }
  const from = Object.fromEntries(Object.entries(upstream).map(([stage, { results }]) => [stage, results]))
  return json(200, success(call, { results: { stage: call.stage, inputs, from } }))(call)
}

interface Accepted extends Pick<Run, 'run_id' | 'status' | 'steps' | 'name'> {
  urls: { status: string; events: string; cancel: string }
}

async function start(t: Test, { answer = honest, over = {} }: { answer?: Answer; over?: Env } = {}) {
  const service = await fakeStageService(t, answer)
  const file = await stagesFile(t, STAGES)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: file, ...over })
  const api = await startApi(t, env)
  const workflow = randomUUID()
  const url = `${api.url}/api/workflow/workflows/${workflow}/runs`

  async function send(path: string, body: unknown, user = 'alice', headers: Record<string, string> = {}) {
    const scopes = user.startsWith('signer') ? { scope: 'sign' } : {}
    const response = await fetch(path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token(user, scopes)}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(body),
    })
    return { status: response.status, headers: response.headers, body: (await response.json()) as never }
  }
  async function post(body: unknown, headers?: Record<string, string>): Promise<Accepted> {
    const { status, body: answered } = await send(url, body, 'alice', headers)
    if (status !== 202) throw new Error(`${status} ${JSON.stringify(answered)}`)
    return answered
  }
  const read = (id: string) => get<Run & { code?: string }>(`${url}/${id}`)
  const until = (id: string, status: string) =>
    eventually(
      `the run is ${status}`,
      async () => {
        const run = await read(id)
        return run.status === status ? run : null
      },
      30_000,
    )
  const sign = (run: Run, stage: number, verdict: string, more: object = {}, user = 'alice') => {
    const digest = run.steps.find((step) => step.stage === stage)?.sign_off?.digest
    return send(`${url}/${run.run_id}/steps/${stage}/sign-off`, { verdict, digest, ...more }, user)
  }
  return { service, env, api, workflow, url, send, post, read, until, sign }
}

const statuses = ({ steps }: { steps: Run['steps'] }) =>
  steps.map(({ stage, status }) => `${stage} ${status}`)

t.test(
  'steps run in order, a gate waits for its sign-off, and a repeated run reuses all results',
  async (t) => {
    const { service, env, post, until, sign, send, url, workflow, api } = await start(t)
    const accepted = await post({ ...ALL, name: 'first' })
    t.match(accepted, { success: true, name: 'first', status: 'running', workflow_id: workflow })
    t.same(statuses(accepted), ['1 queued', '2 queued', '3 pending', '4 pending', '5 pending'])
    t.same(
      accepted.steps.map(({ because }) => because),
      ['never run', 'never run', '', '', ''],
    )
    startWorker(t, env)
    const waiting = await until(accepted.run_id, 'waiting')
    t.same(statuses(waiting), [
      '1 completed',
      '2 completed',
      '3 awaiting_sign_off',
      '4 pending',
      '5 completed',
    ])
    const gate = waiting.steps[2]
    t.match(gate?.sign_off, { digest: /^[0-9a-f]{64}$/, since: Number, decision: null })
    t.equal((await get(`${api.url}/api/workflow/stages/3/jobs/${gate?.job_id}/status`)).status, 'completed')
    const third = service.calls.find(({ stage }) => stage === 3)
    t.equal(third?.body.run_id, accepted.run_id)
    t.same(Object.keys(third?.body.upstream as object), ['1', '2'])
    t.match(third?.body.upstream, { 1: { job_id: waiting.steps[0]?.job_id } })

    const keys = await api.app.stagecast.redis.keys(`${api.config.REDIS_PREFIX}:*`)
    t.ok(keys.some((key) => key.includes('runs-waiting-of')))
    t.same(
      keys.filter((key) => key.includes('alice')),
      [],
      "no key contains a user's name",
    )

    const wrong = await sign(waiting, 3, 'approved', { digest: 'f'.repeat(64) })
    t.match(wrong, { status: 409, body: { code: 'CONTENT_CHANGED' } })
    t.match(await sign(waiting, 3, 'rejected'), { status: 400, body: { errors: [{ path: 'body/reason' }] } })
    t.match(await sign(waiting, 3, 'approved'), { status: 200, body: { run_id: accepted.run_id } })
    const done = await until(accepted.run_id, 'completed')
    t.same(
      statuses(done),
      [1, 2, 3, 4, 5].map((stage) => `${stage} completed`),
    )
    t.match(done.steps[2]?.sign_off?.decision, { verdict: 'approved', by: 'alice', reason: null })
    t.match(await sign(done, 3, 'approved'), { status: 200 })
    t.match(await sign(done, 3, 'rejected', { reason: 'no' }), { status: 409, body: { code: 'DECIDED' } })

    const calls = service.calls.length
    const again = await post(ALL)
    t.equal(again.status, 'completed', 'a fully reused run is completed at once')
    t.same(
      statuses(again),
      [1, 2, 3, 4, 5].map((stage) => `${stage} reused`),
    )
    t.equal(service.calls.length, calls)
    const { body: plan } = await send(`${url}?plan=true`, { ...ALL, inputs: { 5: { a: [1] } }, rerun: [1] })
    t.same(
      (plan as { steps: PlanStep[] }).steps.map(({ stage, action, because, sign_off }) => [
        ...[stage, action, because, sign_off],
      ]),
      [
        [1, 'run', 'a rerun was requested', false],
        [2, 'reuse', 'nothing changed', false],
        [3, 'run_if_changed', 'stage 1 runs again', 'if_changed'],
        [4, 'run_if_changed', 'stage 3 runs again', false],
        [5, 'run', 'inputs.a changed', false],
      ],
    )
    t.equal((await get<{ runs: Run[] }>(url)).runs.length, 2)
  },
)

t.test('events of runs are in the order of the workflow, and arrive once', async (t) => {
  const { env, post, until, sign, api, workflow } = await start(t)
  const accepted = await post({ ...ALL, stages: [1, 2, 3] })
  const stream = await openStream(`${api.url}${accepted.urls.events}`)
  startWorker(t, env)
  await sign(await until(accepted.run_id, 'waiting'), 3, 'rejected', { reason: 'too thin' })
  await until(accepted.run_id, 'rejected')
  const frames: { id?: string | undefined; event?: string | undefined; data?: unknown }[] = []
  for await (const frame of stream) {
    if (frame.id) frames.push(frame)
    if ((frame.data as { status?: string } | undefined)?.status === 'rejected') break
  }
  const told = frames.filter(({ event }) => event === 'run' || event === 'sign_off')
  t.match(
    told.map(({ event, data }) => ({ event, data })),
    [
      { event: 'run', data: { run_id: accepted.run_id, workflow_id: workflow, status: 'running' } },
      { event: 'run', data: { status: 'waiting', step: { stage: 3, status: 'awaiting_sign_off' } } },
      { event: 'sign_off', data: { stage: 3, verdict: 'rejected', by: 'alice', reason: 'too thin' } },
      { event: 'run', data: { status: 'rejected', step: { stage: 3, status: 'rejected' } } },
    ],
  )
  t.ok(frames.filter(({ event }) => event === 'completed').every(({ data }) => (data as Run).run_id))
  const page = await get<{ events: { id: string; event: string }[] }>(
    `${api.url}/api/workflow/workflows/${workflow}/events/page`,
  )
  t.same(
    page.events.map(({ id }) => id),
    frames.map(({ id }) => id),
    'the page has the same events',
  )
})

t.test('invalid requests', async (t) => {
  const { send, url, post, env, until } = await start(t)
  const faults = async (body: unknown) => {
    const { status, body: problem } = await send(url, body)
    const { errors = [] } = problem as { errors?: { path: string }[] }
    return [status, ...errors.map(({ path }) => path)]
  }
  t.same(await faults({ stages: [2] }), [400, 'body/research_question'])
  t.same(await faults({ stages: [1, 1, 9] }), [400, 'body/stages/1', 'body/stages/2'])
  t.same(await faults({ stages: [5], inputs: { 5: { a: ['x'] } } }), [400, 'body/inputs/5/a/0'])
  t.same(await faults({ stages: [5], inputs: { 1: {} }, rerun: [1] }), [400, 'body/inputs/1', 'body/rerun/0'])
  t.same((await faults({ stages: [1], nonsense: 1 }))[0], 400)
  t.match(await send(url, { stages: [4] }), { status: 422, body: { code: 'STAGE_NEEDS' } })
  const first = await post({ stages: [1] })
  t.match(await send(url, { stages: [1] }), { status: 409, body: { code: 'RUN_ACTIVE' } })
  t.equal((await send(`${url}?plan=true`, { stages: [1] })).status, 200, 'a plan is possible all the same')
  startWorker(t, env)
  await until(first.run_id, 'completed')
  t.match(await send(`${url}/${first.run_id}/cancel`, undefined), {
    status: 409,
    body: { code: 'RUN_FINISHED' },
  })
  t.equal((await get<{ code: string }>(`${url}/${first.run_id}`, 'bob')).code, 'RUN_NOT_FOUND')
  t.equal((await get<{ code: string }>(`${url}/no-uuid`)).code, 'RUN_NOT_FOUND')
})

t.test('a plan says how long each step that runs will take', async (t) => {
  const { api, env, send, url, post, until } = await start(t)
  const { redis, journal } = api.app.stagecast
  startWorker(t, env)
  await until((await post({ ...ALL, stages: [1] })).run_id, 'completed')
  for (const [stage, jobs] of [
    [1, 20],
    [2, 20],
    [5, 19],
  ] as const) {
    await redis.del(journal.keys.took(stage))
    await redis.rpush(journal.keys.took(stage), ...Array.from({ length: jobs }, (_, i) => 1000 * (i + 1)))
  }
  const { body } = await send(`${url}?plan=true`, { ...ALL, stages: [1, 2, 5] })
  t.same(
    (body as { steps: PlanStep[] }).steps.map(({ stage, action, estimate_ms }) => [
      stage,
      action,
      estimate_ms,
    ]),
    [
      [1, 'reuse', null],
      [2, 'run', { p50: 10_000, p90: 18_000 }],
      [5, 'run', null],
    ],
  )
})

t.test('a key identifies its run', async (t) => {
  const { send, url, post } = await start(t)
  const headers = { 'idempotency-key': 'k' }
  const first = await post({ stages: [1] }, headers)
  const second = await send(url, { stages: [1], inputs: {} }, 'alice', headers)
  t.match(second, { status: 202, body: { run_id: first.run_id } })
  t.equal(second.headers.get('idempotent-replayed'), 'true')
  t.match(await send(url, { stages: [5] }, 'alice', headers), { status: 422 })
})

t.test('a failed step skips the steps after it, and the next run continues', async (t) => {
  let broken = true
  const { env, post, until, service } = await start(t, {
    answer: (call) => (call.stage === 2 && broken ? fail(422, 'BROKEN')(call) : honest(call)),
  })
  startWorker(t, env)
  const failed = await until((await post(ALL)).run_id, 'failed')
  t.same(statuses(failed), ['1 completed', '2 failed', '3 skipped', '4 skipped', '5 skipped'])
  t.match(failed.steps[1]?.error, { code: 'BROKEN' })
  broken = false
  const next = await post({ ...ALL, stages: [1, 2] })
  t.equal(next.steps[0]?.status, 'reused')
  t.equal(next.steps[1]?.because, 'its last job failed')
  await until(next.run_id, 'completed')
  t.equal(service.calls.length, 3)
})

t.test('cancelling', async (t) => {
  const { env, post, until, send, url, service } = await start(t, { answer: () => {} })
  const waiting = await post(ALL)
  t.match(await send(`${url}/${waiting.run_id}/cancel`, undefined), {
    status: 200,
    body: { status: 'cancelled' },
  })
  startWorker(t, env)
  const running = await post(ALL)
  const call = await service.call(0)
  t.match(await send(`${url}/${running.run_id}/cancel`, undefined), {
    status: /^20[02]$/,
    body: { status: /^cancell(ing|ed)$/ },
  })
  await call.hungUp
  const cancelled = await until(running.run_id, 'cancelled')
  t.same(statuses(cancelled), ['1 cancelled', '2 cancelled', '3 skipped', '4 skipped', '5 skipped'])
  t.match(await send(`${url}/${running.run_id}/cancel`, undefined), { status: 200 })
})

t.test('two users with different scopes', async (t) => {
  const { env, api, post, until, sign, send, url } = await start(t, { over: { SIGN_OFF_SCOPE: 'sign' } })
  startWorker(t, env)
  const accepted = await post({ ...ALL, stages: [1, 2, 3] })
  const waiting = await until(accepted.run_id, 'waiting')
  const as = async (user: string, path: string) => {
    const scopes = user.startsWith('signer') ? { scope: 'sign' } : {}
    const response = await fetch(path, { headers: { authorization: `Bearer ${token(user, scopes)}` } })
    return { status: response.status, body: (await response.json()) as never }
  }
  const list = `${api.url}/api/workflow/sign-offs`
  t.same((await as('alice', list)).body, { sign_offs: [], next: null }, 'the owner may not sign off')
  const digest = waiting.steps[2]?.sign_off?.digest
  t.match((await as('signer', list)).body, { sign_offs: [{ run_id: accepted.run_id, stage: 3, digest }] })
  t.match(await sign(waiting, 3, 'approved'), { status: 403 })
  t.equal((await as('signer', `${url}/${accepted.run_id}`)).status, 200)
  t.equal((await as('bob', `${url}/${accepted.run_id}`)).status, 404)
  t.match(await sign(waiting, 3, 'approved', {}, 'bob'), { status: 404 })
  const job = `${api.url}/api/workflow/stages/3/jobs/${waiting.steps[2]?.job_id}/status`
  t.equal((await as('signer', job)).status, 200, 'the status of the job')
  t.equal((await as('bob', job)).status, 404)
  const jobUrl = job.replace('/status', '')
  for (const path of ['/events', '/events/page'])
    t.equal((await as('signer', jobUrl + path)).status, 404, `${path} is for the owner`)
  t.equal((await send(`${jobUrl}/tickets`, undefined, 'signer')).status, 404, 'and so is a ticket')
  const file = await as('signer', `${jobUrl}/artifacts/a.txt`)
  t.match(
    file,
    { status: 404, body: { code: 'ARTIFACT_NOT_FOUND' } },
    'the signer may ask for files, but this job has none',
  )
  t.equal((await as('signer', url)).status, 200)
  t.same(((await as('signer', url)).body as { runs: Run[] }).runs, [], "no list of other users' runs")
  t.equal((await send(`${url}/${accepted.run_id}/cancel`, undefined, 'signer')).status, 404)
  t.match(await sign(waiting, 3, 'approved', {}, 'signer'), { status: 200 })
  t.same((await as('signer', list)).body, { sign_offs: [], next: null })
  t.equal((await as('signer', `${url}/${accepted.run_id}`)).status, 200, 'decided by this one')
  t.equal((await as('signer-2', `${url}/${accepted.run_id}`)).status, 404, 'and by nobody else')
})

t.test('a waiting run is superseded, and its gate waits in the next run', async (t) => {
  const { env, post, until, read, sign } = await start(t)
  startWorker(t, env)
  const first = await until((await post({ ...ALL, stages: [1, 2, 3] })).run_id, 'waiting')
  const second = await post(ALL)
  t.match(await read(first.run_id), { status: 'superseded' })
  t.same(statuses(second).slice(0, 3), ['1 reused', '2 reused', '3 awaiting_sign_off'])
  t.equal(second.steps[2]?.sign_off?.digest, first.steps[2]?.sign_off?.digest)
  t.equal(second.steps[2]?.sign_off?.since, first.steps[2]?.sign_off?.since)
  t.match(await sign(first, 3, 'approved'), { status: 409, body: { code: 'NOT_WAITING' } })
  const waiting = await until(second.run_id, 'waiting')
  await sign(waiting, 3, 'approved')
  await until(second.run_id, 'completed')
})

t.test('a job that a run uses cannot be deleted; after the run it can, and the run shows it', async (t) => {
  const { env, api, post, until, read } = await start(t)
  startWorker(t, env)
  const accepted = await post({ ...ALL, stages: [1, 2, 3] })
  const waiting = await until(accepted.run_id, 'waiting')
  const job = `${api.url}/api/workflow/stages/1/jobs/${waiting.steps[0]?.job_id}`
  const remove = async () => {
    const headers = { authorization: `Bearer ${token('alice')}` }
    return (await fetch(job, { method: 'DELETE', headers })).status
  }
  t.equal(await remove(), 409)
  await fetch(`${api.url}${accepted.urls.cancel}`, {
    ...{ method: 'POST', headers: { authorization: `Bearer ${token('alice')}` } },
  })
  await until(accepted.run_id, 'cancelled')
  t.equal(await remove(), 204)
  t.equal((await read(accepted.run_id)).steps[0]?.status, 'deleted')
})

t.test(
  'steps count as queued jobs of their user: at the limit no run starts, but started runs continue',
  async (t) => {
    const { env, api, send, workflow } = await start(t, { over: { MAX_WAITING_PER_USER: '2' } })
    const begin = (user: string, body: object, at = randomUUID(), headers = {}) =>
      send(`${api.url}/api/workflow/workflows/${at}/runs`, body, user, headers)
    const key = { 'idempotency-key': 'one' }
    const wide = { stages: [1, 2, 3], research_question: QUESTION }
    t.equal((await begin('alice', wide, workflow, key)).status, 202, 'two steps are queued')
    const refused = await begin('alice', { stages: [1] })
    t.match(refused, { status: 429, body: { code: 'TOO_MANY_JOBS' } })
    t.ok(refused.headers.get('retry-after'))
    t.match(await send(`${api.url}/api/workflow/stages/1/execute`, { workflow_id: workflow }), {
      status: 429,
    })
    t.equal((await begin('alice', wide, workflow, key)).status, 202, 'a repeat is still answered')
    t.match(await send(`${api.url}/api/workflow/workflows/${randomUUID()}/runs?plan=true`, wide), {
      status: 200,
    })

    const crowd = await Promise.all(Array.from({ length: 6 }, () => begin('bob', { stages: [1] })))
    t.same(
      crowd.map(({ status }) => status).sort(),
      [202, 202, 429, 429, 429, 429],
      'even with simultaneous requests',
    )

    startWorker(t, env)
    const url = `${api.url}/api/workflow/workflows/${workflow}/runs`
    const waits = async () => (await get<{ runs: Run[] }>(url)).runs[0]?.status === 'waiting'
    await eventually('the run reaches its gate', waits)
    t.equal((await begin('alice', { stages: [1] })).status, 202, 'another run can start')
  },
)

/** The client's methods against the real API. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Stagecast, StagecastError } from '../../packages/client/index.ts'
import { QUESTION, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

async function setUp(t: Test) {
  const service = await fakeStageService(t, succeed({ artifacts: ['a b.txt'] }))
  service.onGet = (_url, response) => void response.end('the file')
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  return { service, url, stagecast: new Stagecast({ baseUrl: `${url}/`, token: () => token() }) }
}

const request = () => ({ workflow_id: randomUUID(), research_question: QUESTION })

t.test('a job from execute to its result', async (t) => {
  const { stagecast } = await setUp(t)
  t.equal((await stagecast.stages()).length, 20)
  const body = request()
  const job = await stagecast.execute(2, body)
  t.match(job, { success: true, stage: 2, workflow_id: body.workflow_id, status: 'queued' })
  const seen = []
  for await (const event of stagecast.watch(job)) seen.push(event)
  t.same(
    seen.map(({ event }) => event),
    ['queued', 'active', 'progress', 'progress', 'progress', 'progress', 'completed'],
  )
  const state = await stagecast.status(job, { after: '000000000000', wait: 5 })
  t.match(state, { status: 'completed', result: { artifacts: ['a b.txt'] } })
  t.equal(await (await stagecast.artifact(job, 'a b.txt')).text(), 'the file')
  const { jobs } = await stagecast.jobs({ stage: 2, status: 'completed', workflow_id: body.workflow_id })
  t.match(jobs, [{ job_id: job.job_id, research_question: QUESTION }])
  const ticket = await stagecast.ticket(job)
  t.match(ticket.events_url, job.job_id)
  await t.rejects(stagecast.cancel(job), { status: 409, code: 'JOB_FINISHED' })
  const rest = []
  for await (const event of stagecast.watch(job, { after: state.cursor })) rest.push(event)
  t.same(rest, [], 'there are no events after the end')
})

t.test('cancel', async (t) => {
  const { service, stagecast } = await setUp(t)
  service.answer = silence
  const job = await stagecast.execute(3, { workflow_id: randomUUID() })
  await service.call(0)
  t.match(await stagecast.cancel(job), { job_id: job.job_id, status: 'cancelling' })
  let last: string | undefined
  for await (const { event } of stagecast.watch(job)) last = event
  t.equal(last, 'cancelled')
})

t.test('errors are typed, from the API and from a proxy', async (t) => {
  const { stagecast, url } = await setUp(t)
  const refused = await stagecast.execute(2, { ...request(), research_question: 'short' }).catch((e) => e)
  t.type(refused, StagecastError)
  t.match(refused, { status: 400, code: 'VALIDATION_FAILED', problem: { errors: [{ path: /question/ }] } })
  const job = { stage: 2, job_id: randomUUID() }
  await t.rejects(stagecast.status(job), { status: 404, code: 'JOB_NOT_FOUND' })
  const strangers = new Stagecast({ baseUrl: url, token: 'a.b.c' })
  await t.rejects(strangers.stages(), { status: 401, code: 'INVALID_TOKEN' })
  await t.rejects(strangers.watch(job).next(), { status: 401, code: 'INVALID_TOKEN' })
  const server = createServer((_request, response) => response.writeHead(418).end('<h1>teapot</h1>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const elsewhere = new Stagecast({ baseUrl: `http://127.0.0.1:${port}` })
  await t.rejects(elsewhere.stages(), { status: 418, code: 'HTTP_418' })
})

t.test('an expired token is fetched again, once', async (t) => {
  const { url } = await setUp(t)
  const tokens = [token('alice', { exp: 1 }), token()]
  const stagecast = new Stagecast({ baseUrl: url, token: async () => tokens.shift() ?? '' })
  t.equal((await stagecast.stages()).length, 20)
  t.same(tokens, [])
  await t.rejects(stagecast.stages(), { status: 401, code: 'UNAUTHENTICATED' }, 'then it gives up')
})

t.test('an execute with an unknown outcome is repeated with the same key', async (t) => {
  const { url } = await setUp(t)
  const keys: (string | null)[] = []
  const broken: typeof fetch = async (input, init) => {
    keys.push(new Headers(init?.headers).get('idempotency-key'))
    const answer = await fetch(input, init)
    if (keys.length === 1) throw new TypeError('the answer was lost')
    return answer
  }
  const stagecast = new Stagecast({ baseUrl: url, token: token(), fetch: broken })
  const job = await stagecast.execute(2, request())
  // On a busy machine the second job may not be confirmed in time.
  t.ok(keys.length >= 2)
  t.equal(new Set(keys).size, 1)
  t.match(keys[0], /^[0-9a-f]{32}$/)
  t.same(
    (await stagecast.jobs()).jobs.map(({ job_id }) => job_id),
    [job.job_id],
    'one job',
  )
  const stopped = AbortSignal.abort(new Error('enough'))
  await t.rejects(stagecast.execute(2, request(), { signal: stopped }), { message: 'enough' })
})

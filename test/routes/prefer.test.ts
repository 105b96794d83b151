/** `Prefer: wait`: execute returns the state of a job that ends in time. */
import t from 'tap'
import { preferredWait } from '../../routes/prefer.ts'
import { enqueue, execute, get, type Queued, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { cancel, finished } from '../helpers/jobs.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { fail, fakeStageService, silence, succeed, success } from '../helpers/stage-service.ts'

const key = { 'idempotency-key': 'k' }
const body = { workflow_id: '123e4567-e89b-42d3-a456-426614174000' }

t.test('the response has the state of a job that ends in time', async (t) => {
  const service = await fakeStageService(t, succeed({ artifacts: ['a.json'] }))
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const answer = await execute(url, { headers: { ...key, prefer: 'wait=20' }, body })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('preference-applied'), 'wait=20')
  t.equal(answer.headers.get('retry-after'), null)
  const state = (await answer.json()) as { job_id: string }
  t.match(state, { status: 'completed', result: { artifacts: ['a.json'] } })
  const at = answer.headers.get('location') as string
  t.equal(at, `/api/workflow/stages/2/jobs/${state.job_id}/status`)
  t.match(await get(url + at), state)

  for (const wait of ['wait=5', 'wait=0']) {
    const again = await execute(url, { headers: { ...key, prefer: wait }, body })
    t.match([again.status, await again.json()], [200, state], `a repeat, ${wait}`)
    t.equal(again.headers.get('idempotent-replayed'), 'true')
    t.equal(again.headers.get('preference-applied'), wait)
  }
  const plain = await execute(url, { headers: key, body })
  t.match([plain.status, await plain.json()], [202, { job_id: state.job_id, status: 'queued' }])
  t.equal(service.calls.length, 1)

  service.answer = fail(400, 'BAD_QUESTION')
  const failed = await execute(url, { headers: { prefer: 'wait=20' } })
  t.match([failed.status, await failed.json()], [200, { status: 'failed', error: { code: 'BAD_QUESTION' } }])
})

t.test('a job that does not end in time gets the usual 202', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url, LONG_POLL_MAX_SECONDS: '1' })
  const { url } = await startApi(t, env)
  const answer = await execute(url, { headers: { ...key, prefer: 'wait=9999999999' }, body })
  t.equal(answer.status, 202)
  t.equal(answer.headers.get('preference-applied'), null)
  t.equal(answer.headers.get('retry-after'), '1')
  const job = (await answer.json()) as Queued
  t.match(await cancel(url, job), [200, { status: 'cancelled' }])
  const again = await execute(url, { headers: { ...key, prefer: 'wait=9999999999' }, body })
  t.equal(again.headers.get('preference-applied'), 'wait=1', 'at most the maximum wait')
  t.match(await again.json(), { status: 'cancelled' })
})

t.test('a shutdown answers at once', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = closeQuickly(t, await startApi(t, env))
  startWorker(t, env)
  const asked = execute(api.url, { headers: { prefer: 'wait=30' } })
  await service.call(0)
  const closing = api.app.close()
  const answer = await asked
  t.equal(answer.status, 202)
  t.equal(answer.headers.get('preference-applied'), null)
  await closing
})

t.test('the server waits for the given time and serves others meanwhile', async (t) => {
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const asked = execute(url, { headers: { prefer: 'wait=30' } })
  const call = await service.call(0)
  service.answer = succeed()
  const other = await enqueue(url, { stage: 3 })
  t.match(await finished(url, other), { status: 'completed' })
  call.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(success(call)))
  t.equal((await asked).status, 200)
})

t.test('parsing the header', async (t) => {
  for (const [header, seconds] of [
    ['wait=10', 10],
    ['WAIT = "10"', 10],
    ['respond-async, wait=3', 3],
    ['wait=3, wait=4', 3],
    ['wait=3; strict', 3],
    ['handling="a, wait=5", wait=6', 6],
    ['wait=0', 0],
    ['', null],
    ['wait', null],
    ['wait=', null],
    ['wait=soon', null],
    ['wait=-1', null],
    ['wait=1.5', null],
    ['wait=1e3', null],
    ['wait-for=7', null],
    ['"wait=7', null],
    [',,;=', null],
  ] as const)
    t.equal(preferredWait(header), seconds, header)
  const { url } = await startApi(t, await testEnv(t))
  for (const prefer of ['wait=soon', 'wait=', '"', 'return=minimal']) {
    const answer = await execute(url, { headers: { prefer } })
    t.equal(answer.status, 202, `${prefer}: never refused`)
  }
})

/** The OpenAPI document is valid, and describes every route and response correctly. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { workflowName } from '../../journal/order.ts'
import { Stagecast } from '../../packages/client/index.ts'
import {
  authorization,
  type Env,
  enqueue,
  QUESTION,
  type Queued,
  startApi,
  startWorker,
  testEnv,
  token,
} from '../helpers/app.ts'
import { stagesFile } from '../helpers/catalogue.ts'
import { answersOf, type Document, headersOf, Judge, operationsOf } from '../helpers/openapi.ts'
import { becomesReady } from '../helpers/outage.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { type Frame, openStream, type Stream } from '../helpers/sse.ts'
import { fakeStageService, json, silence, success } from '../helpers/stage-service.ts'
import { makeToken } from '../helpers/tokens.ts'
import { eventually, take } from '../helpers/waiting.ts'
import { ScriptedWorkflow } from '../helpers/workflow.ts'

const EXECUTES = Array.from({ length: 20 }, (_, i) => i + 1)
const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const HTTP_METHODS = /^(get|post|delete)$/

t.test('the document is valid', async (t) => {
  const { app } = await startApi(t, await testEnv(t, { CORS_ORIGINS: 'https://a.example' }))
  const response = await app.inject('/openapi.json')
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], 'application/json')
  const document: Document = response.json()
  t.match(document.openapi, /^3\.1\.\d+$/)
  t.match(document.info, { title: 'Stagecast', version: /^\d+\.\d+\.\d+/ })
  t.same(Object.keys(document.paths).sort(), PATHS.sort(), 'every route of the contract, and no other')

  const operations = operationsOf(document)
  const ids = operations.map(({ operationId }) => operationId)
  t.equal(new Set(ids).size, ids.length, 'operation ids are unique')
  const tags = document.tags.map(({ name }) => name)
  const { ajv } = new Judge(document)
  const schemas: object[] = Object.values(document.components.schemas)
  for (const {
    operationId,
    method,
    path,
    parameters = [],
    security = [],
    responses,
    requestBody,
    ...rest
  } of operations) {
    t.match(operationId, /^[a-z][A-Za-z0-9]+$/)
    t.match(method.toLowerCase(), HTTP_METHODS)
    t.ok(rest.tags.length > 0 && rest.tags.every((tag) => tags.includes(tag)), `${operationId}: tags`)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const declared = parameters.filter((one) => one.in === 'path')
    t.same(declared.map(({ name }) => name).sort(), inPath.sort(), `${operationId}: path parameters`)
    t.ok(
      declared.every(({ required }) => required),
      `${operationId}: all of them required`,
    )
    for (const one of security) {
      for (const name of Object.keys(one))
        t.ok(name in document.components.securitySchemes, `${operationId}: ${name}`)
    }
    t.equal(security.length > 0, path.startsWith('/api/'), `${operationId}: needs a token or does not`)
    t.ok(
      Object.keys(responses).some((status) => status.startsWith('2')),
      `${operationId}: can succeed`,
    )
    for (const { description, content = {} } of Object.values(responses)) {
      t.ok(description, `${operationId}: described`)
      schemas.push(...Object.values(content).map(({ schema }) => schema))
    }
    schemas.push(...parameters.map(({ schema }) => schema))
    if (requestBody) schemas.push(...Object.values(requestBody.content).map(({ schema }) => schema))
  }
  for (const schema of schemas) {
    t.ok(ajv.validateSchema(schema), `a schema of 2020-12: ${ajv.errorsText()}`)
  }
  const references = [...response.body.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref as string)
  t.ok(references.length > 0)
  for (const ref of new Set(references)) {
    t.match(ref, /^#\/components\/schemas\/\w+$/)
    t.ok((ref.split('/').at(-1) as string) in document.components.schemas, `${ref} is there`)
  }
  t.notMatch(response.body, '"$id"', 'an $id would be the base of the references below it')
})

t.test('the request schemas match what the API accepts', async (t) => {
  const api = await startApi(t, await testEnv(t))
  await becomesReady(api.url)
  const judge = new Judge((await api.app.inject('/openapi.json')).json())
  const good = { workflow_id: randomUUID(), research_question: QUESTION }
  const bodies: unknown[] = [
    good,
    { workflow_id: good.workflow_id },
    { ...good, x: 1 },
    { ...good, workflow_id: 1 },
    { ...good, research_question: 'too short' },
    { ...good, research_question: ' '.repeat(20) },
    { ...good, inputs: { max_results: 201 } },
    { ...good, inputs: { max_results: 5 } },
    { ...good, inputs: { anything: ['goes'] } },
    [],
    null,
  ]
  for (const stage of [2, 3]) {
    const path = `/api/workflow/stages/${stage}/execute`
    const validate = judge.at(['paths', path, 'post', 'requestBody', 'content', 'application/json', 'schema'])
    for (const body of bodies) {
      const headers = { ...authorization(), 'content-type': 'application/json' }
      const { statusCode } = await api.app.inject({
        method: 'POST',
        url: path,
        headers,
        payload: JSON.stringify(body),
      })
      t.equal(statusCode, validate(body) ? 202 : 400, `stage ${stage}: ${JSON.stringify(body)}`)
    }
  }
})

t.test('the inputs of a catalogue are documented as they are validated', async (t) => {
  const inputs = {
    type: 'object',
    properties: { picture: { type: 'string', contentEncoding: 'base64', contentMediaType: 'image/png' } },
    patternProperties: { '^n_': { type: 'number' }, '^t_': { type: 'string', minLength: 2 } },
    additionalProperties: false,
  }
  const api = await startApi(
    t,
    await testEnv(t, { STAGES_FILE: await stagesFile(t, [{ stage: 300, inputs }]) }),
  )
  await becomesReady(api.url)
  const document: Document = (await api.app.inject('/openapi.json')).json()
  t.match(document.components.schemas.Stage300Inputs, inputs, 'no keyword is lost')
  const path = '/api/workflow/stages/300/execute'
  const where = ['paths', path, 'post', 'requestBody', 'content', 'application/json', 'schema']
  const validate = new Judge(document).at(where)
  const answers = new Set<number>()
  for (const one of [{}, { n_a: 1 }, { n_a: 'x' }, { t_a: 'xy' }, { t_a: 1 }, { t_a: 'x' }, { other: 1 }]) {
    const body = { workflow_id: randomUUID(), inputs: one }
    const headers = { ...authorization(), 'content-type': 'application/json' }
    const { statusCode } = await api.app.inject({ method: 'POST', url: path, headers, payload: body })
    t.equal(statusCode, validate(body) ? 202 : 400, JSON.stringify(one))
    answers.add(statusCode)
  }
  t.equal(answers.size, 2)
})

t.test('every response of every route is as documented', async (t) => {
  const service = await fakeStageService(t, (call) =>
    call.body.user_id === 'slow'
      ? silence(call)
      : // A job of a run completes only with hashes of its files, and one of these cannot be read.
        json(200, success(call, { artifacts: call.body.run_id ? [] : ['a.json', 'odd'] }))(call),
  )
  service.onGet = (url, response) => {
    const { range, 'if-none-match': tag } = response.req.headers
    if (url.endsWith('/odd')) return response.writeHead(500).end()
    if (tag) return response.writeHead(304).end()
    if (range === 'bytes=9-') return response.writeHead(416).end()
    const part = { 'content-type': 'text/plain', 'content-range': 'bytes 1-1/2' }
    if (range) return response.writeHead(206, part).end('b')
    return response.writeHead(200, { 'content-type': 'application/json', etag: '"a"' }).end('{}')
  }
  // Two jobs of one stage run side by side: a worker keeps one slot for the other stages.
  const env: Env = await testEnv(t, { WORKER_URL: service.url, STAGE_WORKER_CONCURRENCY: '3' })
  const [main, limited, keyless, redisless] = await Promise.all([
    startApi(t, env),
    startApi(t, { ...env, RATE_LIMIT_PER_MINUTE: '1' }),
    startApi(t, { ...env, JWT_SECRET: '', JWT_JWKS_URL: 'http://127.0.0.1:9/keys' }),
    startApi(t, { ...env, REDIS_URL: 'unix:///nowhere/redis.sock' }),
  ])
  await becomesReady(main.url)
  const document: Document = (await main.app.inject('/openapi.json')).json()
  const judge = new Judge(document)

  const waiting = await enqueue(main.url)
  await fetch(main.url + waiting.urls.cancel, { method: 'POST', headers: authorization() })
  const worker = startWorker(t, env)
  const workflow_id = randomUUID()
  const done = await enqueue(main.url, { body: { workflow_id } })
  const cancelled = await enqueue(main.url, { user: 'slow', stage: 3 })
  const running = await enqueue(main.url, { user: 'slow', stage: 3 })
  const end = (await (await openStream(main.url + done.urls.events)).rest()).at(-1)
  await service.call(2)
  const nowhere = { job_id: randomUUID(), workflow_id: randomUUID() }
  const alice = authorization()
  const slow = authorization('slow')
  const admin = { authorization: `Bearer ${token('alice', { scope: 'admin' })}` }
  const foreign = { authorization: `Bearer ${makeToken({ header: { alg: 'HS256' }, key: 'x'.repeat(40) })}` }
  const typed = { 'content-type': 'application/json' }
  const of = ({ job_id }: Pick<Queued, 'job_id'>, stage = 2) => ({
    stage: String(stage),
    ...{ job_id, workflow_id, run_id: randomUUID() },
  })

  const driven = new Set<string>()
  const given = new Set<string>()
  interface Drive {
    at?: { url: string }
    path?: Record<string, string>
    query?: string
    headers?: Record<string, string>
    body?: string
  }
  async function drive(
    id: string,
    status: number,
    { at = main, path = {}, query = '', headers, body }: Drive,
  ) {
    const operation = judge.operation(id)
    const filled = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name] ?? ''))
    const response = await fetch(`${at.url}${filled}${query}`, {
      method: operation.method,
      headers: headers ?? {},
      ...(body !== undefined && { body }),
    })
    // Read a live stream up to its first event.
    const live = response.headers.get('content-type')?.startsWith('text/event-stream')
    const text = live ? await firstEvent(response) : await response.text()
    t.equal(response.status, status, `${id} gives ${status}: ${text.slice(0, 200)}`)
    const { answer, faults } = judge.judge(id, response.status, response.headers.get('content-type'), text)
    t.same(faults, [], `${id} ${status} is as documented`)
    driven.add(answer)
    for (const name of response.headers.keys()) given.add(`${id} ${status} ${name}`)
    if (status === 429 || status === 503)
      t.ok(response.headers.has('retry-after'), `${id} ${status} says when`)
    return text
  }

  await drive('getLiveness', 200, {})
  await drive('getReadiness', 200, {})
  await drive('getReadiness', 503, { at: redisless })
  await drive('listStages', 200, { headers: alice })
  await drive('getMe', 200, { headers: alice })

  for (const stage of EXECUTES) {
    const id = `executeStage${stage}`
    const body = JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION })
    const keyed = { ...alice, ...typed, 'idempotency-key': `key-${stage}` }
    await drive(id, 202, { headers: keyed, body })
    await drive(id, 202, { headers: keyed, body })
    await drive(id, 422, { headers: keyed, body: body.replace('What', 'That') })
    await drive(id, 503, { at: redisless, headers: keyed, body })
  }
  const bodies = operationsOf(document).filter(({ method }) => method !== 'GET')
  for (const { operationId: id, path: template } of bodies) {
    const path = of(done)
    const user = template.includes('/admin/') ? admin : alice
    await drive(id, 400, { path, headers: { ...user, ...typed }, body: '{' })
    await drive(id, 413, { path, headers: { ...user, ...typed }, body: `"${'x'.repeat(300_000)}"` })
    await drive(id, 415, { path, headers: { ...user, 'content-type': 'text/csv' }, body: 'x' })
  }

  await drive('getJobStatus', 200, { path: of(done), headers: alice })
  await drive('getJobStatus', 200, { path: of(waiting), headers: alice })
  await drive('getJobStatus', 200, { path: of(running, 3), headers: slow })
  await drive('getJobStatus', 304, { path: of(done), headers: { ...alice, 'if-none-match': '*' } })
  const all = { ...slow, 'if-none-match': '*' }
  await drive('getJobStatus', 304, { path: of(running, 3), headers: all })
  await drive('getJobStatus', 400, { path: of(done), query: '?wait=31', headers: alice })

  await drive('listJobs', 200, { headers: alice })
  await drive('listJobs', 403, { query: '?owner=bob', headers: alice })
  await drive('listJobs', 400, { query: '?limit=0', headers: alice })

  const page = await drive('getJobEventsPage', 200, { path: of(done), headers: alice })
  await drive('getJobEventsPage', 400, { path: of(done), query: '?after=x', headers: alice })
  await drive('getJobEventsPage', 401, { path: of(done), query: '?ticket=x' })
  const stream = await drive('getJobEvents', 200, { path: of(done), headers: alice })
  const validate = judge.at(['components', 'schemas', 'JobEvent'])
  const [, event, data] = /event: (\w+)\ndata: (.*)\n/.exec(stream) ?? []
  const first = JSON.parse(page).events[0]
  t.ok(validate({ id: first.id, event, data: JSON.parse(data ?? '') }), 'the stream has the same events')
  const streamed = judge.at([
    'paths',
    `${JOB}/events`,
    'get',
    'responses',
    '200',
    'content',
    'text/event-stream',
    'schema',
  ])
  t.ok(streamed(JSON.parse(data ?? '')), 'whose data are as documented')
  t.notOk(streamed({}), 'but does not accept arbitrary data')
  const after = `?after=${end?.id}`
  await drive('getJobEvents', 204, { path: of(done), query: after, headers: alice })
  await drive('getJobEvents', 400, { path: of(done), query: '?after=x', headers: alice })
  await drive('getJobEvents', 406, { path: of(done), headers: { ...alice, accept: 'image/png' } })
  await drive('getJobEvents', 401, { path: of(done), query: '?ticket=x' })

  const whole = await drive('getWorkflowEventsPage', 200, { path: { workflow_id }, headers: alice })
  const bad = { path: { workflow_id }, query: '?after=x', headers: alice }
  await drive('getWorkflowEventsPage', 400, bad)
  await drive('getWorkflowEventsPage', 401, { path: { workflow_id }, query: '?ticket=x' })
  await drive('getWorkflowEvents', 200, { path: { workflow_id }, headers: alice })
  await drive('getWorkflowEvents', 400, { path: { workflow_id }, query: '?after=x', headers: alice })
  await drive('getWorkflowEvents', 406, { path: { workflow_id }, headers: { ...alice, accept: 'image/png' } })
  await drive('getWorkflowEvents', 401, { path: { workflow_id }, query: '?ticket=x' })
  await drive('createWorkflowTicket', 201, { path: { workflow_id }, headers: alice })
  for (const operation of ['getWorkflowEvents', 'getWorkflowEventsPage', 'createWorkflowTicket'])
    await drive(operation, 403, { path: { workflow_id }, query: '?owner=bob', headers: alice })
  t.same(
    JSON.parse(whole).events.map(({ event, data }: { event: string; data: unknown }) => [event, data]),
    JSON.parse(page).events.map(({ event, data }: { event: string; data: unknown }) => [event, data]),
    'the workflow of one job has the events of that job',
  )

  await drive('createTicket', 201, { path: of(done), headers: alice })
  await drive('cancelJob', 200, { path: of(waiting), headers: alice })
  await drive('cancelJob', 202, { path: of(cancelled, 3), headers: slow })
  await drive('cancelJob', 409, { path: of(done), headers: alice })

  const again = { ...alice, 'idempotency-key': 'again' }
  await drive('retryJob', 202, { path: of(waiting), headers: again })
  await drive('retryJob', 202, { path: of(waiting), headers: again })
  await drive('retryJob', 409, { path: of(done), headers: alice })
  await drive('retryJob', 422, { path: of(waiting), headers: { ...alice, 'idempotency-key': 'key-2' } })
  const inTime = { ...again, prefer: 'wait=30' }
  await drive('retryJob', 200, { path: of(waiting), headers: inTime })

  for (const stage of EXECUTES) {
    const body = JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION })
    const patient = { ...alice, ...typed, 'idempotency-key': `wait-${stage}`, prefer: 'wait=30' }
    await drive(`executeStage${stage}`, 200, { headers: patient, body })
    await drive(`executeStage${stage}`, 200, { headers: patient, body })
  }

  const file = { ...of(done), name: 'a.json' }
  await drive('getArtifact', 200, { path: file, headers: alice })
  await drive('getArtifact', 206, { path: file, headers: { ...alice, range: 'bytes=1-1' } })
  await drive('getArtifact', 304, { path: file, headers: { ...alice, 'if-none-match': '"a"' } })
  await drive('getArtifact', 416, { path: file, headers: { ...alice, range: 'bytes=9-' } })
  await drive('getArtifact', 502, { path: { ...file, name: 'odd' }, headers: alice })
  await drive('getArtifact', 404, { path: { ...file, name: 'b.json' }, headers: alice })

  const stays = await enqueue(main.url, { user: 'slow', stage: 3, body: { workflow_id } })
  await drive('deleteJob', 409, { path: of(stays, 3), headers: slow })
  await drive('deleteWorkflow', 409, { path: { workflow_id }, headers: slow })
  await drive('deleteWorkflow', 403, { path: { workflow_id }, query: '?owner=bob', headers: slow })
  const goes = { workflow_id: randomUUID() }
  const ended = await enqueue(main.url, { body: goes })
  await (await openStream(main.url + ended.urls.events)).rest()
  await drive('deleteJob', 204, { path: of(ended), headers: alice })
  await drive('deleteWorkflow', 204, { path: goes, headers: alice })

  const stages = { 'content-type': 'application/json', 'idempotency-key': 'run' }
  const run = { path: { workflow_id: randomUUID() }, headers: { ...alice, ...stages } }
  const wanted = JSON.stringify({ stages: [5, 6], inputs: { 6: { a: 1 } } })
  await drive('startRun', 422, { ...run, body: JSON.stringify({ stages: [10] }) })
  await drive('startRun', 200, { ...run, query: '?plan=true', body: wanted })
  await drive('startRun', 503, { ...run, at: redisless, body: wanted })
  const started = JSON.parse(await drive('startRun', 202, { ...run, body: wanted }))
  await drive('startRun', 202, { ...run, body: wanted })
  const path = { ...run.path, run_id: started.run_id, stage: '5' }
  const next = { path, query: '?after=0000000000000001&wait=0', headers: alice }
  await drive('getRun', 304, { ...next, headers: { ...alice, 'if-none-match': '*' } })
  const atGate = await eventually(
    'the run waits',
    async () => {
      const found = JSON.parse(await drive('getRun', 200, next))
      return found.status === 'waiting' ? found : null
    },
    60_000,
  )
  await drive('getRun', 400, { path, query: '?wait=31', headers: alice })
  await drive('listSignOffs', 200, { headers: alice })
  await drive('listSignOffs', 400, { query: '?limit=0', headers: alice })
  await drive('listRuns', 200, { headers: alice })
  await drive('listRuns', 400, { query: '?limit=0', headers: alice })
  await drive('listRuns', 403, { query: '?owner=bob', headers: alice })
  await drive('listWorkflowRuns', 200, { path, headers: alice })
  await drive('listWorkflowRuns', 400, { path, query: '?limit=0', headers: alice })
  await drive('listWorkflowRuns', 403, { path, query: '?owner=bob', headers: alice })
  const { digest } = atGate.steps[0].sign_off
  const sign = (verdict: string, more = {}) => ({
    ...{ path, headers: { ...alice, ...typed }, body: JSON.stringify({ verdict, digest, ...more }) },
  })
  await drive('signOff', 409, { ...sign('approved'), path: { ...path, stage: '6' } })
  await drive('signOff', 200, sign('approved'))
  await drive('signOff', 409, sign('rejected', { reason: 'too late' }))
  await drive('signOff', 404, { ...sign('approved'), path: { ...path, run_id: randomUUID() } })
  await drive('signOff', 503, { ...sign('approved'), at: redisless })
  const scoped = await startApi(t, { ...env, SIGN_OFF_SCOPE: 'sign' })
  await drive('signOff', 403, { ...sign('approved'), at: scoped })
  await drive('cancelRun', 409, { path, headers: alice })
  const other = { ...run, headers: { ...slow, ...typed } }
  const held = JSON.parse(await drive('startRun', 202, { ...other, body: wanted }))
  await drive('startRun', 409, { ...other, body: wanted })
  const heldPath = { ...path, run_id: held.run_id }
  await drive('getRun', 200, { path: heldPath, headers: slow })
  await eventually(
    'its job is called',
    () => service.calls.some(({ body }) => body.run_id === held.run_id),
    60_000,
  )
  // The status is 202, or 200 if the worker was faster.
  await fetch(`${main.url}/api/workflow/workflows/${path.workflow_id}/runs/${held.run_id}/cancel`, {
    ...{ method: 'POST', headers: slow },
  })
  await eventually(
    'it is cancelled',
    async () => {
      const found = JSON.parse(await drive('getRun', 200, { path: heldPath, headers: slow }))
      return found.status === 'cancelled'
    },
    60_000,
  )
  await drive('cancelRun', 200, { path: heldPath, headers: slow })

  await drive('getOverview', 200, { headers: admin })
  await drive('getOverview', 403, { headers: alice })
  await drive('getOverview', 503, { at: redisless, headers: admin })
  await drive('getHistory', 200, { headers: admin })
  await drive('getHistory', 400, { query: '?hours=25', headers: admin })
  await drive('getHistory', 403, { headers: alice })
  await drive('getHistory', 503, { at: redisless, headers: admin })
  for (const id of ['pauseQueue', 'resumeQueue']) {
    await drive(id, 200, { headers: admin })
    await drive(id, 403, { headers: alice })
    await drive(id, 503, { at: redisless, headers: admin })
  }

  // Responses that every route with a token can give.
  await fetch(`${limited.url}/api/workflow/stages`, { headers: alice })
  const rs256 = {
    authorization: `Bearer ${makeToken({ header: { alg: 'RS256' }, payload: '{}', key: KEY })}`,
  }
  for (const { operationId: id, path: template, security } of operationsOf(document)) {
    if (!security?.length) continue
    const path = { ...of(done), name: 'a.json' }
    await drive(id, 401, { path })
    await drive(id, 401, { path, headers: foreign })
    await drive(id, 429, { at: limited, path, headers: template.includes('/admin/') ? admin : alice })
    await drive(id, 503, { at: keyless, path, headers: rs256 })
    if (['listJobs', 'listRuns', 'listSignOffs', 'listWorkflowRuns'].includes(id))
      await drive(id, 503, { at: redisless, path, headers: alice })
    if (!template.includes('{')) continue
    // Routes with a body were called above, and a list of runs may be empty.
    const isOfRuns = ['startRun', 'signOff', 'listWorkflowRuns'].includes(id)
    if (!isOfRuns) {
      await drive(id, 503, { at: redisless, path, headers: alice })
      await drive(id, 404, { path: { ...path, ...nowhere }, headers: alice })
      await drive(id, 404, { path, headers: authorization('bob') })
    }
    if (template.includes('{workflow_id}'))
      await drive(id, 404, { path: { workflow_id: 'x' }, headers: alice })
    if (!template.includes('{job_id}')) continue
    await drive(id, 404, { path: { ...path, stage: '99' }, headers: alice })
    await drive(id, 404, { path: { ...path, job_id: 'x' }, headers: alice })
  }

  for (const { operationId: id } of operationsOf(document)) {
    const headers = { 'x-long': 'x'.repeat(20_000) }
    await drive(id, 431, { path: { ...of(done), workflow_id: randomUUID(), name: 'a.json' }, headers })
  }

  t.same(
    // test/faults/idempotency.slow.test.ts covers the 410 of a deleted job.
    answersOf(document).filter((answer) => !driven.has(answer) && !/ 410 |^cancelRun 202/.test(answer)),
    [],
    'every documented response was seen',
  )
  t.same(
    headersOf(document).filter((header) => !given.has(header)),
    [],
    'and so was every header',
  )
  await worker.close(500)
})

t.test('every frame of a stream is as documented', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  const judge = new Judge((await api.app.inject('/openapi.json')).json())
  const judged = judgeFrames(t, judge)
  const workflow = new ScriptedWorkflow(api)
  const job = await workflow.running(1)
  const [ofJob, ofAll] = [await openStream(job.events), await workflow.watch()]
  const error = { code: 'PASSING', message: 'once more', retryable: true, attempt: 1 }
  await job.write([{ type: 'retrying', error }])
  await job.begin()
  await job.complete({ found: 3 })
  const whole = ['queued', 'active', 'progress', 'retrying', 'active', 'completed']
  t.same(judged(await ofJob.rest(), 'Job', 'JobSnapshot'), whole)
  t.same(judged(await take(ofAll, whole.length), 'Workflow', 'WorkflowGap'), whole)
  const failing = await workflow.running(0)
  await failing.fail()
  judged(await (await openStream(failing.events)).rest(), 'Job', 'JobSnapshot')
  const cancelled = await workflow.queued()
  await fetch(api.url + cancelled.urls.cancel, { method: 'POST', headers: authorization('alice') })
  const last = await (await openStream(cancelled.events)).rest()
  t.same(judged(last, 'Job', 'JobSnapshot'), ['queued', 'cancelled'])

  const lost = await (await openStream(job.events, { lastEventId: '9999' })).rest()
  t.same(judged(lost, 'Job', 'JobSnapshot'), ['gap', 'completed'])
  t.same(judged(await take(await workflow.watch('0000000000000001'), 1), 'Workflow', 'WorkflowGap'), ['gap'])

  const [watched, all] = [await workflow.queued(), await workflow.watch()]
  const stream = await openStream(watched.events)
  t.same(judged(await framesUntil(stream, 'hint'), 'Job', 'JobSnapshot'), ['queued', 'hint'])
  t.match(judged(await framesUntil(all, 'hint'), 'Workflow', 'WorkflowGap').at(-1), 'hint')
  await api.app.stagecast.queue.discard(watched.id)
  t.equal(judged(await stream.rest(), 'Job', 'JobSnapshot').at(-1), 'gone')
  await api.app.stagecast.redis.del(workflow.order)
  const feed = api.app.stagecast.workflows.get(workflowName('alice', workflow.id))
  if (feed) api.app.stagecast.workflows.catchUp(feed)
  t.equal(judged(await all.rest(), 'Workflow', 'WorkflowGap').at(-1), 'gone')

  const { data } = last[0] as Frame
  const wrong = judge.at(['components', 'schemas', 'JobEvent'])
  t.notOk(wrong({ id: '000000000000', event: 'completed', data }), 'completed has a result')
  t.notOk(wrong({ id: '000000000000', event: 'failed', data }), 'failed has an error')
})

t.test('the events of a run are as documented, in the stream and on the page', async (t) => {
  const service = await fakeStageService(t)
  const stages = await stagesFile(t, [{ stage: 1 }, { stage: 2, needs: [1], sign_off: true }])
  const env = await testEnv(t, { WORKER_URL: service.url, STAGES_FILE: stages })
  const api = await startApi(t, env)
  startWorker(t, env)
  const document = (await api.app.inject('/openapi.json')).json()
  const judge = new Judge(document)
  const { runs } = new Stagecast({ baseUrl: api.url, token: token() })
  const started = await runs.start(randomUUID(), { stages: [1, 2] })
  const stream = await openStream(api.url + started.urls.events)
  let run = await runs.get(started)
  while (run.status === 'running') run = await runs.get(run, { after: run.cursor, wait: 20 })
  const { digest = '' } = run.steps[1]?.sign_off ?? {}
  await runs.signOff(run, 2, { verdict: 'rejected', digest, reason: 'too thin' })

  const frames: Frame[] = []
  for await (const frame of stream) {
    if (frame.id) frames.push(frame)
    if ((frame.data as { status?: string } | undefined)?.status === 'rejected') break
  }
  const told = judgeFrames(t, judge)(frames, 'Workflow', 'WorkflowGap')
  t.same([...new Set(told)].sort(), ['active', 'completed', 'progress', 'queued', 'run', 'sign_off'])
  const url = `${api.url}/api/workflow/workflows/${run.workflow_id}/events/page`
  const page = await (await fetch(url, { headers: authorization() })).json()
  const validate = judge.at(['components', 'schemas', 'WorkflowEventPage'])
  t.ok(validate(page), judge.ajv.errorsText(validate.errors))
  t.equal((page as { events: unknown[] }).events.length, frames.length)
})

t.test('the page that shows the document', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  const page = await app.inject('/docs')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], 'text/html')
  const scripts = [...page.body.matchAll(/src="([^"]+\.js)"/g)].map(([, src]) => src as string)
  t.ok(scripts.length > 0)
  for (const src of scripts) {
    const url = new URL(src, 'http://x/docs/').pathname
    t.equal((await app.inject(url)).statusCode, 200, `${url} comes from here, not from elsewhere`)
  }
})

const JOB = '/api/workflow/stages/{stage}/jobs/{job_id}'
const PATHS = [
  '/health/live',
  '/health/ready',
  '/api/workflow/stages',
  '/api/workflow/me',
  '/api/admin/overview',
  '/api/admin/history',
  '/api/admin/queue/pause',
  '/api/admin/queue/resume',
  '/api/workflow/jobs',
  '/api/workflow/runs',
  '/api/workflow/sign-offs',
  '/api/workflow/workflows/{workflow_id}/runs',
  '/api/workflow/workflows/{workflow_id}/runs/{run_id}',
  '/api/workflow/workflows/{workflow_id}/runs/{run_id}/cancel',
  '/api/workflow/workflows/{workflow_id}/runs/{run_id}/steps/{stage}/sign-off',
  JOB,
  '/api/workflow/workflows/{workflow_id}',
  ...EXECUTES.map((stage) => `/api/workflow/stages/${stage}/execute`),
  ...['events', 'events/page', 'tickets'].map((path) => `/api/workflow/workflows/{workflow_id}/${path}`),
  ...['status', 'events', 'events/page', 'cancel', 'retry', 'tickets', 'artifacts/{name}'].map(
    (path) => `${JOB}/${path}`,
  ),
]

/** Checks each frame against the schema of its type, and its data against the route's schemas. Returns the types. */
function judgeFrames(t: Test, judge: Judge) {
  const fits = (name: string, value: unknown) => {
    const validate = judge.at(['components', 'schemas', name])
    t.ok(validate(value), `${name}: ${judge.ajv.errorsText(validate.errors)}`)
  }
  return (frames: Frame[], owner: 'Job' | 'Workflow', gap: string) => {
    for (const { event = '', data, ...rest } of frames) {
      const own: Record<string, string> = { gap, gone: `${owner}Gone`, hint: 'Hint' }
      const name = event.replace(/(^|_)[a-z]/g, (found) => found.replace('_', '').toUpperCase())
      if (own[event]) fits(own[event], data)
      else {
        fits(`${owner}${name}Event`, { ...rest, event, data })
        fits(`${owner}Event`, { ...rest, event, data })
      }
      fits(`${owner}StreamData`, data)
    }
    return frames.map(({ event }) => event)
  }
}

/** All frames with an event, including hints, up to the first one of this type. */
async function framesUntil(stream: Stream, type: string): Promise<Frame[]> {
  const seen: Frame[] = []
  const source = stream[Symbol.asyncIterator]()
  for (let next = await source.next(); !next.done; next = await source.next()) {
    if (next.value.event) seen.push(next.value)
    if (next.value.event === type) return seen
  }
  throw new Error(`the stream ended without ${type}`)
}

async function firstEvent(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    if (/\ndata: .*\n\n/.test(text)) break
  }
  return text
}

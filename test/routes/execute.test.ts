/** Execute: accepted and refused requests, and repeats, which never run a job twice. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import {
  authorization,
  enqueue,
  execute,
  get,
  QUESTION,
  startApi,
  startWorker,
  type TestApi,
  testEnv,
} from '../helpers/app.ts'
import { answered, injected, isProblem } from '../helpers/problem.ts'
import { openQueue } from '../helpers/queue.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService } from '../helpers/stage-service.ts'

const WORKFLOW = '123e4567-e89b-12d3-a456-426614174000'

t.test('each of the 20 stages accepts a job', async (t) => {
  const env = await testEnv(t)
  const api = await startApi(t, env)
  const queue = openQueue(t, env)
  for (let stage = 1; stage <= 20; stage += 1) {
    const before = Date.now()
    const response = await execute(api.url, { stage, body: { workflow_id: WORKFLOW, inputs: {} } })
    t.equal(response.status, 202, `stage ${stage}`)
    const body = (await response.json()) as Record<string, unknown> & { urls: { events: string } }
    const base = `/api/workflow/stages/${stage}/jobs/${body.job_id}`
    t.equal(response.headers.get('location'), `${base}/status`)
    t.equal(response.headers.get('retry-after'), '1')
    t.equal(response.headers.get('idempotent-replayed'), null)
    const { urls, ...rest } = body
    t.strictSame(rest, {
      success: true,
      job_id: body.job_id,
      stage,
      workflow_id: WORKFLOW,
      status: 'queued',
      message: `Stage ${stage} execution job has been queued`,
    })
    t.match(urls, { status: `${base}/status`, cancel: `${base}/cancel` })
    t.ok(urls.events.startsWith(`${base}/events?ticket=`))
    t.equal((await fetch(api.url + urls.events, { headers: { accept: 'application/json' } })).status, 200)

    const job = await queue.getJob(body.job_id as string)
    t.equal(job?.name, `stage-${stage}-execute`)
    t.match(job?.opts, { attempts: 3, backoff: { type: 'exponential', delay: 50 } })
    const { timestamp, ...data } = job?.data ?? {}
    t.strictSame(data, {
      stage,
      job_id: body.job_id,
      workflow_id: WORKFLOW,
      research_question: QUESTION,
      user_id: 'alice',
      inputs: {},
    })
    t.ok(timestamp >= before && timestamp <= Date.now())
  }
})

t.test('only stage 2 requires a question', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const body = { workflow_id: WORKFLOW }
  t.equal((await post(api, body, 3)).status, 202)
  const problem = isProblem(t, await post(api, body, 2), 'VALIDATION_FAILED')
  t.match(problem.errors, [{ path: 'body/research_question' }])
})

t.test('valid and invalid questions', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const ask = (research_question: unknown) => post(api, { workflow_id: WORKFLOW, research_question })
  const good = [
    'x'.repeat(10),
    'x'.repeat(4000),
    '🔬'.repeat(4000),
    `\n\t ${'x'.repeat(8)}`,
    'Why?\r\nBecause…',
    '中文'.repeat(5),
  ]
  for (const question of good) {
    const { status, text } = await ask(question)
    t.equal(status, 202, JSON.stringify(question.slice(0, 20)))
    const stored = await get<{ data: { research_question: string } }>(api.url + JSON.parse(text).urls.status)
    t.equal(stored.data.research_question, question, 'the question is returned unchanged')
  }
  const bad = [
    'x'.repeat(9),
    'x'.repeat(4001),
    '🔬'.repeat(4001),
    ' '.repeat(20),
    '\n\t\u00a0\u3000\ufeff'.repeat(4),
    'a NUL \u0000 in it',
    'a lone \ud800 surrogate',
    'a lone \udc00 surrogate',
    1234567890,
    12,
    null,
    true,
    [QUESTION],
    { question: QUESTION },
  ]
  for (const question of bad) {
    const about = JSON.stringify(question)?.slice(0, 40)
    const { errors } = isProblem(t, await ask(question), 'VALIDATION_FAILED', about)
    t.equal(errors?.[0]?.path, 'body/research_question', about)
    t.notMatch(errors?.map(({ message }) => message).join(), /pattern/, 'a pattern is described in words')
  }
})

t.test('invalid bodies are refused with their faults', async (t) => {
  const env = await testEnv(t)
  const api = await startApi(t, env)
  const good = { workflow_id: WORKFLOW, research_question: QUESTION }
  const invalid: Record<string, [body: unknown, path: string]> = {
    'an unknown field': [{ ...good, priority: 1 }, 'body/priority'],
    'a field of the answer': [{ ...good, job_id: randomUUID() }, 'body/job_id'],
    'a number as id': [{ ...good, workflow_id: 123 }, 'body/workflow_id'],
    'a text as id': [{ ...good, workflow_id: 'nine' }, 'body/workflow_id'],
    'a urn as id': [{ ...good, workflow_id: `urn:uuid:${WORKFLOW}` }, 'body/workflow_id'],
    'an id in braces': [{ ...good, workflow_id: `{${WORKFLOW}}` }, 'body/workflow_id'],
    'an id with a line end': [{ ...good, workflow_id: `${WORKFLOW}\n` }, 'body/workflow_id'],
    'null as id': [{ ...good, workflow_id: null }, 'body/workflow_id'],
    'no id': [{ research_question: QUESTION }, 'body/workflow_id'],
    'a list': [[good], 'body'],
    'an empty list': [[], 'body'],
    nothing: ['', 'body'],
    null: [null, 'body'],
    'a text': ['"x"', 'body'],
    'a number': [7, 'body'],
    'inputs as text': [{ ...good, inputs: '{}' }, 'body/inputs'],
    'inputs as list': [{ ...good, inputs: [] }, 'body/inputs'],
    'inputs null': [{ ...good, inputs: null }, 'body/inputs'],
    'a NUL deep in the inputs': [{ ...good, inputs: { a: [{ b: 'x\u0000' }] } }, 'body/inputs/a/0/b'],
    'a NUL in a name': [{ ...good, inputs: { 'x\u0000': 1 } }, 'body/inputs'],
    'a surrogate in the inputs': [{ ...good, inputs: { a: '\udfff' } }, 'body/inputs/a'],
    'a number beyond numbers': [`{"workflow_id":"${WORKFLOW}","inputs":{"a":1e999}}`, 'body/inputs/a'],
  }
  for (const [about, [body, path]] of Object.entries(invalid)) {
    const { errors } = isProblem(t, await post(api, body, 3), 'VALIDATION_FAILED', about)
    t.ok(
      errors?.some((one) => one.path === path),
      `${about}: ${JSON.stringify(errors)}`,
    )
  }
  const several = isProblem(
    t,
    await post(api, { workflow_id: 1, research_question: 2, x: 3 }),
    'VALIDATION_FAILED',
  )
  t.equal(several.errors?.length, 3, 'all faults at once')

  const deep = `{"workflow_id":"${WORKFLOW}","inputs":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`
  isProblem(t, await post(api, deep, 3), 'VALIDATION_FAILED', 'nested without end')
  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })
  t.equal((await post(api, { ...good, inputs: nested(25) }, 3)).status, 202, 'nested reasonably')

  const unreadable: Record<string, string | Buffer> = {
    'no JSON': 'workflow_id=1',
    'half of it': '{"workflow_id":',
    'two documents': '{}{}',
    'a NUL between': '{"workflow_id"\u0000:1}',
    'invalid UTF-8': Buffer.from(
      `{"workflow_id":"${WORKFLOW}","research_question":"gärten und blumen"}`,
      'latin1',
    ),
    'UTF-8 cut short': Buffer.from([...Buffer.from('{"workflow_id":"'), 0xe2, 0x82]),
    __proto__: `{"workflow_id":"${WORKFLOW}","inputs":{"__proto__":{"a":1}}}`,
    '__proto__ in disguise': `{"workflow_id":"${WORKFLOW}","\\u005f_proto__":{"a":1}}`,
    'constructor.prototype': `{"workflow_id":"${WORKFLOW}","inputs":{"constructor":{"prototype":{"a":1}}}}`,
  }
  for (const [about, body] of Object.entries(unreadable)) {
    isProblem(t, await post(api, body, 3), 'BAD_REQUEST', about)
  }
  t.equal(Object.hasOwn(Object.prototype, 'a'), false)

  for (const type of [
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'x',
  ]) {
    const headers = { 'content-type': type }
    isProblem(t, await post(api, JSON.stringify(good), 3, headers), 'UNSUPPORTED_MEDIA_TYPE', type)
  }
  const utf8 = { 'content-type': 'application/json; charset=utf-8' }
  t.equal((await post(api, JSON.stringify(good), 3, utf8)).status, 202)

  const large = { ...good, inputs: { a: 'x'.repeat(262_144) } }
  isProblem(t, await post(api, large, 3), 'PAYLOAD_TOO_LARGE')
  const counts = await openQueue(t, env).getJobCounts()
  t.equal(counts.prioritized, 2, 'only the two valid requests were queued')
})

t.test('the options of stage 2 are typed', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const ask = (inputs: unknown) => post(api, { workflow_id: WORKFLOW, research_question: QUESTION, inputs })
  const all = {
    sources: ['sample'],
    max_results: 200,
    year_from: 1990,
    year_to: 2024,
    study_types: ['cohort', 'randomized_controlled_trial'],
    include_keywords: ['fasting'],
    exclude_keywords: ['mice'],
    language: 'en',
    require_abstract: true,
  }
  const { status, text } = await ask(all)
  t.equal(status, 202, text)
  const stored = await get<{ data: { inputs: unknown } }>(api.url + JSON.parse(text).urls.status)
  t.strictSame(stored.data.inputs, all, 'nothing added, nothing dropped')
  const bare = await get<{ data: { inputs: unknown } }>(
    api.url + JSON.parse((await ask({})).text).urls.status,
  )
  t.strictSame(bare.data.inputs, {}, 'no default is added to the request')
  const bad: Record<string, unknown>[] = [
    { max_results: 0 },
    { max_results: 201 },
    { max_results: '25' },
    { max_results: 2.5 },
    { sources: ['altavista'] },
    { sources: [] },
    { sources: 'sample' },
    { sources: ['sample', 'sample'] },
    { year_from: '1990' },
    { study_types: ['anecdote'] },
    { include_keywords: [' '] },
    { language: 'english' },
    { require_abstract: 1 },
    { temperature: 1 },
    { year_from: 2021, year_to: 2020 },
    { sources: ['sample', 'europepmc'] },
    { sources: ['crossref'] },
  ]
  for (const inputs of bad) {
    const [name] = Object.keys(inputs)
    const { errors } = isProblem(t, await ask(inputs), 'VALIDATION_FAILED', JSON.stringify(inputs))
    t.ok(errors?.[0]?.path.startsWith(`body/inputs/${name}`), JSON.stringify(errors))
  }
})

t.test('options of stage 2 must be consistent', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const ask = (inputs: unknown) => post(api, { workflow_id: WORKFLOW, research_question: QUESTION, inputs })
  const both = await ask({ sources: ['sample', 'pubmed'], year_from: 2021, year_to: 2020 })
  const { errors, detail } = isProblem(t, both, 'VALIDATION_FAILED')
  t.match(errors, [
    { path: 'body/inputs/sources', message: /must not mix sample, .* with live sources/ },
    { path: 'body/inputs/year_from', message: /must not be later than year_to/ },
  ])
  t.match(detail, /sources must not mix[^;]*; body\/inputs\/year_from must not be later/)
  for (const inputs of [
    { year_from: 2020, year_to: 2020 },
    { year_to: 1990 },
    { sources: ['pubmed', 'crossref'] },
  ]) {
    t.equal((await ask(inputs)).status, 202, JSON.stringify(inputs))
  }
})

t.test('there are no other stages', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const payload = { workflow_id: WORKFLOW, research_question: QUESTION }
  for (const stage of [
    '0',
    '21',
    '-1',
    'abc',
    '2.5',
    '2.0',
    '02',
    '1e1',
    '%20',
    '2%00',
    'two',
    '99999999999999999999',
  ]) {
    const url = `/api/workflow/stages/${stage}/execute`
    const answer = await api.app.inject({ method: 'POST', url, headers: authorization(), payload })
    isProblem(t, injected(answer), 'STAGE_NOT_FOUND', stage)
  }
})

t.test('an Idempotency-Key', async (t) => {
  const env = await testEnv(t)
  const api = await startApi(t, env)
  const second = await startApi(t, env)
  const queue = openQueue(t, env)
  const headers = { 'idempotency-key': 'key-1' }
  const body = {
    workflow_id: WORKFLOW,
    research_question: QUESTION,
    inputs: { max_results: 5, language: 'en' },
  }
  const first = await post(api, body, 2, headers)
  t.equal(first.status, 202)
  t.equal(first.header('idempotent-replayed'), undefined)
  const { job_id } = JSON.parse(first.text)

  for (const [about, where] of [
    ['here', api],
    ['at another process', second],
  ] as const) {
    const again = await post(where, body, 2, headers)
    t.equal(again.status, 202, about)
    t.equal(again.header('idempotent-replayed'), 'true')
    t.equal(again.header('location'), first.header('location'))
    t.equal(JSON.parse(again.text).job_id, job_id)
  }
  const shuffled = `{ "inputs": {"language":"en","max_results":5.0}, "research_question": ${JSON.stringify(QUESTION)},\n"workflow_id":"${WORKFLOW}"}`
  t.equal(
    JSON.parse((await post(api, shuffled, 2, headers)).text).job_id,
    job_id,
    'the order of fields does not matter',
  )

  for (const [about, other, stage] of [
    ['another question', { ...body, research_question: `${QUESTION}?` }, 2],
    ['other options', { ...body, inputs: { max_results: 6, language: 'en' } }, 2],
    ['options left out', { ...body, inputs: undefined }, 2],
    ['another workflow', { ...body, workflow_id: randomUUID() }, 2],
    ['another stage', body, 3],
  ] as const) {
    isProblem(t, await post(api, other, stage, headers), 'IDEMPOTENCY_KEY_REUSED', about)
  }
  isProblem(t, await post(api, { workflow_id: 1 }, 2, headers), 'VALIDATION_FAILED', 'a body is judged first')
  t.equal(JSON.parse((await post(api, body, 2, headers)).text).job_id, job_id, 'the key is unchanged')

  const bob = await post(api, body, 2, { ...headers, ...authorization('bob') })
  t.equal(bob.status, 202)
  t.equal(bob.header('idempotent-replayed'), undefined)
  t.not(JSON.parse(bob.text).job_id, job_id, 'the same key of another user is a different key')
  const unlike = await post(api, body, 2, { 'idempotency-key': 'KEY-1' })
  t.not(JSON.parse(unlike.text).job_id, job_id, 'keys are case-sensitive')
  t.equal((await queue.getJobCounts()).prioritized, 3)

  const redis = new Redis(env.REDIS_URL as string)
  t.teardown(() => redis.disconnect())
  const names = await redis.keys(`${env.REDIS_PREFIX}:*:asked:*`)
  t.equal(names.length, 3)
  for (const name of names) {
    t.notMatch(name, /key-1/i, 'the key itself is not stored')
    t.notMatch(await redis.get(name), /key-1|bob|alice/i, 'nor is the user')
    t.ok((await redis.ttl(name)) > 7 * 86_400, 'remembered while the job waits')
  }
})

t.test('invalid keys', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const payload = { workflow_id: WORKFLOW, research_question: QUESTION }
  const ask = async (key: string) =>
    injected(
      await api.app.inject({
        method: 'POST',
        url: '/api/workflow/stages/2/execute',
        headers: { ...authorization(), 'idempotency-key': key },
        payload,
      }),
    )
  for (const key of ['', ' ', 'a b', 'x'.repeat(256), 'schlüssel', 'a\tb', '\u007f']) {
    isProblem(t, await ask(key), 'VALIDATION_FAILED', JSON.stringify(key.slice(0, 20)))
  }
  for (const key of ['x', 'x'.repeat(255), '"quoted"', '!~', 'a,b', randomUUID()]) {
    t.equal((await ask(key)).status, 202, key.slice(0, 20))
  }
})

t.test('20 simultaneous repeats at two processes are one job', async (t) => {
  const env = await testEnv(t)
  const apis = [await startApi(t, env), await startApi(t, env)]
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      execute((apis[i % 2] as TestApi).url, {
        headers: { 'idempotency-key': 'stampede' },
        body: { workflow_id: WORKFLOW },
      }),
    ),
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([202]))
  const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { job_id: string }[]
  const ids = new Set(bodies.map(({ job_id }) => job_id))
  t.equal(ids.size, 1)
  t.equal(
    answers.filter(({ headers }) => !headers.has('idempotent-replayed')).length,
    1,
    'exactly one was the first',
  )
  const jobs = await openQueue(t, env).getJobs()
  t.same(
    jobs.map((job) => job.id),
    [...ids],
  )
})

t.test('a repeat after the queue has removed the job', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_KEEP_COMPLETED: '0' })
  const api = await startApi(t, env)
  startWorker(t, env)
  const request = { headers: { 'idempotency-key': 'once' }, body: { workflow_id: WORKFLOW } }
  const job = await enqueue(api.url, request)
  await (await openStream(api.url + job.urls.events)).rest()
  const queue = openQueue(t, env)
  const again = await enqueue(api.url, request)
  t.equal(again.job_id, job.job_id)
  t.equal(await queue.getJob(job.job_id), undefined, 'the queue has removed the job')
  t.match(await queue.getJobCounts('prioritized', 'active', 'delayed'), {
    prioritized: 0,
    active: 0,
    delayed: 0,
  })
  t.equal((await get(api.url + again.urls.status)).status, 'completed', 'its result can still be read')
  t.equal(service.calls.length, 1)

  // Even the outcome may have expired by then; the stored request of the key is enough.
  const redis = new Redis(env.REDIS_URL as string)
  t.teardown(() => redis.disconnect())
  t.equal(await redis.del(api.app.stagecast.journal.keys.end(job.job_id)), 1)
  t.equal((await enqueue(api.url, request)).job_id, job.job_id)
  t.match(await queue.getJobCounts('prioritized', 'active', 'delayed'), {
    prioritized: 0,
    active: 0,
    delayed: 0,
  })
  t.equal(service.calls.length, 1, 'the work was done once')
})

t.test('a key that was stored by a process that died before it added the job', async (t) => {
  const env = await testEnv(t)
  const api = await startApi(t, env)
  const request = { headers: { 'idempotency-key': 'orphan' }, body: { workflow_id: WORKFLOW } }
  const job = await enqueue(api.url, request)
  const queue = openQueue(t, env)
  const redis = new Redis(env.REDIS_URL as string)
  t.teardown(() => redis.disconnect())
  await (await queue.getJob(job.job_id))?.remove()
  await redis.setrange(api.app.stagecast.journal.keys.asked(job.job_id), 0, 'q')
  const again = await enqueue(api.url, request)
  t.equal(again.job_id, job.job_id, 'the job ID was already returned to a client')
  t.same(
    (await queue.getJobs()).map(({ id }) => id),
    [job.job_id],
    'now the key has a job',
  )
})

/** POSTs a body: text and bytes unchanged, anything else as JSON. */
async function post(api: TestApi, body: unknown, stage = 2, headers: Record<string, string> = {}) {
  const raw = typeof body === 'string' || Buffer.isBuffer(body) ? (body as string) : JSON.stringify(body)
  return answered(
    fetch(`${api.url}/api/workflow/stages/${stage}/execute`, {
      method: 'POST',
      headers: { ...authorization(), 'content-type': 'application/json', ...headers },
      body: raw,
    }),
  )
}

/** No log line, metric, trace or overview contains user data or secrets from a request, at any log level. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { type Door, JWT_SECRET, startDoor, testEnv } from '../helpers/app.ts'
import { startCollector } from '../helpers/collector.ts'
import { absentRedis, adminOf, becomesReady, type Outage } from '../helpers/outage.ts'
import { logLine } from '../helpers/processes.ts'
import { sendRaw } from '../helpers/raw.ts'
import { openStream } from '../helpers/sse.ts'
import { type Answer, fail, fakeStageService, json, ndjson, success } from '../helpers/stage-service.ts'
import { makeToken } from '../helpers/tokens.ts'

const WORD = {
  question: 'zanzibarquestion',
  inputs: 'quetzalinputs',
  key: 'xylophonekey',
  results: 'wombatresults',
  body: 'narwhalbody',
}
const QUESTION = `Does the ${WORD.question} matter to anybody at all?`
const JSON_TYPE = { 'content-type': 'application/json' }

t.test('no log line of API or worker contains a token, ticket, question, key or answer', async (t) => {
  const redis = await absentRedis(t)
  await redis.start()
  const { service, answers } = await startService(t)
  const collector = await startCollector(t)
  const env = await testEnv(t, {
    REDIS_URL: redis.url,
    WORKER_URL: service.url,
    RATE_LIMIT_PER_MINUTE: '10000',
    STAGE_JOB_ATTEMPTS: '2',
    STAGE_JOB_BACKOFF_MS: '10',
    BREAKER_RESET_MS: '100',
    STAGE_MAX_RESULT_BYTES: '2000',
    ADMIN_PORT: '0',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  })
  const [api, worker] = await Promise.all([
    startDoor(t, 'server/api.ts', env),
    startDoor(t, 'server/worker.ts', env),
  ])
  await becomesReady(api.url)
  const user = new Client(api.url)

  const jobs = await runJobs(user, answers)
  for (const job of jobs) await user.everyRoute(job)
  await user.everyRoute(randomUUID())
  await user.defects()
  await failing(t, user, redis, jobs[0] as string)
  await becomesReady(api.url)
  const last = await user.execute()
  t.equal(last.status, 202, 'the job continues afterwards')

  const figures = [...(await figuresOf(api, true)), ...(await figuresOf(worker, false))]
  for (const door of [api, worker]) door.child.kill('SIGTERM')
  t.same(await Promise.all([api.exited, worker.exited]), [0, 0])
  saysEnough(t, api, worker, jobs)
  const secrets = [...user.secrets, ...Object.values(WORD), JWT_SECRET]
  t.ok(user.secrets.size > 20, 'tokens, their parts, and tickets')
  for (const { logs } of [api, worker]) {
    const leaks = logs.filter((line) => secrets.some((secret) => contains(line, secret)))
    t.same(leaks, [], `${logs.length} lines`)
  }
  for (const job of jobs) t.ok(collector.text.includes(job), 'each job has its trace')
  t.match(figures[0], /outcome="failed"} [1-9]/)
  for (const text of [collector.text, ...figures])
    t.same(
      secrets.filter((secret) => contains(text, secret)),
      [],
      `${text.length} characters of traces, metrics and overview`,
    )
})

/** The output of a process's admin listener. */
async function figuresOf(door: Door, isApi: boolean): Promise<string[]> {
  const url = /admin listener: (http:[^"]+)/.exec(await logLine(door, 'admin listener: '))?.[1]
  const paths = isApi ? ['/metrics', '/api/admin/overview'] : ['/metrics']
  return Promise.all(paths.map(async (path) => (await fetch(`${url}${path}`)).text()))
}

/** A caller that collects every secret that it sends. */
class Client {
  readonly secrets = new Set<string>()
  private readonly url: string
  private readonly token = makeToken({ claims: { sub: 'alice', jti: randomUUID() } })

  constructor(url: string) {
    this.url = url
    this.remember(this.token)
  }

  async execute(body: object = {}, stage = 2) {
    const response = await this.send('POST', `/api/workflow/stages/${stage}/execute`, {
      headers: { ...JSON_TYPE, 'idempotency-key': `${WORD.key}-${randomUUID()}` },
      body: JSON.stringify({
        workflow_id: randomUUID(),
        research_question: QUESTION,
        ...(stage === 2 && { inputs: { include_keywords: [WORD.inputs] } }),
        ...(stage !== 2 && { inputs: { [WORD.inputs]: WORD.inputs } }),
        ...body,
      }),
    })
    const { job_id, urls } = (await response.json()) as { job_id: string; urls?: { events: string } }
    if (urls) this.remember(urls.events.split('ticket=')[1] as string)
    return { status: response.status, job_id, events: `${this.url}${urls?.events}` }
  }

  /** Executes a job; repeats a request that a busy Redis does not confirm. */
  async accepted(stage: number) {
    for (;;) {
      const answer = await this.execute({}, stage)
      if (answer.status === 202) return answer
    }
  }

  /** Calls each route of a job with a token and with a ticket, with valid and invalid requests. */
  async everyRoute(jobId: string): Promise<void> {
    const base = `/api/workflow/stages/2/jobs/${jobId}`
    const made = await this.send('POST', `${base}/tickets`)
    const { ticket = 'none' } = (await made.json()) as { ticket?: string }
    this.remember(ticket)
    const state = await (await this.send('GET', `${base}/status`)).json()
    const workflow = `/api/workflow/workflows/${(state as { workflow_id?: string }).workflow_id}`
    const whole = await (await this.send('POST', `${workflow}/tickets`)).json()
    const { ticket: wide = 'none' } = whole as { ticket?: string }
    this.remember(wide)
    const queries = ['', `?ticket=${ticket}`, `?ticket=${wide}`, `?ticket=${ticket}x`, `?ticket=${wide}x`]
    for (const query of [...queries, `?x=${WORD.body}&ticket=${ticket}`]) {
      for (const [method, path] of [
        ['GET', `${base}/status`],
        ['GET', `${base}/events`],
        ['POST', `${base}/cancel`],
        ['GET', `${base}/artifacts/a.json`],
        ['GET', '/api/workflow/jobs'],
        ['GET', `${workflow}/events`],
        ['POST', `${workflow}/tickets`],
        ['GET', '/api/workflow/stages'],
        ['GET', '/health/ready'],
        ['DELETE', `${base}/events`],
        ['GET', '/nowhere'],
        ['GET', '/docs/'],
      ] as const) {
        const headers = { accept: 'application/json' }
        await (await this.send(method, path + query, { headers })).text()
        await (await this.send(method, path + query, { headers, token: null })).text()
      }
      await (await this.send('GET', `/%zz${query}`)).text()
      await (await this.send('GET', `${base.replace('/2/', '/99/')}/events${query}`)).text()
    }
  }

  /** Requests that are refused at each stage of processing. */
  async defects(): Promise<void> {
    const execute = '/api/workflow/stages/2/execute'
    const good = JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION })
    const key = { 'idempotency-key': `${WORD.key}-same` }
    for (const body of [
      good.slice(0, -1),
      `${QUESTION}`,
      JSON.stringify({ [WORD.body]: WORD.body }),
      JSON.stringify({ workflow_id: WORD.body, research_question: [QUESTION] }),
      JSON.stringify({ research_question: `${QUESTION}\u0000`, inputs: { a: WORD.inputs } }),
      `"${WORD.body.repeat(30_000)}"`,
      good,
      good.replace('matter', 'count'),
    ]) {
      await (await this.send('POST', execute, { headers: { ...JSON_TYPE, ...key }, body })).text()
    }
    await (
      await this.send('POST', execute, { headers: { 'content-type': WORD.body }, body: WORD.body })
    ).text()
    const bad = { 'idempotency-key': `${WORD.key} with a blank` }
    await (await this.send('POST', execute, { headers: { ...JSON_TYPE, ...bad }, body: good })).text()
    for (const token of [
      makeToken({ claims: { jti: randomUUID() }, key: 'wrong' }),
      makeToken({ claims: { jti: randomUUID(), exp: 1 } }),
      makeToken({ claims: { jti: randomUUID(), sub: 7 } }),
      makeToken({ header: { alg: 'none' } }),
      `${this.token}x`,
      `opaque-${randomUUID()}`,
      'e30.e30.e30',
    ]) {
      // The last part is so short that it could match by chance.
      if (token.length > 20) this.remember(token)
      await (await this.send('GET', '/api/workflow/stages', { token })).text()
    }
    const head = `Host: x\r\nConnection: close\r\nAuthorization: Bearer ${this.token}\r\n`
    await sendRaw(this.url, `GET /${WORD.body} HTTP/9.9\r\n${head}\r\n`)
    await sendRaw(this.url, `POST ${execute} HTTP/1.1\r\n${head}Content-Length: ${WORD.body}\r\n\r\n`)
    await sendRaw(this.url, `GET / HTTP/1.1\r\n${head}A: ${WORD.body.repeat(2000)}\r\n\r\n`)
  }

  private send(
    method: string,
    path: string,
    init: { headers?: Record<string, string>; body?: string; token?: string | null } = {},
  ): Promise<Response> {
    const { headers, body, token = this.token } = init
    return fetch(this.url + path, {
      method,
      headers: { ...headers, ...(token !== null && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body }),
    })
  }

  /** A secret, and each part of it that is worth protecting. */
  private remember(secret: string): void {
    if (secret.length < 20) return
    this.secrets.add(secret)
    // All tokens have the same header.
    for (const part of secret.split('.').slice(1)) if (part.length >= 20) this.secrets.add(part)
  }
}

/** One job for each behaviour of the stage service, each to its end. */
async function runJobs(user: Client, answers: Answer[]): Promise<string[]> {
  const ids: string[] = []
  for (const answer of [
    ndjson([
      { type: 'progress', percent: 50, message: WORD.results },
      { type: 'heartbeat' },
      { type: 'result', success: true, artifacts: ['a.json'], results: { [WORD.results]: WORD.results } },
    ]),
    ndjson([{ type: 'error', code: 'BAD', message: `${QUESTION} ${WORD.results}`, retryable: false }]),
    fail(422, 'NO_GOOD'),
    json(500, { detail: { code: 'BROKEN', message: `${QUESTION} ${WORD.results}` } }),
    json(400, { detail: `${QUESTION} ${WORD.results}` }),
    json(200, { success: false, message: `${QUESTION} ${WORD.results}` }),
    json(200, { success: true, artifacts: [`../${WORD.results}`] }),
    json(200, { success: true, results: { long: WORD.results.repeat(500) } }),
    ndjson([`${WORD.results} is not JSON`]),
    (({ response }) => void response.destroy()) as Answer,
    (({ response }) => void response.writeHead(200, { 'content-type': WORD.results }).end()) as Answer,
  ]) {
    // Set it twice, because a retryable failure is retried.
    answers.push(answer, answer)
    const { job_id, events } = await user.accepted(ids.length === 0 ? 2 : 3)
    ids.push(job_id)
    await (await openStream(events)).rest()
    answers.length = 0
  }
  return ids
}

/** Redis refuses writes for a while, then stops, then restarts. */
async function failing(t: Test, user: Client, redis: Outage, jobId: string): Promise<void> {
  const admin = adminOf(t, redis)
  await admin.config('SET', 'maxmemory', '1')
  await user.execute()
  await user.everyRoute(jobId)
  await admin.config('SET', 'maxmemory', '0')
  admin.disconnect()
  await redis.stop()
  await user.execute()
  await user.everyRoute(jobId)
  await redis.start()
}

/** Checks that the log is not empty: an empty log would contain no secrets either. */
function saysEnough(t: Test, api: Door, worker: Door, jobs: string[]): void {
  const [apiText, workerText] = [api.logs.join('\n'), worker.logs.join('\n')]
  for (const id of jobs) {
    t.ok(apiText.includes(`/jobs/${id}/events"`), 'the API logs the path of a request')
    t.ok(workerText.includes(id), 'the worker logs the id of a job')
  }
  for (const code of ['NO_GOOD', 'BROKEN']) t.match(workerText, code)
  t.match(apiText, 'token refused', 'at the finest level')
  t.match(apiText, 'queue did not confirm')
  t.match(apiText, '"statusCode":503')
  t.match(workerText, 'redis connection')
}

async function startService(t: Test) {
  const answers: Answer[] = []
  const service = await fakeStageService(t, (call) => (answers.shift() ?? json(200, success(call)))(call))
  return { service, answers }
}

/** The secret as it is, percent-encoded, in base64, and as JSON would escape it. */
function contains(line: string, secret: string): boolean {
  const text = line.toLowerCase()
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').slice(0, -4)].some(
    (form) => text.includes(form.toLowerCase()),
  )
}

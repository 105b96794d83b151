/**
 * Sends random requests to every operation of the published document: requests that match its schemas, and others.
 * There is never a 5xx; every response is as documented; every 4xx is a problem document; a valid request is never
 * rejected as invalid, unless it breaks a rule between fields that a schema cannot express.
 * PROPERTY_RUNS sets the number of requests per operation, PROPERTY_SEED repeats a run.
 */
import fc, { type Arbitrary } from 'fast-check'
import t from 'tap'
import type { Catalogue } from '../../contract/catalogue.ts'
import { literatureFaults } from '../../contract/literature.ts'
import { requestFaults } from '../../runs/request.ts'
import { authorization, enqueue, type Queued, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { finished } from '../helpers/jobs.ts'
import { type Document, type DocumentedOperation, expanded, Judge, operationsOf } from '../helpers/openapi.ts'
import { becomesReady } from '../helpers/outage.ts'
import { fakeStageService, succeed } from '../helpers/stage-service.ts'
import { fitting, type Schema, spoiled } from './arbitrary.ts'
import { send } from './request.ts'

const RUNS = Number(process.env.PROPERTY_RUNS || 25)
const SEED = Number(process.env.PROPERTY_SEED || Math.floor(Math.random() * 2 ** 31))

interface Generated {
  path: string
  headers: Record<string, string>
  body?: string
  /** Whether the whole request matches the document. */
  fits: boolean
}

t.test('generated requests get documented responses', async (t) => {
  const service = await fakeStageService(t, succeed({ artifacts: ['a.json'] }))
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_WORKER_CONCURRENCY: '10',
    LOG_LEVEL: 'silent',
    // A workflow's stream does not end by itself.
    SSE_LIFETIME_SECONDS: '1',
    LONG_POLL_MAX_SECONDS: '1',
  })
  const { app, url } = await startApi(t, env)
  const { catalogue } = app.stagecast
  const worker = startWorker(t, env)
  await becomesReady(url)
  const job = await enqueue(url)
  await finished(url, job)
  const document: Document = (await app.inject('/openapi.json')).json()
  const judge = new Judge(document)
  t.comment(
    `seed ${SEED}, ${RUNS} requests an operation: PROPERTY_SEED=${SEED} PROPERTY_RUNS=${RUNS} repeats them`,
  )

  const seen: Record<string, number> = {}
  for (const operation of withPages(operationsOf(expanded(document)))) {
    const property = fc.asyncProperty(requestsOf(operation, job), async ({ fits, ...request }) => {
      const answer = await send(url, { about: '', code: 'BAD_REQUEST', method: operation.method, ...request })
      const { status, header, text } = answer
      seen[`${status}`] = (seen[`${status}`] ?? 0) + 1
      if (status >= 500) throw new Error(`${status}: ${text}`)
      const { faults } = judge.judge(operation.operationId, status, header('content-type') ?? null, text)
      if (faults.length > 0) throw new Error(faults.join('\n'))
      if (status >= 400 && header('content-type') !== 'application/problem+json')
        throw new Error(`${status} as ${header('content-type')}`)
      if (
        fits &&
        status === 400 &&
        !breaksRule(operation, request.body, catalogue) &&
        JSON.parse(text).code === 'VALIDATION_FAILED'
      )
        throw new Error(`what fits the document is refused: ${text}`)
    })
    const result = await fc.check(property, { seed: SEED, numRuns: RUNS })
    const { failed, counterexample, errorInstance } = result
    const found = failed ? `: ${JSON.stringify(counterexample)}: ${errorInstance}` : ''
    t.notOk(failed, `${operation.method} ${operation.path}${found}`)
  }
  t.comment(`answers by status: ${JSON.stringify(seen)}`)
  t.ok(
    (seen['202'] ?? 0) > 0 && (seen['400'] ?? 0) > 0 && (seen['404'] ?? 0) > 0,
    'both valid and invalid requests were sent',
  )
  t.equal((await app.inject('/health/ready')).statusCode, 200, 'the server still works')
  await worker.close(500)
})

/** An event route answers with a page if the client prefers JSON; then check it as the operation of the page. */
function withPages(operations: DocumentedOperation[]): DocumentedOperation[] {
  const pages = operations.flatMap(({ operationId, path, parameters = [] }) => {
    const page = operations.find((one) => one.operationId === `${operationId}Page`)
    return page ? [{ ...page, path, parameters }] : []
  })
  if (pages.length !== 2) throw new Error(`jobs and workflows have pages, not ${pages.length}`)
  return [...operations, ...pages]
}

/** Half of the requests are valid; in the others at least one part is not. Paths often name the existing job. */
function requestsOf(operation: DocumentedOperation, job: Queued): Arbitrary<Generated> {
  const { path, parameters = [], requestBody, responses, security } = operation
  const parts = parameters.map((parameter) => {
    const schema = parameter.schema as Schema
    const known =
      parameter.name === 'job_id'
        ? [fc.constant(job.job_id)]
        : parameter.name === 'stage'
          ? [fc.constant(2)]
          : []
    const good = fc.oneof(...known, fitting(schema)).map((value) => ({ value, fits: true }))
    const bad = spoiled(schema).map((value) => ({ value, fits: false }))
    const there = fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: bad })
    return (parameter.required ? there : fc.option(there, { nil: null })).map((one) => ({ parameter, one }))
  })
  const schema = Object.entries(requestBody?.content ?? {})[0]?.[1].schema as Schema | undefined
  const json = (value: unknown) => JSON.stringify(value) ?? 'null'
  const good = (schema: Schema) =>
    operation.operationId === 'startRun' ? fc.oneof(fitting(schema), run) : fitting(schema)
  const body: Arbitrary<{ text: string | undefined; fits: boolean }> = schema
    ? fc.oneof(
        good(schema).map((value) => ({ text: json(value), fits: true })),
        spoiled(schema).map((value) => ({ text: json(value), fits: false })),
        fc.string({ maxLength: 50 }).map((text) => ({ text, fits: false })),
      )
    : fc.constant({ text: undefined, fits: true })
  return fc.tuple(fc.tuple(...parts), body).map(([given, { text, fits }]) => {
    let filled = path
    const query = new URLSearchParams()
    const headers: Record<string, string> = {
      ...(security?.length ? authorization() : {}),
      // Ask for the form that the operation documents. Another form of the same route is a separate operation.
      accept: Object.keys(responses[200]?.content ?? { 'application/json': 0 }).join(', '),
    }
    if (text !== undefined) headers['content-type'] = 'application/json'
    for (const { parameter, one } of given) {
      if (one === null) continue
      const value = asText(one.value)
      if (parameter.in === 'path') filled = filled.replace(`{${parameter.name}}`, () => segment(value))
      else if (parameter.in === 'query') query.append(parameter.name, value)
      // Only values that an HTTP client library can send.
      else headers[parameter.name] = value.replace(/[^\x20-\x7e]/g, '')
    }
    return {
      path: query.size > 0 ? `${filled}?${query}` : filled,
      headers,
      ...(text !== undefined && { body: text }),
      fits: fits && given.every(({ one }) => one === null || one.fits),
    }
  })
}

/** Numbers of existing stages, which random numbers hardly ever hit. */
const run = fc.record({
  stages: fc.shuffledSubarray([1, 2, 3, 17], { minLength: 1 }),
  research_question: fc.constant('Does exercise lower blood pressure in adults?'),
})

const asText = (value: unknown) =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed()

/** Rules that a schema cannot express: between fields of a run, and between options of the literature review. */
function breaksRule({ operationId }: DocumentedOperation, body = 'null', catalogue: Catalogue): boolean {
  const asked = JSON.parse(body)
  if (operationId === 'startRun') return requestFaults(asked, catalogue).length > 0
  return asked?.inputs !== undefined && literatureFaults(asked.inputs).length > 0
}

/** A short segment that does not change the rest of the path. */
const segment = (text: string) =>
  encodeURIComponent(text.slice(0, 80).toWellFormed()).replace(/^\.{0,2}$/, '%20')

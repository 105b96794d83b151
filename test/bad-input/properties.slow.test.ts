/**
 * The published document, driven: every operation is given requests that fit its schemas and requests that do not.
 * Never a 5xx; every answer as its operation says; every 4xx a problem document; what fits is never called invalid,
 * unless it breaks a rule between fields, which no schema can say.
 * PROPERTY_RUNS sets the number of requests an operation gets, PROPERTY_SEED repeats a run.
 */
import fc, { type Arbitrary } from 'fast-check'
import t from 'tap'
import { literatureFaults } from '../../contract/literature.ts'
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
  /** Whether all of it fits the document. */
  fits: boolean
}

t.test('the document is driven with generated requests', { timeout: 600_000 }, async (t) => {
  const service = await fakeStageService(t, succeed({ artifacts: ['a.json'] }))
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_WORKER_CONCURRENCY: '10',
    LOG_LEVEL: 'silent',
  })
  const { app, url } = await startApi(t, env)
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
  for (const operation of operationsOf(expanded(document))) {
    const property = fc.asyncProperty(requestsOf(operation, job), async ({ fits, ...request }) => {
      const answer = await send(url, { about: '', code: 'BAD_REQUEST', method: operation.method, ...request })
      const { status, header, text } = answer
      seen[`${status}`] = (seen[`${status}`] ?? 0) + 1
      if (status >= 500) throw new Error(`${status}: ${text}`)
      const { faults } = judge.judge(operation.operationId, status, header('content-type') ?? null, text)
      if (faults.length > 0) throw new Error(faults.join('\n'))
      if (status >= 400 && header('content-type') !== 'application/problem+json')
        throw new Error(`${status} as ${header('content-type')}`)
      if (fits && !breaksRule(request.body) && JSON.parse(text || '{}').code === 'VALIDATION_FAILED')
        throw new Error(`what fits the document is refused: ${text}`)
    })
    const result = await fc.check(property, { seed: SEED, numRuns: RUNS })
    const { failed, counterexample, errorInstance } = result
    const found = failed ? `: ${JSON.stringify(counterexample)}: ${errorInstance}` : ''
    t.notOk(failed, `${operation.method} ${operation.path}${found}`)
  }
  t.comment(`answers by status: ${JSON.stringify(seen)}`)
  t.ok((seen['202'] ?? 0) > 0 && (seen['400'] ?? 0) > 0 && (seen['404'] ?? 0) > 0, 'good ones and bad ones')
  t.equal((await app.inject('/health/ready')).statusCode, 200, 'and the server goes on')
  await worker.close(500)
})

/** Half of the requests fit; in the others one part or more is spoiled. Paths often name the job that there is. */
function requestsOf(operation: DocumentedOperation, job: Queued): Arbitrary<Generated> {
  const { path, parameters = [], requestBody, security } = operation
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
  const body: Arbitrary<{ text: string | undefined; fits: boolean }> = schema
    ? fc.oneof(
        fitting(schema).map((value) => ({ text: json(value), fits: true })),
        spoiled(schema).map((value) => ({ text: json(value), fits: false })),
        fc.string({ maxLength: 50 }).map((text) => ({ text, fits: false })),
      )
    : fc.constant({ text: undefined, fits: true })
  return fc.tuple(fc.tuple(...parts), body).map(([given, { text, fits }]) => {
    let filled = path
    const query = new URLSearchParams()
    const headers: Record<string, string> = {
      ...(security?.length ? authorization() : {}),
      accept: 'application/json',
    }
    if (text !== undefined) headers['content-type'] = 'application/json'
    for (const { parameter, one } of given) {
      if (one === null) continue
      const value = asText(one.value)
      if (parameter.in === 'path') filled = filled.replace(`{${parameter.name}}`, () => segment(value))
      else if (parameter.in === 'query') query.append(parameter.name, value)
      // What a client's HTTP library lets through.
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

const asText = (value: unknown) =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed()

/** What a schema cannot say: rules between the options of the literature review. */
function breaksRule(body = 'null'): boolean {
  const { inputs } = JSON.parse(body) ?? {}
  return inputs !== undefined && literatureFaults(inputs).length > 0
}

/** A short one, and none that makes another path of the whole. */
const segment = (text: string) =>
  encodeURIComponent(text.slice(0, 80).toWellFormed()).replace(/^\.{0,2}$/, '%20')

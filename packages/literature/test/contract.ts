/** Tests that any stage service must pass; `start` runs one as a separate process. */
import { randomUUID } from 'node:crypto'
import { readdir, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatRegistry } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Test } from 'tap'
import { ServiceError, ServiceLine, StageAnswer } from '../../../contract/service.ts'
import { json, post, QUESTION, raw, stageRequest, stream, WORKER_ACCEPT } from './service-client.ts'
import type { ServiceProcess } from './service-process.ts'

export type Start = (env: Record<string, string>) => Promise<ServiceProcess>

FormatRegistry.Set('uuid', () => true)

const FILE = 'literature_review.json'
const artifactPath = (jobId: string, name = FILE) => `/api/workflow/jobs/${jobId}/artifacts/${name}`

export async function testContract(t: Test, start: Start): Promise<void> {
  const begin = async (t: Test, env: Record<string, string> = {}) => {
    const dataDir = env.STAGE_DATA_DIR ?? t.testdir()
    const service = await start({ HOST: '127.0.0.1', PORT: '0', STAGE_DATA_DIR: dataDir, ...env })
    t.teardown(() => service.stop())
    return { ...service, dataDir }
  }
  await t.test('quick work', async (t) => testQuick(t, await begin(t, { LOG_LEVEL: 'trace' })))
  await t.test('work that takes a while', async (t) => testPaced(t, await begin(t, { STAGE_PACE_MS: '100' })))
  const stuck = { STAGE_PACE_MS: '600000', STAGE_HEARTBEAT_MS: '100', SHUTDOWN_GRACE_MS: '100' }
  await t.test('work that hangs', async (t) => testStuck(t, await begin(t, stuck)))
  await t.test('a restart', async (t) => {
    const first = await begin(t)
    const request = stageRequest()
    const answer = await json(post(first.url, request))
    await first.stop()
    const second = await begin(t, { STAGE_DATA_DIR: first.dataDir })
    t.strictSame(await json(post(second.url, request)), answer, 'the stored answer comes again')
    t.equal(second.count('stage work started', request.job_id), 0, 'without any work')
    t.equal((await raw(second.url, artifactPath(request.job_id))).status, 200, 'the artifact is still there')
  })
}

async function testQuick(t: Test, service: ServiceProcess & { dataDir: string }): Promise<void> {
  const { url } = service

  await t.test('one JSON answer', async (t) => {
    const request = stageRequest()
    const response = await post(url, request)
    t.equal(response.status, 200)
    t.match(response.headers.get('content-type'), /^application\/json/)
    const answer = await json(response)
    t.ok(Value.Check(StageAnswer, answer))
    const { job_id, workflow_id } = request
    t.match(answer, { success: true, stage: 2, job_id, workflow_id, artifacts: [FILE], results: Object })
    t.ok(Number(answer.duration_ms) >= 0)
  })

  await t.test('NDJSON lines', async (t) => {
    const call = await stream(url, stageRequest())
    t.equal(call.response.status, 200)
    t.match(call.response.headers.get('content-type'), /^application\/x-ndjson/)
    const lines = await call.rest()
    t.ok(lines.every((line) => Value.Check(ServiceLine, line)))
    const percents = lines.flatMap((line) => (line.type === 'progress' ? line.percent : []))
    t.strictSame(
      percents,
      [...percents].sort((a, b) => a - b),
      'progress never goes back',
    )
    t.equal(percents.at(0), 0)
    t.equal(percents.at(-1), 100)
    t.ok(new Set(percents).size >= 5)
    t.match(lines.at(-1), { type: 'result', success: true, artifacts: [FILE] })
    t.equal(lines.filter(({ type }) => type !== 'progress' && type !== 'heartbeat').length, 1)
  })

  await t.test('a repeat does not run again', async (t) => {
    const request = stageRequest()
    const answer = await json(post(url, request))
    const headers = { 'idempotency-key': request.job_id, 'x-attempt': '2' }
    t.strictSame(await json(post(url, request, { headers })), answer)
    t.strictSame((await (await stream(url, request)).rest()).at(-1), { type: 'result', ...answer })
    t.equal(service.count('stage work started', request.job_id), 1)

    const other = await post(url, { ...request, research_question: 'Does something else matter?' })
    t.ok([409, 422].includes(other.status), 'the same id with another request is refused')
    t.ok(Value.Check(ServiceError, await json(other)))
    const mismatch = await post(url, stageRequest(), { headers: { 'idempotency-key': randomUUID() } })
    t.equal(mismatch.status, 400, 'the header and the body must agree')
    t.ok(Value.Check(ServiceError, await json(mismatch)))
  })

  await t.test('the artifact', async (t) => {
    const request = stageRequest()
    await json(post(url, request))
    const file = await raw(url, artifactPath(request.job_id))
    t.equal(file.status, 200)
    t.match(file.headers['content-type'], /^application\/json/)
    t.equal(Number(file.headers['content-length']), Buffer.byteLength(file.body))
    t.equal(file.headers['x-content-type-options'], 'nosniff')
    t.match(JSON.parse(file.body), { source: 'sample', question: QUESTION })
    const again = stageRequest()
    await json(post(url, again))
    t.equal((await raw(url, artifactPath(again.job_id))).body, file.body, 'the same question, the same bytes')
  })

  await t.test('no path leads out of the artifacts folder', async (t) => {
    const secret = `canary-${randomUUID()}`
    await writeFile(join(service.dataDir, 'secret.txt'), secret)
    const { job_id } = stageRequest()
    await json(post(url, stageRequest({ job_id })))
    const folder = join(service.dataDir, 'jobs', job_id, 'artifacts')
    await symlink(join(service.dataDir, 'secret.txt'), join(folder, 'link.json'))
    const paths = [
      artifactPath(job_id, '../../../secret.txt'),
      artifactPath(job_id, '..%2f..%2f..%2fsecret.txt'),
      artifactPath(job_id, '..%252f..%252f..%252fsecret.txt'),
      artifactPath(job_id, '..%5c..%5c..%5csecret.txt'),
      artifactPath(job_id, '../record.json'),
      artifactPath(job_id, '..%2Frecord.json'),
      artifactPath(job_id, '%2e%2e%2frecord.json'),
      artifactPath(job_id, '..'),
      artifactPath(job_id, '.'),
      artifactPath(job_id, '%00'),
      artifactPath(job_id, `${FILE}%00.txt`),
      artifactPath(job_id, encodeURIComponent(join(service.dataDir, 'secret.txt'))),
      artifactPath(job_id, 'link.json'),
      artifactPath(job_id, 'x'.repeat(3000)),
      artifactPath(job_id, '%zz'),
      artifactPath('..', 'secret.txt'),
      artifactPath('..%2f..', 'secret.txt'),
      artifactPath(encodeURIComponent(`urn:uuid:${job_id}`)),
      artifactPath(randomUUID()),
    ]
    for (const path of paths) {
      const answer = await raw(url, path)
      t.ok([400, 404, 414].includes(answer.status), `${answer.status} for ${path.slice(0, 120)}`)
      t.ok(Value.Check(ServiceError, JSON.parse(answer.body)))
      t.notMatch(answer.body, secret)
    }
    // As long as the artifact, so that a size check alone does not detect it.
    const { body } = await raw(url, artifactPath(job_id))
    await writeFile(join(service.dataDir, 'secret.txt'), secret.padEnd(Buffer.byteLength(body)))
    await unlink(join(folder, FILE))
    await symlink(join(service.dataDir, 'secret.txt'), join(folder, FILE))
    const replaced = await raw(url, artifactPath(job_id))
    t.equal(replaced.status, 404, 'a link in place of the artifact is not followed')
    t.notMatch(replaced.body, secret)
  })

  await t.test('unknown jobs, artifacts and routes', async (t) => {
    for (const stage of [20, 0, 999, 'two']) {
      for (const body of [stageRequest(), 'not json']) {
        const response = await post(url, body, { stage, headers: { accept: WORKER_ACCEPT } })
        t.equal(response.status, 404)
        t.match(await json(response), { detail: { code: 'STAGE_NOT_FOUND', message: String } })
      }
    }
    const nowhere = await raw(url, '/nowhere')
    t.equal(nowhere.status, 404)
    t.ok(Value.Check(ServiceError, JSON.parse(nowhere.body)))
  })

  await t.test('invalid bodies', async (t) => {
    const good = stageRequest()
    const bad: [name: string, body: unknown, type?: string][] = [
      ['broken JSON', '{"job_id":'],
      ['nothing', ''],
      ['null', 'null'],
      ['a list', '[]'],
      ['a number', '7'],
      ['another type', JSON.stringify(good), 'text/plain'],
      ['no job_id', { ...good, job_id: undefined }],
      ['a job_id that is a path', { ...good, job_id: '../../x' }],
      ['a job_id with a prefix', { ...good, job_id: `urn:uuid:${good.job_id}` }],
      ['a number as job_id', { ...good, job_id: 7 }],
      ['no user_id', { ...good, user_id: undefined }],
      ['a number as question', { ...good, research_question: 12345678901 }],
      ['no question for stage 2', { ...good, research_question: null }],
      ['a blank question', { ...good, research_question: '   ' }],
      ['a list as inputs', { ...good, inputs: [QUESTION] }],
      ['inputs nested without end', `{"inputs":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ]
    for (const [name, body, type] of bad) {
      const headers = { 'content-type': type ?? 'application/json' }
      const response = await post(url, body, { headers })
      t.ok([400, 415, 422].includes(response.status), `${name}: ${response.status}`)
      const answer = await json(response)
      t.ok(Value.Check(ServiceError, answer), JSON.stringify(answer))
      t.notMatch(JSON.stringify(answer), QUESTION)
    }
    const huge = JSON.stringify({ ...good, research_question: 'x'.repeat(1_100_000) })
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(huge) }
    const answer = await raw(url, '/api/workflow/stages/2/execute', { method: 'POST', headers }, huge)
    t.ok([413, 422].includes(answer.status), `a question of a megabyte: ${answer.status}`)
    t.ok(Value.Check(ServiceError, JSON.parse(answer.body)))
  })

  await t.test('health, and a log without the question', async (t) => {
    const health = await json(fetch(`${url}/health`))
    t.match(health, { status: 'ok', running: 0 })
    t.ok((health.stages as number[]).includes(2), 'the stages of the service are listed')
    t.match(service.output(), 'stage work finished')
    t.notMatch(service.output(), /fasting/i)
  })
}

async function testPaced(t: Test, service: ServiceProcess): Promise<void> {
  const request = stageRequest()
  const first = await stream(service.url, request)
  const begun = await first.next()
  t.match(begun, { type: 'progress', percent: 0 }, 'the first line comes before the work is done')
  const second = await stream(service.url, request)
  const leaving = await stream(service.url, request)
  const plain = post(service.url, request)
  const joined = await second.next()
  t.equal(joined?.type, 'progress', 'a caller that joins gets the current progress')
  await leaving.next()
  leaving.hangUp()
  const [one, two] = await Promise.all([first.rest(), second.rest()])
  t.match(one.at(-1), { type: 'result', success: true }, 'one caller hanging up does not stop the work')
  t.strictSame(two.at(-1), one.at(-1), 'all get the same result')
  const result = one.at(-1)
  t.strictSame({ type: 'result', ...(await json(plain)) }, result)
  t.equal(service.count('stage work started', request.job_id), 1, 'the work was done once')
  t.equal(service.count('stage work stopped', request.job_id), 0)
  testEnd(t, await service.stop())
}

async function testStuck(t: Test, service: ServiceProcess & { dataDir: string }): Promise<void> {
  const { url, dataDir } = service
  const running = async () => (await json(fetch(`${url}/health`))).running
  const request = stageRequest()

  const call = await stream(url, request)
  t.match(await call.next(), { type: 'progress', percent: 0 })
  t.match(await call.next(), { type: 'heartbeat' }, 'heartbeats while nothing else is said')
  t.match(await call.next(), { type: 'heartbeat' })
  t.equal(await running(), 1)
  call.hangUp()
  await service.logged('stage work stopped', request.job_id)
  t.equal(await running(), 0, 'hanging up stops the work')
  t.equal((await raw(url, artifactPath(request.job_id))).status, 404)
  const left = await readdir(dataDir, { recursive: true })
  t.notOk(
    left.some((path) => path.includes(request.job_id)),
    'and leaves nothing behind',
  )

  const again = await stream(url, request)
  t.match(await again.next(), { type: 'progress', percent: 0 }, 'the same job can start again')

  const waiting = stageRequest()
  const controller = new AbortController()
  const plain = post(url, waiting, { signal: controller.signal })
  await service.logged('stage work started', waiting.job_id)
  controller.abort()
  await t.rejects(plain)
  await service.logged('stage work stopped', waiting.job_id)
  t.equal(await running(), 1, 'in the JSON form too, and only its own work')

  const stopped = service.stop()
  const lines = await again.rest()
  t.match(lines.at(-1), { type: 'error', retryable: true }, 'a service that ends says so to its callers')
  testEnd(t, await stopped)
}

/** Some servers exit by the signal that they were sent. SIGKILL or an error code is not a clean exit. */
function testEnd(t: Test, [code, signal]: [number | null, NodeJS.Signals | null]): void {
  t.ok(code === 0 || signal === 'SIGTERM', `it ends in order: ${code} ${signal}`)
}

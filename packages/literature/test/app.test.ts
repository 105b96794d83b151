/** The HTTP service with stages made for the test: failures, files, closing. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdir, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { eventually } from '../../../test/helpers/waiting.ts'
import { buildStageService, type StageServiceOptions } from '../../stage-kit/app.ts'
import { type Stage, StageFailure } from '../../stage-kit/stage.ts'
import { startStageService } from '../../stage-kit/start.ts'
import { OFFLINE } from '../literature-settings.ts'
import { LiteratureReview } from '../schema.ts'
import { buildBuiltInService, startBuiltInService } from '../start.ts'
import { json, stageRequest, stream } from './service-client.ts'

const stageOf = (run: Stage['run']): Stage => ({ validate: () => undefined, run })
const EXECUTE = '/api/workflow/stages/7/execute'

async function build(t: Test, stage: Stage, options: Partial<StageServiceOptions> = {}) {
  const log = new PassThrough()
  const app = await buildStageService({
    dataDir: t.testdir(),
    logger: { level: 'trace', stream: log },
    stages: new Map([[7, stage]]),
    ...options,
  })
  t.teardown(() => app.close())
  const logged = async () => {
    await app.close()
    log.end()
    return text(log)
  }
  return { app, logged }
}

t.test('a stage that fails says why, in both forms', async (t) => {
  const failing = stageOf(() => Promise.reject(new StageFailure(429, 'BUSY', 'Come back later.', true)))
  const { app } = await build(t, failing)
  const plain = await app.inject({ method: 'POST', url: EXECUTE, payload: stageRequest() })
  t.equal(plain.statusCode, 429)
  t.strictSame(plain.json(), { detail: { code: 'BUSY', message: 'Come back later.' } })
  const headers = { accept: 'application/x-ndjson' }
  const lines = await app.inject({ method: 'POST', url: EXECUTE, payload: stageRequest(), headers })
  t.equal(lines.statusCode, 200)
  const last = JSON.parse(lines.body.trim().split('\n').at(-1) ?? '')
  t.strictSame(last, { type: 'error', code: 'BUSY', message: 'Come back later.', retryable: true })
})

t.test('old files are removed while it runs, not only when it starts', async (t) => {
  const { app } = await build(
    t,
    stageOf(async () => ({ artifacts: [], results: {} })),
    {
      keepMs: 1,
      sweepEveryMs: 5,
    },
  )
  const payload = stageRequest()
  t.equal((await app.inject({ method: 'POST', url: EXECUTE, payload })).statusCode, 200)
  await eventually('the job is gone', async () => (await readdir(join(t.testdirName, 'jobs'))).length === 0)
})

t.test('a failed job runs again when it is requested again', async (t) => {
  let times = 0
  const { app } = await build(
    t,
    stageOf(async () => {
      times++
      if (times === 1) throw new StageFailure(503, 'LATER', 'Not yet.')
      return { artifacts: [], results: { times } }
    }),
  )
  const payload = stageRequest()
  const first = await app.inject({ method: 'POST', url: EXECUTE, payload })
  t.equal(first.statusCode, 503)
  t.equal(first.headers['retry-after'], '1')
  t.match((await app.inject({ method: 'POST', url: EXECUTE, payload })).json(), { results: { times: 2 } })
  t.match((await app.inject({ method: 'POST', url: EXECUTE, payload })).json(), { results: { times: 2 } })
})

t.test('an internal error reveals nothing, to the caller or in the log', async (t) => {
  const broken = stageOf(({ research_question }) =>
    Promise.reject(new TypeError(`cannot use ${research_question}`)),
  )
  const { app, logged } = await build(t, broken)
  const question = `canary ${randomUUID()}`
  const payload = stageRequest({ research_question: question })
  const answer = await app.inject({ method: 'POST', url: EXECUTE, payload })
  t.equal(answer.statusCode, 500)
  t.equal(answer.json().detail.code, 'INTERNAL_ERROR')
  t.notMatch(answer.body, question)
  const log = await logged()
  t.match(log, /stage work failed/)
  t.match(log, /TypeError/)
  t.notMatch(log, question)
})

t.test('only real files of the folder count as artifacts', async (t) => {
  const outside = join(t.testdir({ 'secret.txt': 'secret' }), 'secret.txt')
  for (const [name, make] of [
    ['absent.json', async () => undefined],
    ['link.json', (dir: string) => symlink(outside, join(dir, 'link.json'))],
    ['../escaped.json', (dir: string) => writeFile(join(dir, '../escaped.json'), '{}')],
  ] as [string, (dir: string) => Promise<void>][]) {
    const stage = stageOf(async (_request, { dir }) => {
      await make(dir)
      return { artifacts: [name], results: {} }
    })
    const { app } = await build(t, stage, { dataDir: join(t.testdirName, randomUUID()) })
    const payload = stageRequest()
    const answer = await app.inject({ method: 'POST', url: EXECUTE, payload })
    t.equal(answer.json().detail?.code, 'ARTIFACT_MISSING', name)
    const url = `/api/workflow/jobs/${payload.job_id}/artifacts/${encodeURIComponent(name)}`
    t.equal((await app.inject({ url })).statusCode, 404)
  }
})

t.test('artifacts: types, tags, ranges', async (t) => {
  const stage = stageOf(async (_request, { dir }) => {
    await writeFile(join(dir, 'a.txt'), '0123456789')
    await writeFile(join(dir, 'refs.bib'), '@article{}')
    await writeFile(join(dir, 'empty.bin'), '')
    return { artifacts: ['a.txt', 'refs.bib', 'empty.bin'], results: {} }
  })
  const { app } = await build(t, stage)
  const payload = stageRequest()
  await app.inject({ method: 'POST', url: EXECUTE, payload })
  const get = (name: string, headers = {}, method: 'GET' | 'HEAD' = 'GET') =>
    app.inject({ method, url: `/api/workflow/jobs/${payload.job_id}/artifacts/${name}`, headers })

  const whole = await get('a.txt')
  t.match(whole.headers, { 'content-type': 'text/plain; charset=utf-8', 'content-length': '10' })
  const etag = '"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"'
  t.equal(whole.headers.etag, etag, 'the tag is the SHA-256')
  t.equal((await get('refs.bib')).headers['content-type'], 'application/x-bibtex')
  const empty = await get('empty.bin')
  t.match([empty.statusCode, empty.body, empty.headers['content-length']], [200, '', '0'])
  t.equal(empty.headers['content-type'], 'application/octet-stream')

  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    t.equal((await get('a.txt', { 'if-none-match': tag })).statusCode, 304, tag)
  }
  t.equal((await get('a.txt', { 'if-none-match': '"other"' })).statusCode, 200)
  const head = await get('a.txt', {}, 'HEAD')
  t.match([head.statusCode, head.body, head.headers['content-length']], [200, '', '10'])

  const part = await get('a.txt', { range: 'bytes=2-4' })
  t.match([part.statusCode, part.body, part.headers['content-range']], [206, '234', 'bytes 2-4/10'])
  t.equal(part.headers['content-length'], '3')
  t.equal((await get('a.txt', { range: 'bytes=7-' })).body, '789')
  t.equal((await get('a.txt', { range: 'bytes=-3' })).body, '789')
  t.equal((await get('a.txt', { range: 'bytes=0-3', 'if-range': etag })).body, '0123')
  for (const headers of [
    { range: 'bytes=0-3', 'if-range': '"other"' },
    { range: 'bytes=4-2' },
    { range: 'bytes=0-1,4-5' },
    { range: 'lines=0-1' },
    { range: 'bytes=-' },
  ]) {
    const all = await get('a.txt', headers)
    t.match([all.statusCode, all.body], [200, '0123456789'], JSON.stringify(headers))
  }
  for (const [name, range] of [
    ['a.txt', 'bytes=10-'],
    ['a.txt', 'bytes=-0'],
    ['empty.bin', 'bytes=0-'],
  ] as const) {
    const beyond = await get(name, { range })
    t.match([beyond.statusCode, beyond.json().detail.code], [416, 'RANGE_NOT_SATISFIABLE'])
  }
})

t.test('the Accept header selects the form', async (t) => {
  const { app } = await build(
    t,
    stageOf(async () => ({ artifacts: [], results: {} })),
  )
  const type = async (accept: string) => {
    const answer = await app.inject({
      method: 'POST',
      url: EXECUTE,
      payload: stageRequest(),
      headers: { accept },
    })
    return answer.headers['content-type']
  }
  t.equal(await type('application/x-ndjson, application/json'), 'application/x-ndjson')
  t.equal(await type('application/json, Application/X-NDJSON;q=0.5'), 'application/x-ndjson')
  for (const accept of ['*/*', 'application/json', 'text/html', 'application/x-ndjson;q=0, */*']) {
    t.match(await type(accept), /^application\/json/, accept)
  }
})

t.test('invalid HTTP gets an error in the same form', async (t) => {
  const service = await startBuiltInService({ host: '127.0.0.1', port: 0, dataDir: t.testdir() })
  t.teardown(() => service.close())
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.end('NONSENSE\r\n\r\n')
  const answer = await text(socket)
  t.match(answer, /^HTTP\/1\.1 400 /)
  t.equal(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').detail.code, 'BAD_REQUEST')
})

t.test('closing gives running jobs the grace period and refuses new ones', async (t) => {
  const gate = new PassThrough()
  const stage = stageOf(async (_request, { progress }) => {
    await progress(10, 'waiting')
    await once(gate, 'data')
    return { artifacts: [], results: {} }
  })
  const dataDir = t.testdir()
  const service = await startStageService({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    stages: new Map([[2, stage]]),
  })
  const call = await stream(service.url, stageRequest())
  t.match(await call.next(), { type: 'progress' })
  const closed = service.close()
  const refused = await stream(service.url, stageRequest())
  t.equal(refused.response.status, 503)
  t.equal(refused.response.headers.get('retry-after'), '1')
  t.match(await refused.response.json(), { detail: { code: 'SHUTTING_DOWN' } })
  gate.write('go')
  t.match((await call.rest()).at(-1), { type: 'result', success: true })
  await closed
})

t.test('a job that is still stopping and its repeat never run side by side', async (t) => {
  const gate = new PassThrough()
  let runs = 0
  // This stage wrongly ignores its signal. Its result after the disconnect must not count.
  const deaf = stageOf(async () => {
    runs++
    const mine = runs
    if (mine === 1) await once(gate, 'data')
    return { artifacts: [], results: { run: mine } }
  })
  const stages = new Map([[2, deaf]])
  const service = await startStageService({
    host: '127.0.0.1',
    port: 0,
    dataDir: t.testdir(),
    stages,
    heartbeatMs: 20,
  })
  t.teardown(() => service.close())
  const request = stageRequest()
  const first = await stream(service.url, request)
  let begun = await first.next()
  // On a busy machine, a heartbeat is sent before the work has started.
  while (begun?.type === 'heartbeat') begun = await first.next()
  t.match(begun, { type: 'progress', percent: 0 })
  first.hangUp()
  const running = async () => Number((await json(fetch(`${service.url}/health`))).running)
  let second = await stream(service.url, request)
  // Until the service notices the disconnect, a repeat joins the run that is about to stop.
  while ((await running()) === 1) {
    second.hangUp()
    second = await stream(service.url, request)
  }
  t.match(await second.next(), { type: 'heartbeat' }, 'the repeat gets heartbeats while it waits')
  t.equal(runs, 1)
  gate.write('go')
  t.match((await second.rest()).at(-1), { type: 'result', results: { run: 2 } })
  t.equal(runs, 2)
})

t.test('incompatible sources prevent the start', async (t) => {
  const building = buildBuiltInService({
    dataDir: t.testdir(),
    literature: { ...OFFLINE, sources: ['sample', 'europepmc'] },
  })
  await t.rejects(building, { code: 'SOURCE_UNAVAILABLE', message: /must not mix sample/ })
})

t.test('the schema of the review is published', async (t) => {
  const app = await buildBuiltInService({ dataDir: t.testdir() })
  t.teardown(() => app.close())
  const answer = await app.inject({ url: '/schemas/literature_review.json' })
  t.strictSame(answer.json(), JSON.parse(JSON.stringify(LiteratureReview)))
})

/** Stages as functions: what a user of the kit relies on. */
import { createHash, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { openCatalogue } from '../../../contract/catalogue.ts'
import { Cancelled, StageError, type StageJob, Stages, type StagesOptions } from '../index.ts'

async function start(t: Test, add: (stages: Stages) => void, more: Partial<StagesOptions> = {}) {
  const stages = new Stages({ data: t.testdir(), heartbeatMs: 50, ...more })
  add(stages)
  const service = await stages.listen({ port: 0 })
  t.teardown(() => service.close())
  return service.url
}

function request(more: object = {}) {
  const ids = { job_id: randomUUID(), workflow_id: randomUUID() }
  return { ...ids, user_id: 'alice', research_question: null, inputs: {}, ...more }
}

function post(url: string, stage: number, body: object, signal?: AbortSignal) {
  return fetch(`${url}/api/workflow/stages/${stage}/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })
}

async function lines(url: string, stage: number, body: object): Promise<Record<string, unknown>[]> {
  const text = await (await post(url, stage, body)).text()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const told = (all: Record<string, unknown>[]) =>
  all.filter(({ type }) => type === 'progress').map(({ percent, message }) => [percent, message])

t.test('generators and functions, plain and asynchronous', async (t) => {
  const url = await start(t, (stages) => {
    stages
      .stage(1, { version: '3' }, function* () {
        yield [50, 'half']
        return { kind: 'generator' }
      })
      .stage(2, {}, async function* (job) {
        yield [10, 'begun']
        await job.write('intro.md', 'Hello')
        return { kind: 'asynchronous generator' }
      })
      .stage(3, {}, () => ({ kind: 'function' }))
      .stage(4, {}, async (job) => {
        await job.progress(30, 'on its way')
      })
  })
  for (const [stage, steps, results] of [
    [1, [50, 'half'], { kind: 'generator' }],
    [2, [10, 'begun'], { kind: 'asynchronous generator' }],
    [3, undefined, { kind: 'function' }],
    [4, [30, 'on its way'], {}],
  ] as const) {
    const all = await lines(url, stage, request())
    if (steps)
      t.ok(
        told(all).some((one) => JSON.stringify(one) === JSON.stringify(steps)),
        `stage ${stage}`,
      )
    t.match(all.at(-1), { type: 'result', success: true, results })
  }
  const listed = await (await fetch(`${url}/api/workflow/stages`)).json()
  t.same(listed, [
    { stage: 1, version: '3' },
    { stage: 2, version: null },
    { stage: 3, version: null },
    { stage: 4, version: null },
  ])
})

t.test(
  'files have hashes, can be read in ranges, are served after a repeat, and can be deleted',
  async (t) => {
    let runs = 0
    const url = await start(t, (stages) => {
      stages.stage(2, {}, async (job) => {
        runs += 1
        await job.write('b.txt', 'second')
        await job.write('a.txt', 'first')
      })
    })
    const body = request()
    const [result] = (await lines(url, 2, body)).slice(-1)
    const sha256 = createHash('sha256').update('second').digest('hex')
    t.same(result?.artifacts, ['b.txt', 'a.txt'])
    t.match(result?.files, [
      { name: 'b.txt', bytes: 6, sha256, media_type: /^text\/plain/ },
      { name: 'a.txt' },
    ])
    t.same((await lines(url, 2, body)).at(-1), result, 'the stored result, whole')
    t.equal(runs, 1)
    const file = `${url}/api/workflow/jobs/${body.job_id}/artifacts/b.txt`
    t.equal(await (await fetch(file, { headers: { range: 'bytes=0-2' } })).text(), 'sec')
    const remove = () => fetch(`${url}/api/workflow/jobs/${body.job_id}`, { method: 'DELETE' })
    t.equal((await remove()).status, 204)
    t.equal((await fetch(file)).status, 404)
    t.equal((await remove()).status, 404)
  },
)

t.test('inputs are checked by a schema or a function', async (t) => {
  const url = await start(t, (stages) => {
    stages
      .stage(1, { inputs: { properties: { n: { type: 'integer' } } } }, ({ inputs }) => ({ inputs }))
      .stage(2, { inputs: readYear }, (job: StageJob<{ year: number }>) => ({ next: job.inputs.year + 1 }))
  })
  t.match((await lines(url, 1, request({ inputs: { n: 1 } }))).at(-1), { results: { inputs: { n: 1 } } })
  const bad = await post(url, 1, request({ inputs: { n: 'x' } }))
  t.equal(bad.status, 422)
  t.same(await bad.json(), { detail: { code: 'INVALID_INPUTS', message: 'inputs/n must be integer.' } })
  t.match((await lines(url, 2, request({ inputs: { year: '1999' } }))).at(-1), { results: { next: 2000 } })
  t.equal((await post(url, 2, request())).status, 422)
  t.throws(() => new Stages({ data: 'x' }).stage(1, { inputs: { type: 'text' } }, () => ({})), TypeError)
})

function readYear({ year }: Record<string, unknown>): { year: number } {
  if (!/^\d{4}$/.test(String(year))) throw new Error('year must have four digits')
  return { year: Number(year) }
}

t.test('a StageError is reported; the message of any other error is not', async (t) => {
  const url = await start(t, (stages) => {
    stages
      .stage(1, {}, () => {
        throw new StageError('NO_SAMPLES', 'There are no samples', true)
      })
      .stage(2, {}, () => {
        throw new Error('SECRET')
      })
  })
  t.match((await lines(url, 1, request())).at(-1), {
    ...{ type: 'error', code: 'NO_SAMPLES', message: 'There are no samples', retryable: true },
  })
  const [last] = (await lines(url, 2, request())).slice(-1)
  t.match(last, { type: 'error', code: 'INTERNAL_ERROR' })
  t.notMatch(JSON.stringify(last), 'SECRET')
})

t.test('values that JSON would drop or change are refused with their path', async (t) => {
  class Paper {
    title = 'a class of its own'
  }
  let deep: object = {}
  for (let n = 0; n < 300; n += 1) deep = { deep }
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const refused: [result: unknown, words: RegExp][] = [
    [{ papers: [{ score: Number.NaN }] }, /results\/papers\/0\/score is NaN, .* use null/],
    [{ a: { b: Number.POSITIVE_INFINITY } }, /results\/a\/b is Infinity/],
    [{ a: Number.NEGATIVE_INFINITY }, /results\/a is -Infinity/],
    [{ n: 12345678901234567890n }, /results\/n is a bigint, which JSON cannot represent/],
    [{ list: [1, undefined] }, /results\/list\/1 is undefined/],
    [{ list: Object.assign([1], { 2: 3 }) }, /results\/list\/1 is undefined/],
    [{ at: new Date(0) }, /results\/at is a Date/],
    [{ at: new Date(Number.NaN) }, /results\/at is a Date/],
    [{ by: new Map([[1, 2]]) }, /results\/by is a Map/],
    [{ of: [new Set([1])] }, /results\/of\/0 is a Set/],
    [{ bytes: Buffer.from('a') }, /results\/bytes is a Buffer/],
    [{ numbers: new Float64Array(2) }, /results\/numbers is a Float64Array/],
    [{ why: new Error('gone') }, /results\/why is an Error/],
    [{ later: Promise.resolve(1) }, /results\/later is a Promise/],
    [{ paper: new Paper() }, /results\/paper is a Paper/],
    [{ call: () => 1 }, /results\/call is a function/],
    [{ mark: Symbol('a') }, /results\/mark is a symbol/],
    [{ text: ['\ud800'] }, /results\/text\/0 contains half a surrogate pair/],
    [{ '\udc00': 1 }, /results, in one of its names, contains half/],
    [deep, /^Stage 1: results\/deep.{60,90}… is nested more than 200 levels deep/],
    [circle, /nested more than 200 levels deep/],
    [[1], /it returned a list; return an object/],
    ['done', /it returned a string/],
    [new Map(), /results is a Map/],
  ]
  let result: unknown
  const url = await start(t, (stages) => {
    stages.stage(1, {}, () => result as Record<string, unknown>)
  })
  for (const [one, words] of refused) {
    result = one
    const last = (await lines(url, 1, request())).at(-1)
    t.match(last, { type: 'error', code: 'STAGE_RESULT_INVALID', message: words, retryable: false })
  }
  const asJson = await fetch(`${url}/api/workflow/stages/1/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request()),
  })
  t.equal(asJson.status, 422, 'an answer that is not retried')

  result = {
    ...{ none: null, zero: -0, large: 1e300, whole: 2 ** 53, text: 'é\u2028\ud83d\ude00', yes: true },
    ...{ list: [[], {}], absent: undefined, bare: Object.assign(Object.create(null), { a: 1 }) },
  }
  const good = (await lines(url, 1, request())).at(-1)
  const { absent: _, ...kept } = result as Record<string, unknown>
  t.strictSame(good?.results, { ...kept, zero: 0, bare: { a: 1 } })
})

t.test('when the last caller has left, the next step throws in the generator', async (t) => {
  const seen: unknown[] = []
  let went = () => {}
  const gone = new Promise<void>((resolve) => {
    went = resolve
  })
  const url = await start(t, (stages) => {
    stages.stage(1, {}, async function* (job) {
      try {
        for (let n = 0; ; n += 1) {
          yield [n % 100, 'working']
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      } catch (error) {
        seen.push(error instanceof Cancelled, job.cancelled)
        throw error
      } finally {
        went()
      }
    })
  })
  const leaving = new AbortController()
  const answer = await post(url, 1, request(), leaving.signal)
  await answer.body?.getReader().read()
  leaving.abort()
  await gone
  t.same(seen, [true, true])
})

t.test('files of earlier stages are read only if their hash is right', async (t) => {
  const server = createServer(({ headers }, response) => {
    response.writeHead(headers['x-key'] === 'open' ? 200 : 403).end('evidence')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const file = (content: string, name: string) => ({
    ...{ name, bytes: content.length, media_type: 'text/plain' },
    sha256: createHash('sha256').update(content).digest('hex'),
    url: `${origin}/${name}`,
  })
  const add = (stages: Stages) => {
    stages.stage(3, {}, async ({ upstream }) => {
      const before = upstream[2]
      const changed = await before?.text('changed.txt').catch((error: Error) => error.message)
      return {
        text: await before?.text('good.txt'),
        changed,
        none: upstream[1] === undefined,
        ...before?.results,
      }
    })
  }
  const url = await start(t, add, { upstreamHeaders: { [origin]: { 'x-key': 'open' } } })
  const files = [file('evidence', 'good.txt'), file('other', 'changed.txt')]
  const upstream = { 2: { job_id: randomUUID(), results: { papers: 3 }, files } }
  t.match((await lines(url, 3, request({ upstream, run_id: null }))).at(-1)?.results, {
    ...{ text: 'evidence', none: true, papers: 3 },
    changed: /its hash differs/,
  })
  const closed = (await lines(await start(t, add), 3, request({ upstream }))).at(-1)
  t.match(closed, { type: 'error', code: 'UPSTREAM_UNREACHABLE', retryable: true })
})

t.test('an invalid step is an error', async (t) => {
  const url = await start(t, (stages) => {
    stages
      .stage(1, {}, async (job) => job.progress(120, 'too far'))
      .stage(2, {}, function* () {
        yield 50 as never
      })
  })
  for (const stage of [1, 2])
    t.match((await lines(url, stage, request())).at(-1), {
      ...{ type: 'error', code: 'STAGE_PROGRESS_INVALID', retryable: false },
    })
})

t.test('the stages describe themselves for a STAGES_FILE', async (t) => {
  const inputs = { type: 'object', properties: { site: { type: 'string' } } }
  const stages = new Stages({ data: t.testdir() })
    .stage(7, { version: '2', slug: 'sample', title: 'Sample', needs: [3], inputs }, () => ({}))
    .stage(3, {}, () => ({}))
  const described = stages.describe()
  t.same(described.stages, [
    { stage: 7, slug: 'sample', title: 'Sample', needs: [3], version: '2', inputs },
    { stage: 3, slug: 'stage-3', title: 'Stage 3' },
  ])
  const services = { default: 'http://127.0.0.1:8000' }
  t.same(openCatalogue({ file: described, services }).get(7)?.needs, [3], 'it is a catalogue')
})

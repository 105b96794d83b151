/** The commands as a script uses them: output, streams and exit codes. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { QUESTION, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { program } from '../helpers/processes.ts'
import { type Answer, fail, fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

// Each command is a separate process; on a busy machine all of them take minutes.

const PROGRAM = program('packages/client/terminal/stage.ts')

interface Ended {
  exit: number | string
  lines: string[]
  errors: string
}

function start(t: Test, args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const errors: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  child.stderr.on('data', (chunk) => errors.push(String(chunk)))
  const ended = once(child, 'close').then(
    ([code, signal]): Ended => ({ exit: code ?? signal, lines, errors: errors.join('') }),
  )
  return { child, ended }
}

async function setUp(t: Test, answer: Answer = succeed({ artifacts: ['a.txt'] })) {
  const service = await fakeStageService(t, answer)
  service.onGet = (_url, response) => void response.end('the file')
  const env = await testEnv(t, { WORKER_URL: service.url, STAGE_JOB_ATTEMPTS: '1' })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const given = { STAGECAST_URL: url, STAGECAST_TOKEN: token() }
  const run = (...args: string[]) => start(t, args, given).ended
  return { service, url, run, given }
}

t.test('in a pipe: one line of JSON per event, and files by name', async (t) => {
  const { service, run } = await setUp(t)
  const workflow = randomUUID()
  const { exit, lines, errors } = await run('run', '2', '--question', QUESTION, '--workflow', workflow)
  t.equal(exit, 0, errors)
  const events = lines.map((line) => JSON.parse(line))
  t.same(
    events.map(({ event }) => event),
    ['queued', 'active', 'progress', 'progress', 'progress', 'progress', 'completed'],
  )
  const { job_id } = events[0].data
  t.match(errors, job_id, 'readable messages go to standard error')

  const after = await run('watch', '2', job_id, '--after', events[4].id)
  t.same(after.lines, lines.slice(5))
  const behind = await run('watch', '2', job_id, '--after', events.at(-1).id)
  t.same([behind.exit, behind.lines], [0, []], 'no events to print, but the exit code shows the end')

  const state = await run('status', '2', job_id)
  t.match(JSON.parse(state.lines[0] ?? ''), { job_id, status: 'completed', workflow_id: workflow })
  const list = await run('list', '--stage', '2', '--workflow', workflow, '--limit', '5')
  t.match(JSON.parse(list.lines[0] ?? ''), { jobs: [{ job_id }] })

  const folder = await mkdtemp(join(tmpdir(), 'stage-'))
  t.teardown(() => rm(folder, { recursive: true }))
  t.same(JSON.parse((await run('artifacts', '2', job_id)).lines[0] ?? ''), { artifacts: ['a.txt'] })
  const out = join(folder, 'new')
  const saved = await run('artifacts', '2', job_id, 'a.txt', '--out', out)
  t.same(JSON.parse(saved.lines[0] ?? ''), { name: 'a.txt', path: join(out, 'a.txt') })
  t.equal(await readFile(join(out, 'a.txt'), 'utf8'), 'the file')

  const inTheWay = await run('artifacts', '2', job_id, 'a.txt', '--out', join(out, 'a.txt', 'below'))
  t.equal(inTheWay.exit, 1)
  t.match(inTheWay.errors, /ENOTDIR/)
  t.notMatch(inTheWay.errors, 'is the API running', 'a local error')
  service.onGet = (_url, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('a part')
    setImmediate(() => response.destroy())
  }
  const brokenOff = await run('artifacts', '2', job_id, 'a.txt', '--out', out)
  t.equal(brokenOff.exit, 5)
  t.match(brokenOff.errors, /cannot be reached.*is the API running/)
})

t.test('exit codes', async (t) => {
  const { service, url, run } = await setUp(t, fail(400, 'BAD_QUESTION'))
  const failed = await run('run', '2', '-q', QUESTION)
  t.equal(failed.exit, 1, failed.errors)
  t.match(failed.lines.at(-1), 'BAD_QUESTION')

  service.answer = silence
  const detached = await run('run', '3', '--detach', '--inputs', '{"a":1}')
  const { job_id } = JSON.parse(detached.lines[0] ?? '')
  t.equal(detached.exit, 0)
  t.same((await service.call(1)).body.inputs, { a: 1 })
  const watching = run('watch', '3', job_id)
  t.match((await run('cancel', '3', job_id)).lines, [/cancelling/])
  t.equal((await watching).exit, 3)

  const wrong: [string[], number, RegExp][] = [
    [[], 0, /^$/],
    [['--help'], 0, /^$/],
    [['dance'], 2, /unknown command dance; use one of run, preview, watch/],
    [['run'], 2, /run needs STAGE/],
    [['run', 'two'], 2, /STAGE must be a whole number from 1 to 999, not two/],
    [['list', '--limit', '1001'], 2, /--limit must be a whole number from 1 to 1000, not 1001/],
    [['status', '2'], 2, /needs STAGE and JOB/],
    [['status', '2', job_id, 'more'], 2, /does not take more/],
    [['status', '2', job_id, '--question', 'x'], 2, /does not take --question/],
    [['status', '2', job_id, '--strange'], 2, /--strange/],
    [['run', '2', '--inputs', 'x'], 2, /--inputs must be a JSON object/],
    [['run', '2', '--question', 'short'], 2, /VALIDATION_FAILED[\s\S]*research_question/],
    [['list', '--status', 'sad'], 2, /querystring\/status must be one of queued, active, .*cancelled$/m],
    [['list', '--url', 'nowhere'], 2, /--url must be like http:.*not nowhere/],
    [['list', '--url', 'localhost:3001'], 2, /--url must be like http:/],
    [['status', '2', randomUUID()], 4, /JOB_NOT_FOUND/],
    [['status', '2', job_id], 4, /JOB_NOT_FOUND/],
    [['list', '--token', 'a.b.c'], 4, /INVALID_TOKEN/],
    [['list', '--url', 'http://127.0.0.1:65535'], 5, /ECONNREFUSED.*is the API running/],
  ]
  await Promise.all(
    wrong.map(async ([args, exit, said]) => {
      const ended = await run(...args)
      t.equal(ended.exit, exit, `${args.join(' ')}: ${ended.errors}`)
      t.match(ended.errors, said)
      t.notMatch(ended.errors, /^ +at /m, 'no stack')
    }),
  )
  t.ok(url)
})

t.test('Ctrl-C stops watching, not the job', async (t) => {
  const { service, url, given } = await setUp(t, silence)
  const { child, ended } = start(t, ['run', '2', '-q', QUESTION], given)
  const call = await service.call(0)
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const { exit, errors } = await ended
  t.equal(exit, 130)
  const again = /watch 2 ([\w-]{36})$/m.exec(errors)
  t.ok(again, errors)
  const back = start(t, ['watch', '2', again?.[1] ?? ''], given).ended
  await succeed()(call)
  t.equal((await back).exit, 0, url)
})

t.test('a preview prints the result of the stage, and a failed one exits with its code', async (t) => {
  const found = { kind: 'search_preview', lines: [{ line: 1, what: 'sleep', hits: { sample: 3 } }] }
  const { service, run } = await setUp(t, succeed({ results: found, artifacts: [] }))
  const { exit, lines, errors } = await run(
    'preview',
    '--question',
    QUESTION,
    '--inputs',
    '{"year_from":2020}',
  )
  t.equal(exit, 0, errors)
  t.same(
    lines.map((line) => JSON.parse(line)),
    [found],
    'only the result',
  )
  t.match(service.calls[0]?.body, { inputs: { year_from: 2020, preview: true }, research_question: QUESTION })
  service.answer = fail(422, 'QUESTION_LANGUAGE')
  const refused = await run('preview', '--question', QUESTION)
  t.same([refused.exit, refused.lines], [1, []])
  t.match(refused.errors, /QUESTION_LANGUAGE: /)
  t.equal((await run('preview', '2', '3')).exit, 2)
})

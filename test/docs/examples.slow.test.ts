/** Runs the examples of the documentation as a reader would paste them, against a live API, worker and stage service. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import t, { type Test } from 'tap'
import type { JobSnapshot } from '../../contract/job.ts'
import type { JobEvent } from '../../contract/job-event.ts'
import type { PlanStep } from '../../contract/run.ts'
import { findProgram } from '../../dev/find-redis.mjs'
import { startBuiltInService } from '../../packages/literature/start.ts'
import { FILES } from '../../packages/literature/test/files.ts'
import { type Env, JWT_SECRET, startApi, startWorker, type TestApi, testEnv } from '../helpers/app.ts'
import { freePort } from '../helpers/free-port.ts'
import { program } from '../helpers/processes.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { example, exampleNames, ROOT, read, unmarked } from './markdown.ts'

// The demo, servers and a browser run one after the other, which takes minutes on a busy machine.

const README = read('README.md')
const API = 'http://127.0.0.1:3001'
const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/
const run = promisify(execFile)

const SHELL = [
  'execute',
  'idempotent',
  'prefer',
  'watch',
  'resume',
  'ticket',
  'poll',
  'artifact',
  'list',
  'workflow',
  'retry',
  'delete',
] as const
/** Examples that run in one shell, against a stage service that has every stage. */
const RUNS = ['run-plan', 'run-start', 'run-sign-off'] as const
const OTHERS = [
  'quickstart',
  'cancel',
  'dev',
  'demo',
  'terminal',
  'client',
  'token',
  'polling',
  'measure',
  'page',
  'cors',
  'serve',
]
/** Examples that `test/clients/clients.slow.test.ts` runs. */
const ELSEWHERE = ['generated']
/** Examples that install, build or deploy. */
const NOT_RUN = [
  'git clone … && cd stagecast',
  'npm run build',
  'npm run build',
  'node dist/server/api.js',
  'node dist/server/worker.js',
  'cp .env.example .env',
  'kubectl create secret generic stagecast \\',
  'redis-cli BGSAVE            # then wait until `redis-cli INFO persistence` says rdb_bgsave_in_progress:0',
  'cp /backup/stagecast-2026-11-29.rdb /data/dump.rdb',
]
const requireAll = process.env.REQUIRE_ALL_TESTS === '1'
const hasCurl = spawnSync('curl', ['--version']).status === 0
const browser = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  .map((name) => findProgram(name, process.env))
  .find((path) => path !== null)

t.test('every marked example is tested', async (t) => {
  t.same(exampleNames().sort(), [...SHELL, ...RUNS, ...OTHERS, ...ELSEWHERE].sort())
  t.same(unmarked(), NOT_RUN)
})

t.test('the development server, also for a page of another origin', async (t) => {
  const origin = 'http://127.0.0.1:8080'
  for (const [name, allowed] of [
    ['dev', null],
    ['cors', origin],
  ] as const) {
    const greeting = await startDev(t, name)
    const url = /http:\/\/[\d.]+:\d+/.exec(greeting)?.[0] as string
    t.ok(README.includes(`\n${greeting.replaceAll(url, API)}\n`), greeting)
    const answer = await fetch(`${url}/api/workflow/stages`, { headers: { origin } })
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('access-control-allow-origin'), allowed)
  }
})

t.test('the demo shows what the README shows', async (t) => {
  const env = { ...process.env, STAGECAST_DATA: await folder(t) }
  const { stdout } = await run(process.execPath, [program('dev/demo.ts')], { cwd: ROOT, env })
  const said = stdout.split('\n')
  const shown = example('demo')
    .split('\n')
    .filter((line) => !['', '…'].includes(line.trim()) && !/^(Server|Job) /.test(line))
  t.ok(shown.length > 10)
  for (const line of shown) {
    t.ok(
      said.some((one) => one.startsWith(line)),
      line,
    )
  }
})

t.test('the terminal', async (t) => {
  const { url } = await startAll(t)
  const env = { ...process.env, STAGECAST_URL: url }
  const { stdout } = await run('bash', ['-euc', example('terminal')], { cwd: ROOT, env })
  const events = stdout
    .trim()
    .split('\n')
    .map((line): JobEvent => JSON.parse(line))
  t.equal(events.at(-1)?.event, 'completed')
})

const WITH_CURL = { skip: hasCurl || requireAll ? false : 'curl is not installed' }

t.test('the curl examples', WITH_CURL, async (t) => {
  const { url } = await startAll(t, { paceMs: 100 })
  const dir = await folder(t)
  const script = SHELL.map((name) => `printf '\\n@@${name}\\n'\n${code(name, url)}`).join('\n')
  const { stdout } = await run('bash', ['-euc', script], { cwd: dir })
  const said = new Map(
    stdout.split('\n@@').map((part) => [part.split('\n')[0], part.slice(part.indexOf('\n'))]),
  )
  const output = (name: (typeof SHELL)[number]) => (said.get(name) ?? '').trim()

  const job = JSON.parse(output('execute'))
  t.match(job, { success: true, job_id: UUID, stage: 2, status: 'queued' })

  t.match(output('prefer'), /^HTTP\/1\.1 200[\s\S]*preference-applied: wait=20[\s\S]*"status":"completed"/i)
  const ids = output('idempotent').split('\n')
  t.match(ids, [UUID, UUID])
  t.equal(ids[0], ids[1], 'the repeat returns the same job')

  const types = [...output('watch').matchAll(/^event: (\w+)$/gm)].map(([, type]) => type)
  t.equal(types[0], 'queued')
  t.equal(types.at(-1), 'completed')
  t.match(
    output('watch'),
    /"progress":10.*\n[\s\S]*"progress":20.*\n[\s\S]*"progress":80.*\n[\s\S]*"progress":100/,
  )

  t.match(output('resume'), /^retry: \d+\n: connected\n\nid: 000100000030\n/, 'resumes after the event ID')
  const page = JSON.parse(output('resume').split('\n').at(-1) as string)
  t.match(page.events[0], { id: '000100000030', event: 'progress' })
  t.equal(page.events.at(-1).id, page.cursor)

  t.match(JSON.parse(output('ticket')), { ticket: String, events_url: /\?ticket=/, expires_at: Number })
  t.match(
    output('poll'),
    /^\{.*"status":"completed".*\}HTTP\/1\.1 304 Not Modified\s*\{.*"status":"completed".*\}$/,
  )
  const review = JSON.parse(await readFile(join(dir, 'review.json'), 'utf8'))
  t.match(review, {
    kind: 'literature_review',
    source: 'sample',
    inputs: { max_results: 10, year_from: 2015 },
  })

  const list = JSON.parse(output('list'))
  t.match(list, { jobs: [{ job_id: UUID, stage: 2, status: 'completed' }] })
  t.equal(list.jobs.length, 1)
  t.match(output('delete'), /^HTTP\/1\.1 204[^\n]*\nHTTP\/1\.1 204/)
  t.match(JSON.parse(output('retry')), { status: 'failed', retry_of: UUID })
  t.match(output('workflow'), new RegExp(`^\\d{16} ${job.job_id} queued\\n\\d{16} ${job.job_id} active\\n`))
  t.match(output('workflow'), /\nretry: \d+\n: connected\n\nid: \d{16}\n/)
  const again = JSON.parse(await readFile(join(dir, 'again.json'), 'utf8'))
  t.match(output('workflow'), `event: queued\ndata: {"job_id":"${again.job_id}"`, 'the next job, live')
  t.match(
    output('workflow'),
    /\n\{"ticket":".*","events_url":"\/api\/workflow\/workflows\/[^"]+\/events\?ticket=/,
  )
})

t.test('the examples of a run', WITH_CURL, async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { ALLOW_MOCK_AUTH: 'true', WORKER_URL: service.url })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const script = RUNS.map((name) => `printf '\\n@@\\n'\n${code(name, url)}`).join('\n')
  const { stdout } = await run('bash', ['-euc', script], { cwd: await folder(t) })
  const [plan, waiting, signed] = stdout
    .split('\n@@\n')
    .slice(1)
    .map((text) => JSON.parse(text))
  const actions = plan.steps.map(({ stage, action, because }: PlanStep) => `${stage} ${action}: ${because}`)
  t.same(actions, ['1 run: never run', '2 run: never run', '10 run: never run'])
  t.match(waiting, { status: 'waiting', steps: [{}, {}, { stage: 10, status: 'awaiting_sign_off' }] })
  t.match(signed, {
    status: 'completed',
    steps: [{}, {}, { sign_off: { decision: { verdict: 'approved' } } }],
  })
})

t.test('the example of cancelling, while both slots of the worker are in use', async (t) => {
  const { url } = await startAll(t, { paceMs: 60_000 })
  const script = ['execute', 'idempotent', 'cancel'].map((name) => code(name, url)).join('\n')
  const { stdout } = await run('bash', ['-euc', script], { cwd: await folder(t) })
  const cancelled = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  t.match(cancelled.status, /^cancell(ing|ed)$/)
  const status = `${url}/api/workflow/stages/2/jobs/${cancelled.job_id}/status`
  let state = await get<JobSnapshot>(status)
  while (state.finished_at === null) {
    state = await get<JobSnapshot>(`${status}?after=${state.cursor}&wait=10`)
  }
  t.equal(state.status, 'cancelled')
})

t.test('the quick start of the README', async (t) => {
  const { url } = await startAll(t)
  const { stdout } = await run('bash', ['-euc', code('quickstart', url)])
  t.match(stdout, /^event: queued$[\s\S]*^event: completed$/m)
})

t.test('a token made as documented is accepted', async (t) => {
  const { url } = await startApi(t, await testEnv(t))
  const { stdout } = await run('bash', ['-euc', `${code('token', url)}\nprintf %s "$token"`], {
    cwd: ROOT,
    env: { ...process.env, JWT_SECRET },
  })
  const ask = (token: string) =>
    fetch(`${url}/api/workflow/stages`, { headers: { authorization: `Bearer ${token}` } })
  t.equal((await ask(stdout)).status, 200)
  t.equal((await ask(stdout.slice(0, -4))).status, 401, 'another signature is refused')
})

t.test('polling in JavaScript', async (t) => {
  const { url } = await startAll(t, { paceMs: 50 })
  const { stdout } = await runNode(t, 'polling', url)
  const lines = stdout.split('\n')
  t.match(lines[0], /^(queued|active) \d+$/)
  t.match(stdout, /^completed 100$/m)
  t.match(stdout, /success: true,\s+artifacts: \[\s+'literature_review.json',/)
})

t.test('the first-party client', async (t) => {
  const { url } = await startAll(t)
  const file = join(await folder(t), 'watch.mts')
  await writeFile(
    file,
    code('client', url).replace(
      'stagecast/client',
      pathToFileURL(join(ROOT, 'packages/client/index.ts')).href,
    ),
  )
  const { stdout } = await run(process.execPath, ['--import=tsx', file], { cwd: ROOT })
  t.match(stdout, /^queued \{\n[\s\S]*^completed \{\n[\s\S]*'literature_review.json'/m)
})

t.test('the script in docs/performance.md', async (t) => {
  const { url } = await startAll(t)
  const { stdout } = await runNode(t, 'measure', url, ['5'])
  t.match(
    stdout,
    /^5 jobs, one after the other\naccepted: +p50 \d+ ms, p95 \d+ ms\ncompleted, watched: +p50 \d+ ms/,
  )
})

t.test(
  'the page',
  { skip: browser || requireAll ? false : 'SKIPPED: no Chromium is installed' },
  async (t) => {
    const port = await freePort()
    // The ticket expires before the job ends, so the page must get another one.
    const env = { CORS_ORIGINS: `http://127.0.0.1:${port}`, TICKET_TTL_SECONDS: '2' }
    const { url } = await startAll(t, { paceMs: 300, env })
    const dir = await folder(t)
    await writeFile(join(dir, 'page.html'), code('page', url))
    await serve(t, dir, port)

    const chrome = await chromium.launch({ executablePath: browser ?? '', args: ['--no-sandbox'] })
    t.teardown(() => chrome.close())
    const page = await chrome.newPage()
    const streams: string[] = []
    const faults: Error[] = []
    page.on('request', (request) => {
      if (request.url().includes('/events?')) streams.push(request.url())
    })
    page.on('pageerror', (error) => faults.push(error))
    await page.goto(`http://127.0.0.1:${port}`)
    await page.click('button')
    await page.waitForSelector('text=files: literature_review.json', { timeout: 60_000 })

    const shown = await page.locator('li').allTextContents()
    const log = (streams[0] as string).replace(/\/events\?.*/, '/events')
    const { events } = await get<{ events: JobEvent[] }>(log, { accept: 'application/json' })
    const told = events.map(
      ({ event, data }) => `${event}, ${data.progress} %, attempt ${data.attempt}: ${data.message}`,
    )
    t.same(shown, [...told, `files: ${FILES.join(', ')}`], 'every event once and in order')
    t.equal(await page.evaluate('document.querySelector("progress").value'), 100)
    t.ok(
      new Set(streams.map((one) => new URL(one).searchParams.get('ticket'))).size > 1,
      'a second ticket was used',
    )
    t.same(faults, [])
  },
)

interface Parts {
  paceMs?: number
  env?: Env
}

/** API with mock authentication, worker and the built-in stage service, all in this process. */
async function startAll(t: Test, { paceMs = 0, env = {} }: Parts = {}): Promise<TestApi> {
  const dataDir = await folder(t)
  const service = await startBuiltInService({ host: '127.0.0.1', port: 0, dataDir, paceMs })
  t.teardown(() => service.close())
  const full = await testEnv(t, { ALLOW_MOCK_AUTH: 'true', WORKER_URL: service.url, ...env })
  const api = await startApi(t, full)
  startWorker(t, full)
  return api
}

/** The user of requests without a token. */
async function get<T>(url: string, headers: Record<string, string> = {}): Promise<T> {
  return (await fetch(url, { headers })).json() as Promise<T>
}

/** An example with the address of this test's API. */
function code(name: string, url: string): string {
  return example(name).replaceAll(API, url)
}

async function runNode(t: Test, name: string, url: string, args: string[] = []) {
  const file = join(await folder(t), `${name}.mjs`)
  await writeFile(file, code(name, url))
  return run(process.execPath, [file, ...args])
}

/** Runs a serving command with separate data on a free port; resolves with its greeting. */
async function startDev(t: Test, name: string): Promise<string> {
  const env = { ...process.env, PORT: '0', REDIS_URL: '', STAGECAST_DATA: await folder(t) }
  // Remove tap's loaders, which are only for tests.
  const script = `unset NODE_OPTIONS\n${example(name)}`
  const server = spawn('bash', ['-euc', script], { cwd: ROOT, env, detached: true })
  const closed = once(server, 'close')
  t.teardown(async () => {
    if (server.exitCode === null) process.kill(-(server.pid as number), 'SIGTERM')
    await closed
  })
  const said: string[] = []
  server.stderr.on('data', (chunk) => said.push(String(chunk)))
  for await (const line of createInterface({ input: server.stdout })) {
    said.push(line)
    if (!line.startsWith('Stagecast is running at ')) continue
    server.stdout.resume()
    return line
  }
  throw new Error(`it ended:\n${said.join('\n')}`)
}

/** The documentation's small server for the page, on another port. */
async function serve(t: Test, dir: string, port: number): Promise<void> {
  const server = spawn('bash', ['-c', `exec ${example('serve').replaceAll('8080', String(port))}`], {
    cwd: dir,
  })
  t.teardown(() => server.kill('SIGKILL'))
  const ended = once(server, 'exit').then(() => 'ended')
  for (;;) {
    const answer = await Promise.race([fetch(`http://127.0.0.1:${port}`).catch(() => null), ended])
    if (answer === 'ended') throw new Error('the server of the page ended')
    if (answer) return
  }
}

async function folder(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-docs-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

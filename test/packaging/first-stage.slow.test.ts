/**
 * A newcomer's first stage: an empty folder with the tarball, the wheel, ten lines of Python and a catalogue of one
 * entry. The working copy is used only to build the two packages and to test them from outside.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { JobSnapshot } from '../../contract/job.ts'
import { openTab } from '../console/console.ts'
import { noBrowser } from '../helpers/browser.ts'
import { freePort } from '../helpers/free-port.ts'
import { ROOT } from '../helpers/processes.ts'
import { eventually } from '../helpers/waiting.ts'
import { install, pack, run, start } from './packed.ts'

const PYTHON = '/usr/bin/python3'
// Import setuptools before pip, because it replaces pip's distutils.
const NEEDED = 'import setuptools, uvicorn, pip, wheel'
const noPython = spawnSync(PYTHON, ['-c', NEEDED]).status === 0 ? false : `${PYTHON} cannot ${NEEDED}`
if (noPython && process.env.REQUIRE_ALL_TESTS === '1') throw new Error(noPython)

/** Time limit for processes on a busy machine. */
const PATIENCE_MS = 120_000
const QUESTION = 'Does sleep change memory?'

t.test('ten lines of Python, behind npx stagecast dev', { skip: noPython || noBrowser }, async (t) => {
  const folder = await install(t, await pack(t), 'test/packaging/first-stage')
  const lines = (await readFile(join(folder, 'service.py'), 'utf8')).trim().split('\n')
  t.equal(lines.length, 10)
  const env = { ...process.env, PYTHONPATH: await installWheel(t), PYTHONDONTWRITEBYTECODE: '1' }
  const described = await run(PYTHON, ['-m', 'stagecast', 'describe', 'service:stages'], { cwd: folder, env })
  t.match(JSON.parse(described.stdout), { stages: [{ stage: 14, slug: 'draft', title: 'Draft' }] })
  await writeFile(join(folder, 'stages.json'), described.stdout)
  const [port, other] = [await freePort(), await freePort()]
  const serve = (at = port) => startService(t, folder, env, at)
  let service = await serve()
  const url = await startDev(t, folder, {
    ...{ STAGES_FILE: 'stages.json', WORKER_URL: `http://127.0.0.1:${port}`, STAGECAST_DATA: 'stagecast' },
    // Long enough for the test to act before the next attempt.
    ...{ STAGE_JOB_BACKOFF_MS: '5000', STAGE_JOB_ATTEMPTS: '10' },
  })
  const api = client(url)

  await t.test('a job of the new stage runs and can be watched', async (t) => {
    const job = await api.execute(3)
    const events = await api.events(job)
    t.equal(events.at(-1)?.event, 'completed')
    const told = events.map(({ data }) => data.message).filter((text) => /^word/.test(text))
    t.same(told, ['word 0', 'word 1', 'word 2'])
    t.match(await api.status(job), { result: { results: { words: 3 }, version: '1' } })

    await t.test('its file is downloaded', async (t) => {
      const answer = await fetch(`${url}${job.urls.status.replace('/status', '/artifacts/draft.md')}`)
      const text = await answer.text()
      t.equal(text, 'word word word ')
      const { result } = await api.status(job)
      const sha256 = createHash('sha256').update(text).digest('hex')
      t.match(result?.files, [{ name: 'draft.md', sha256 }])
    })
  })

  await t.test('invalid inputs are refused', async (t) => {
    for (const words of ['three', 1.5, null]) {
      const answer = await api.post({ words })
      t.equal(answer.status, 400)
      t.match(await answer.json(), { code: 'VALIDATION_FAILED', errors: [{ path: 'body/inputs/words' }] })
    }
    t.match(await (await api.post({})).json(), { errors: [{ path: 'body/inputs/words' }] }, 'it is required')
  })

  await t.test('a running job is cancelled', async (t) => {
    const job = await api.execute(10_000)
    await api.said(job, 'word 1')
    t.equal((await fetch(url + job.urls.cancel, { method: 'POST' })).status, 202)
    t.equal((await api.events(job)).at(-1)?.event, 'cancelled')
    // The closed connection stops the service.
    const running = async () => ((await (await fetch(`${service.url}/health`)).json()) as Health).running
    await eventually('the service has stopped', async () => (await running()) === 0, PATIENCE_MS)
  })

  await t.test('after kill -9 of the service, the job is retried and gets its stored result', async (t) => {
    const job = await api.execute(5)
    await api.said(job, 'word 1')
    await service.kill()
    await api.when(job, ({ status }) => status === 'retrying')
    // Run the job at the service, as if only the worker's connection had broken, so that its result is stored.
    const elsewhere = await serve(other)
    const { data } = await api.status(job)
    const { stage, workflow_id, research_question, user_id, inputs } = data
    const answer = await fetch(`${elsewhere.url}/api/workflow/stages/${stage}/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ workflow_id, research_question, user_id, inputs, job_id: job.job_id }),
    })
    const stored = (await answer.json()) as { results: object; duration_ms: number }
    t.match(stored.results, { words: 5 })
    await elsewhere.kill()
    service = await serve()
    const events = await api.events(job)
    t.equal(events.at(-1)?.event, 'completed')
    const { attempt, result } = await api.status(job)
    t.ok(attempt > 1, `attempt ${attempt}`)
    t.match(
      result,
      { results: stored.results, duration_ms: stored.duration_ms },
      'the result of the stored run',
    )
    const again = events.filter(({ data }) => data.attempt === attempt && /^word/.test(data.message))
    t.same(again, [], 'no step ran again')
  })

  await t.test('the console shows its form', async (t) => {
    const { page, complaints } = await openTab(t)
    await page.goto(`${url}/console/`)
    await page.getByRole('link', { name: /Draft/ }).click()
    await page.getByLabel('Research question').fill(QUESTION)
    await page.getByLabel('Words').fill('2.5')
    await page.getByRole('button', { name: 'Start' }).click()
    await page
      .locator('#field-inputs-words-fault')
      .getByText(/integer|whole/)
      .waitFor()
    await page.getByLabel('Words').fill('2')
    await page.getByRole('button', { name: 'Start' }).click()
    await page.locator('.job.completed').waitFor()
    await page.getByText('word 1').first().waitFor({ state: 'attached' })
    t.same(complaints, [])
  })
})

interface Health {
  running: number
}

interface Accepted {
  job_id: string
  urls: { status: string; events: string; cancel: string }
}

interface Told {
  event: string
  data: { message: string; attempt: number }
}

/** What a user does with curl. */
function client(url: string) {
  const post = (inputs: object) =>
    fetch(`${url}/api/workflow/stages/14/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ workflow_id: crypto.randomUUID(), research_question: QUESTION, inputs }),
    })
  const status = async (job: Accepted): Promise<JobSnapshot> =>
    (await (await fetch(url + job.urls.status)).json()) as JobSnapshot
  const when = (job: Accepted, is: (state: JobSnapshot) => boolean) =>
    eventually('the state', async () => is(await status(job)), PATIENCE_MS)
  return {
    ...{ post, status, when },
    async execute(words: number): Promise<Accepted> {
      const answer = await post({ words })
      if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`)
      return (await answer.json()) as Accepted
    },
    /** Reads the whole stream, which ends with the job. */
    async events(job: Accepted): Promise<Told[]> {
      const text = await (await fetch(url + job.urls.events)).text()
      return [...text.matchAll(/^event: (.+)\ndata: (.+)$/gm)].map(([, event = '', data = '']) => ({
        event,
        data: { message: '', ...JSON.parse(data) },
      }))
    },
    said: (job: Accepted, message: string) =>
      eventually(
        message,
        async () => {
          const page = await fetch(url + job.urls.events.replace('/events', '/events/page'))
          const { events } = (await page.json()) as { events: Told[] }
          return events.some(({ data }) => data.message === message)
        },
        PATIENCE_MS,
      ),
  }
}

/** Builds the wheel from a copy of its sources and installs it without an index; returns the folder. */
async function installWheel(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stagecast-wheel-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await cp(join(ROOT, 'packages/python'), join(folder, 'source'), {
    recursive: true,
    filter: (path) => !/\/(tests|build|__pycache__|\.pytest_cache|.*\.egg-info)$/.test(path),
  })
  const pip = ['-m', 'pip', '--disable-pip-version-check', '--no-cache-dir']
  const how = ['--no-build-isolation', '--no-deps', '--no-index']
  await run(PYTHON, [...pip, 'wheel', ...how, './source', '-w', 'out'], { cwd: folder })
  const [wheel = ''] = await readdir(join(folder, 'out'))
  const into = ['install', '--no-deps', '--no-index', '--target', 'site', join('out', wheel)]
  await run(PYTHON, [...pip, ...into], { cwd: folder })
  return join(folder, 'site')
}

async function startService(t: Test, folder: string, env: NodeJS.ProcessEnv, port: number) {
  const args = ['-m', 'uvicorn', 'service:stages', '--port', String(port), '--no-access-log']
  const child = start(PYTHON, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const url = `http://127.0.0.1:${port}`
  const healthy = () =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
  await eventually('the service answers', healthy, PATIENCE_MS)
  return {
    url,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function startDev(t: Test, folder: string, more: NodeJS.ProcessEnv): Promise<string> {
  const env = { ...process.env, REDIS_URL: '', PORT: '0', ...more }
  const child = start('npx', ['stagecast', 'dev'], { cwd: folder, env, detached: true })
  t.teardown(() => {
    // npx starts a shell, which starts the program, so signal the whole group.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
    return child.exitCode === null ? once(child, 'exit') : undefined
  })
  const ready = new Promise<string>((resolve) => {
    let said = ''
    child.stdout?.on('data', (chunk) => {
      said += chunk
      const url = /Stagecast is running at (\S+)\. Press/.exec(said)?.[1]
      if (url) resolve(url)
    })
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`npx stagecast dev ended with ${code}`)
  })
  ended.catch(() => {})
  const url = await Promise.race([ready, ended])
  const isReady = async () => (await fetch(`${url}/health/ready`)).status === 200
  await eventually('it is ready', isReady, PATIENCE_MS)
  return url
}

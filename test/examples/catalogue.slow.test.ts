/** The catalogue for another field in examples/catalogue: three services in two languages with a real API and worker. */
import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Stage } from '../../contract/catalogue.ts'
import { authorization, enqueue, execute, get, startDoor, testEnv } from '../helpers/app.ts'
import { checkService } from '../helpers/check-service.ts'
import { startExampleServices } from '../helpers/example-services.ts'
import { finished, status, statusWhen } from '../helpers/jobs.ts'
import { ROOT } from '../helpers/processes.ts'
import { eventually } from '../helpers/waiting.ts'

/** Two years of monthly values that rise by half a milligram a year, with one impossible value and one repeated day. */
const MONTHS = Array.from({ length: 24 }, (_, n) => {
  const date = new Date(Date.UTC(2022, n, 1))
  const years = (date.getTime() - Date.UTC(2022, 0, 1)) / 86_400_000 / 365.25
  return `${date.toISOString().slice(0, 10)},${(2 + 0.5 * years).toFixed(6)}`
})
const TABLE = ['date,value', '2023-06-15,999', ...MONTHS, MONTHS[5], ''].join('\n')
const QUESTION = 'Does nitrate in the Elbe at Magdeburg rise?'
const INPUTS = { site: 'Magdeburg', parameter: 'nitrate', table: TABLE }

async function start(t: Test, env: Record<string, string> = {}) {
  const services = await startExampleServices(t)
  const all = await testEnv(t, { STAGES_FILE: services.file, ...env })
  const [api] = await Promise.all([
    startDoor(t, 'server/api.ts', all),
    startDoor(t, 'server/worker.ts', { ...all, PORT: '0' }),
  ])
  const workflow_id = randomUUID()
  const run = async (stage: number, body: object = {}) => {
    const job = await enqueue(api.url, { stage, body: { workflow_id, research_question: QUESTION, ...body } })
    return { job, end: await finished(api.url, job) }
  }
  return { services, url: api.url, workflow_id, run }
}

t.test('from the table to the report', async (t) => {
  const { services, url, run } = await start(t)
  const list = async () => (await get<{ stages: Stage[] }>(`${url}/api/workflow/stages`)).stages
  t.same(
    (await list()).map(({ stage, slug, needs, uses }) => [stage, slug, needs, uses]),
    [
      [1, 'import-measurements', [], []],
      [2, 'check-measurements', [1], []],
      [3, 'trend', [2], []],
      [4, 'seasons', [2], []],
      [5, 'report', [3], [4]],
    ],
  )
  // A service that did not answer in time is asked again only after a minute.
  const told = async () => (await list()).every(({ available }) => available === true)
  await eventually('each service has listed its stages', told)
  const wrong = await execute(url, { stage: 1, body: { inputs: { ...INPUTS, parameter: 'gold' } } })
  t.equal(wrong.status, 400)
  t.match(await wrong.json(), { errors: [{ path: 'body/inputs/parameter' }] })

  const first = await run(1, { inputs: INPUTS })
  t.match(first.end.result?.results, { measurements: 26, from: '2022-01-01', to: '2023-12-01' })
  const second = await run(2)
  t.match(second.end.result, { version: '1', results: { kept: 24, rejected: 2, parameter: 'nitrate' } })
  const third = await run(3, { inputs: { confidence: 0.99 } })
  t.match(third.end.result?.results, {
    ...{ measurements: 24, s: 276, significant: true, confidence: 0.99 },
    // Every later value is higher: S = 24 * 23 / 2, its variance 24 * 23 * 53 / 18.
    z: Number((275 / Math.sqrt((24 * 23 * 53) / 18)).toFixed(6)),
    ...{ slope_per_year: 0.5, site: 'Magdeburg' },
  })
  const fourth = await run(4)
  t.same(fourth.end.result?.results, { highest: 12, lowest: 1 })
  const fifth = await run(5)
  const [file] = fifth.end.result?.files ?? []
  const answer = await fetch(`${url}${fifth.job.urls.status.replace('/status', '/artifacts/report.md')}`, {
    headers: authorization(),
  })
  const report = await answer.text()
  t.match(report, /^# Magdeburg: nitrate\n\n\*\*Does nitrate .*\*\*\n\nnitrate rises by 0\.5 a year/)
  t.match(report, 'It is highest in December and lowest in January.')
  t.equal(createHash('sha256').update(report).digest('hex'), file?.sha256)

  await t.test('each service passes the check', async (t) => {
    const upstream = Object.fromEntries(
      [first, second, third, fourth].map(({ end }) => {
        const { url } = [services.intake, services.intake, services.trends, services.trends][
          end.stage - 1
        ] as { url: string }
        const files = (end.result?.files ?? []).map((one) => ({
          ...one,
          url: `${url}/api/workflow/jobs/${end.job_id}/artifacts/${one.name}`,
        }))
        return [end.stage, { job_id: end.job_id, results: end.result?.results, files }]
      }),
    )
    const args = ['--upstream', JSON.stringify(upstream), '--inputs', JSON.stringify({ 1: INPUTS })]
    for (const service of [services.intake, services.trends, services.report])
      await checkService(t, service.url, args)
  })
})

t.test("a service's error message reaches the user", async (t) => {
  const { run } = await start(t)
  const { end } = await run(1, { inputs: { ...INPUTS, table: 'date,value\n2022-13-01,5' } })
  t.match(end, {
    ...{ status: 'failed', attempt: 1 },
    error: { code: 'BAD_TABLE', message: /^Line 2 is not a date and a number/, retryable: false },
  })
})

t.test('a service that is down delays only its own stages, and its jobs run when it is back', async (t) => {
  const { services, url, workflow_id, run } = await start(t, { BREAKER_RESET_MS: '200' })
  await run(1, { inputs: INPUTS })
  await run(2)
  await services.trends.stop()
  const waiting = await enqueue(url, { stage: 3, body: { workflow_id, inputs: {} } })
  await statusWhen(url, waiting, ({ attempt }) => attempt > 0)
  t.match((await run(1, { inputs: INPUTS })).end, { status: 'completed', attempt: 1 })
  t.equal((await status(url, waiting)).finished_at, null)
  await services.restartTrends()
  t.match(await finished(url, waiting), { status: 'completed', result: { results: { s: 276 } } })
})

t.test('the catalogue agrees with the Python service about inputs', async (t) => {
  const folder = join(ROOT, 'examples/catalogue')
  const env = { ...process.env, PYTHONPATH: join(ROOT, 'packages/python/src'), STAGE_DATA_DIR: t.testdir() }
  const args = ['-B', '-m', 'stagecast', 'describe', 'trends:stages']
  const { stdout } = spawnSync('/usr/bin/python3', args, { cwd: folder, env, encoding: 'utf8' })
  const { stages } = JSON.parse(readFileSync(join(folder, 'stages.json'), 'utf8'))
  for (const described of JSON.parse(stdout).stages) {
    const entry = stages.find(({ stage }: { stage: number }) => stage === described.stage)
    t.match(entry, { slug: described.slug, title: described.title })
    t.same(Object.keys(entry.inputs?.properties ?? {}), Object.keys(described.inputs?.properties ?? {}))
  }
})

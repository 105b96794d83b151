/** The catalogue of stages. */
import t from 'tap'
import { authorization, startApi, testEnv } from '../helpers/app.ts'
import { injected, isProblem } from '../helpers/problem.ts'
import { fakeStageService } from '../helpers/stage-service.ts'

const SLUGS =
  'topic-declaration literature-search irb-proposal variable-definition phi-scanning schema-extraction ' +
  'final-scrubbing data-validation summary-characteristics gap-analysis manuscript-ideation ' +
  'manuscript-selection statistical-analysis manuscript-drafting polish-manuscript submission-readiness ' +
  'poster symposium presentation conference-prep'

t.test('the 20 stages', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  const url = '/api/workflow/stages'
  isProblem(t, injected(await app.inject(url)), 'UNAUTHENTICATED')
  const { statusCode, body } = await app.inject({ url, headers: authorization() })
  t.equal(statusCode, 200)
  const { stages } = JSON.parse(body) as { stages: Record<string, unknown>[] }
  t.same(
    stages.map(({ stage }) => stage),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  t.same(
    stages.map(({ slug }) => slug),
    SLUGS.split(' '),
  )
  const numbers = (flag: string) => stages.filter((one) => one[flag]).map(({ stage }) => stage)
  t.same(numbers('sign_off'), [5, 9, 10, 11, 13, 14, 15])
  t.same(numbers('optional'), [17, 18, 19, 20])
  t.same(numbers('needs_question'), [2])
  for (const one of stages) t.match(one, { title: /^[A-Z].{3,}/ }, 'a title for people')
  t.same(stages[13]?.needs, [2, 10])
  t.same(stages[13]?.uses, [1])
  t.ok(
    stages.every((one) => Object.keys(one).length === 10),
    'all fields come through the serializer',
  )
})

t.test('a service lists its stages; a service that does not answer delays no request', async (t) => {
  const service = await fakeStageService(t)
  service.onGet = (url, response) => {
    t.equal(url, '/api/workflow/stages')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('[{"stage":2,"version":"3"},{"stage":7}]')
  }
  const { app } = await startApi(t, await testEnv(t, { WORKER_URL: service.url }))
  const available = (body: string) =>
    (JSON.parse(body).stages as { stage: number; available: boolean | null }[]).filter(
      (one) => one.available !== false,
    )
  const ask = () => app.inject({ url: '/api/workflow/stages', headers: authorization() })
  t.same(
    available((await ask()).body).map(({ stage, available }) => [stage, available]),
    [
      [2, true],
      [7, true],
    ],
  )

  const silent = await fakeStageService(t)
  silent.onGet = () => {}
  const other = await startApi(t, await testEnv(t, { WORKER_URL: silent.url }))
  const from = performance.now()
  const { body } = await other.app.inject({ url: '/api/workflow/stages', headers: authorization() })
  t.ok(performance.now() - from < 3000)
  t.ok(JSON.parse(body).stages.every((one: { available: unknown }) => one.available === null))
})

t.test('exactly the listed stages can be executed', async (t) => {
  const { app } = await startApi(t, await testEnv(t))
  const { paths } = (await app.inject('/openapi.json')).json() as { paths: Record<string, unknown> }
  const executes = Object.keys(paths).filter((path) => path.endsWith('/execute'))
  t.equal(executes.length, 20)
})

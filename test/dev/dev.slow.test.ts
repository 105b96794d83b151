/** `npm run dev` reports faults of the servers that it starts, and exits. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectRedis } from '../../journal/redis.ts'
import { QUESTION, startDoor } from '../helpers/app.ts'
import { program, runNode } from '../helpers/processes.ts'
import { eventually } from '../helpers/waiting.ts'

async function environment(t: Test) {
  const data = await mkdtemp(join(tmpdir(), 'dev-'))
  t.teardown(() => rm(data, { recursive: true, force: true }))
  return { STAGECAST_DATA: data, PORT: '0', LOG_LEVEL: 'info' }
}

t.test('its settings are checked like those of the other processes', async (t) => {
  const env = { ...(await environment(t)), STAGE_PACE_MS: 'abc', STAGE_KEEP_SECONDS: '1' }
  const { exit, output } = await runNode(t, [program('server/all.ts'), '--dev'], env)
  t.equal(exit, 1)
  t.match(output, /^ +STAGE_PACE_MS must be a whole number from 0 to/m)
  t.match(output, /^ +STAGE_KEEP_SECONDS must be a whole number from 3600 to/m)
})

t.test('when its Redis exits, it says so and exits too', async (t) => {
  const env = await environment(t)
  const dev = await startDoor(t, 'server/all.ts', env, { args: ['--dev'] })
  const redis = connectRedis(`unix://${join(env.STAGECAST_DATA, 'redis', 'redis.sock')}`, 'blocking', 'bull')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
  t.ok(pid > 0)
  process.kill(pid, 'SIGKILL')
  t.equal(await dev.exited, 1)
  t.match(dev.logs.join('\n'), /The embedded Redis exited unexpectedly \(exit code 137\)/)
})

t.test('NODE_ENV=production in the shell does not make it a production server', async (t) => {
  const env = { ...(await environment(t)), NODE_ENV: 'production' }
  const dev = await startDoor(t, 'server/all.ts', env, { args: ['--dev'] })
  const answer = await fetch(`${dev.url}/api/workflow/stages/2/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION }),
  })
  t.equal(answer.status, 202, 'without a token: mock authentication is on')
})

t.test('the request that it suggests is for a stage of the catalogue', async (t) => {
  const env = await environment(t)
  const STAGES_FILE = join(env.STAGECAST_DATA, 'stages.json')
  await writeFile(STAGES_FILE, '{ "stages": [{ "stage": 31, "slug": "soil", "title": "Soil samples" }] }')
  const overrides = { STAGES_FILE, WORKER_URL: 'http://127.0.0.1:9' }
  const dev = await startDoor(t, 'server/all.ts', { ...env, ...overrides }, { args: ['--dev'] })
  const said = await eventually('a request', () => dev.logs.find((line) => line.includes('/execute')))
  t.match(said, `curl -s ${dev.url}/api/workflow/stages/31/execute`)
})

/** The three entry points as in production: compiled JavaScript. */
import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Env, enqueue, testEnv } from '../helpers/app.ts'
import { finished } from '../helpers/jobs.ts'
import { becomesReady } from '../helpers/outage.ts'
import { end, ROOT, runNode, startCompiled } from '../helpers/processes.ts'
import { fakeStageService } from '../helpers/stage-service.ts'

// One build for all tests in this file, next to the modules that it imports.
const base = await mkdtemp(join(tmpdir(), 'stagecast-build-'))
t.teardown(() => rm(base, { recursive: true, force: true }))
await symlink(join(ROOT, 'node_modules'), join(base, 'node_modules'))
await copyFile(join(ROOT, 'package.json'), join(base, 'package.json'))
const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
const build = await runNode(t, [compiler, '-p', 'tsconfig.build.json', '--outDir', join(base, 'dist')], {})
const copied = await runNode(t, ['dev/copy-scripts.mjs', join(base, 'dist')], {})
const bundled = await runNode(t, ['packages/console/bundle.mjs', join(base, 'dist', 'console')], {})
const compiled = (name: string) => join(base, 'dist', `${name}.js`)

t.equal(build.exit, 0, build.output)
t.equal(copied.exit, 0, copied.output)
t.equal(bundled.exit, 0, bundled.output)

t.test('API and worker', async (t) => {
  const service = await fakeStageService(t)
  const env: Env = await testEnv(t, { WORKER_URL: service.url, LOG_LEVEL: 'info' })
  const [api, worker] = await Promise.all([
    startCompiled(t, compiled('server/api'), env),
    startCompiled(t, compiled('server/worker'), env),
  ])
  for (const { url } of [api, worker]) {
    t.same(await (await fetch(`${url}/health/live`)).json(), { status: 'live' })
    await becomesReady(url)
    t.same(await (await fetch(`${url}/health/ready`)).json(), { status: 'ready' })
  }
  const missing = await fetch(`${worker.url}/api/workflow/stages`)
  t.equal(missing.status, 404)
  t.match(missing.headers.get('content-type'), 'application/problem+json')
  t.match(await missing.json(), { code: 'NOT_FOUND' })
  t.match(await finished(api.url, await enqueue(api.url)), { status: 'completed' })
  const page = await (await fetch(`${api.url}/console/`)).text()
  const script = await fetch(`${api.url}/console/${/src="(.+?)"/.exec(page)?.[1]}`)
  t.match([script.status, script.headers.get('content-encoding')], [200, 'gzip'], 'the console is there')
  const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as { info: { version: string } }
  t.match(document.info.version, /^\d+\.\d+\.\d+/, 'the version of package.json is found from dist')
  for (const door of [api, worker]) {
    const { exit, output } = await end(door)
    t.equal(exit, 0, output)
  }
})

t.test('both in one process', async (t) => {
  const service = await fakeStageService(t)
  const env: Env = await testEnv(t, { WORKER_URL: service.url, LOG_LEVEL: 'info' })
  const both = await startCompiled(t, compiled('server/all'), env)
  t.match(await finished(both.url, await enqueue(both.url)), { status: 'completed' })
  const { exit, output } = await end(both)
  t.equal(exit, 0, output)
})

t.test('an unreadable .env is one line of error', async (t) => {
  const folder = t.testdir({ '.env': {} })
  for (const name of ['server/api', 'server/worker', 'server/all']) {
    const { exit, output } = await runNode(t, [compiled(name)], {}, folder)
    t.equal(exit, 1)
    t.match(output, /^Cannot start: .*\.env.*\n$/)
  }
})

t.test('without a configuration they list what is missing', async (t) => {
  for (const name of ['server/api', 'server/worker', 'server/all']) {
    const { exit, output } = await runNode(t, [compiled(name)], {}, base)
    t.equal(exit, 1)
    // A worker verifies no tokens, so it needs no key.
    const needed = ['REDIS_URL', 'WORKER_URL', ...(name === 'server/worker' ? [] : ['JWT_SECRET'])]
    for (const variable of needed) t.match(output, new RegExp(`^ *${variable}.*required`, 'm'))
  }
})

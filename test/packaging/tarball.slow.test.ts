/** What `npm pack` makes, installed in an empty folder: it compiles for its users, and runs. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ROOT } from '../helpers/processes.ts'
import { sharedRedis } from '../helpers/redis.ts'
import { eventually } from '../helpers/waiting.ts'

/** tap loads itself into every Node below it, and the compiler does not bear that. */
const BARE = ['-u', 'NODE_OPTIONS']
const exec = promisify(execFile)
const run = (program: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) =>
  exec('env', [...BARE, program, ...args], { timeout: 240_000, ...options })

const folder = await mkdtemp(join(tmpdir(), 'stagecast-tarball-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const { version, devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))

t.before(async () => {
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT })
  const tarball = stdout.trim().split('\n').at(-1) as string
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`)
  await run('npm', ['install', '--no-audit', '--no-fund', join(folder, tarball), ...tools], { cwd: folder })
  await cp(join(ROOT, 'test/packaging/fixture'), folder, { recursive: true })
})

t.test('it brings what it needs, and no more', async (t) => {
  const inside = join(folder, 'node_modules/stagecast')
  const { stdout } = await run('find', ['.', '-type', 'f'], { cwd: inside })
  const files = stdout.split('\n')
  for (const one of ['./dist/stagecast.js', './dist/console/index.html', './dist/journal/scripts/record.lua'])
    t.ok(files.includes(one), one)
  t.same(
    files.filter((file) => /\/(test|bench)\/|\.tsx?$/.test(file) && !file.endsWith('.d.ts')),
    [],
  )
})

t.test('its types hold for a strict compiler that looks into libraries too', async (t) => {
  const options = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2022']
  const how = [...options, '--module', 'nodenext', '--types', 'node', 'uses-all.ts']
  const tsc = join(folder, 'node_modules/.bin/tsc')
  const said = await run(tsc, how, { cwd: folder }).catch((error: { stdout: string }) => error)
  t.equal(said.stdout, '')
})

t.test('an application on it runs a job', async (t) => {
  const env = { ...process.env, REDIS_URL: await sharedRedis(t) }
  const { stdout } = await run(process.execPath, ['round.mjs'], { cwd: folder, env })
  t.match(JSON.parse(stdout), {
    last: 'completed',
    url: /^\/research\/api\/workflow\/stages\/2\/jobs\/.*\/status$/,
    console: 200,
    info: { title: 'Stagecast', version },
  })
})

t.test('npx stagecast', async (t) => {
  const command = join(folder, 'node_modules/.bin/stagecast')
  const help = await run(command, [])
  t.match(help.stdout, 'stage-service')
  const wrong = await run(command, ['wurst']).catch((error: { code: number; stderr: string }) => error)
  t.match(wrong, { code: 1, stderr: /There is no command "wurst"/ })
  const env = { ...process.env, REDIS_URL: '', PORT: '0', STAGECAST_DATA: join(folder, 'data') }
  const child = spawn('env', [...BARE, command, 'dev'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  const ready = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk) => {
      said += chunk
      const url = /Stagecast serves (\S+) until/.exec(said)?.[1]
      if (url) resolve(url)
    })
  })
  const ended = once(child, 'exit')
  const url = await Promise.race([ready, ended.then(() => '')])
  await eventually('it is ready', async () => (await fetch(`${url}/health/ready`)).status === 200)
  child.kill('SIGTERM')
  t.same(await ended, [0, null])
})

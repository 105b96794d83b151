/** The tarball of `npm pack`, installed in an empty folder, compiles and runs. */
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { sharedRedis } from '../helpers/redis.ts'
import { eventually } from '../helpers/waiting.ts'
import { install, MANIFEST, pack, run, start } from './packed.ts'

const { version, devDependencies } = MANIFEST
const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`)
const react = (major: number) => ['react', 'react-dom', '@types/react'].map((name) => `${name}@${major}`)
const tarball = await pack(t)
const folder = await install(t, tarball, 'test/packaging/fixture', [...tools, ...react(19)])

t.test('the tarball contains exactly the needed files', async (t) => {
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

for (const major of [18, 19])
  t.test(
    `with React ${major}: hooks, and types that pass a strict compiler which also checks libraries`,
    async (t) => {
      const inside =
        major === 19
          ? folder
          : await install(t, tarball, 'test/packaging/fixture', [...tools, ...react(major)])
      const options = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2022']
      const how = [...options, '--module', 'nodenext', '--types', 'node', 'uses-all.ts']
      const tsc = join(inside, 'node_modules/.bin/tsc')
      const said = await run(tsc, how, { cwd: inside }).catch((error: { stdout: string }) => error)
      t.equal(said.stdout, '')
      const { stdout } = await run(process.execPath, ['render.mjs'], { cwd: inside })
      const { version: rendered, html } = JSON.parse(stdout)
      t.match(rendered, new RegExp(`^${major}\\.`))
      t.equal(html, '<p>queued 0 null</p>')
    },
  )

t.test('an application with the package runs a job', async (t) => {
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
  const help = await run(command, [], { cwd: folder })
  t.match(help.stdout, 'stage-service')
  const wrong = await run(command, ['wurst'], { cwd: folder }).catch(
    (error: { code: number; stderr: string }) => error,
  )
  t.match(wrong, { code: 1, stderr: /There is no command "wurst"/ })
  const env = { ...process.env, REDIS_URL: '', PORT: '0', STAGECAST_DATA: join(folder, 'data') }
  const child = start(command, ['dev'], { cwd: folder, env })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  const ready = new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk) => {
      said += chunk
      const url = /Stagecast is running at (\S+)\. Press/.exec(said)?.[1]
      if (url) resolve(url)
    })
  })
  const ended = once(child, 'exit')
  const url = await Promise.race([ready, ended.then(() => '')])
  await eventually('it is ready', async () => (await fetch(`${url}/health/ready`)).status === 200)
  child.kill('SIGTERM')
  t.same(await ended, [0, null])
})

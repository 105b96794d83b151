import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { findRedis } from '../../dev/find-redis.mjs'
import { setup } from '../../dev/setup.mjs'
import { ROOT } from '../helpers/processes.ts'

const SOURCES = join(ROOT, 'dev')
const INSTALLED = { 'node_modules/dep': { version: '1.0.0', integrity: 'sha512-one' } }

/** The fake npm. Like the real one, it writes its own lock file last. */
const WORKING_NPM = `
rm -rf node_modules
mkdir -p node_modules/dep node_modules/tool
echo '{}' > node_modules/dep/package.json
echo '{}' > node_modules/tool/package.json
cp package-lock.json node_modules/.package-lock.json`

interface Machine {
  root: string
  /** Runs the set-up in this process on the fake machine; returns its exit code and output. */
  run(args?: string[], overrides?: Parameters<typeof setup>[1]): { code: number; said: string }
  /** Each command that was run, in order. */
  ran(): Promise<string[]>
}

/** A project in a separate folder, with a PATH of small scripts that record how they were called. */
async function machine(t: Test, programs: Record<string, string>): Promise<Machine> {
  const root = t.testdir({ bin: {}, dev: {} })
  const manifest = {
    engines: { node: '>=20.20' },
    dependencies: { dep: '1.0.0' },
    devDependencies: { tool: '^2' },
  }
  const { engines: _, ...ranges } = manifest
  const packages = {
    '': ranges,
    ...INSTALLED,
    'node_modules/tool': { version: '2.1.0', integrity: 'sha512-two', dev: true },
    'node_modules/elsewhere': { version: '3.0.0', integrity: 'sha512-three', optional: true },
  }
  await writeFile(join(root, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  for (const [name, body] of Object.entries({ npm: WORKING_NPM, ...programs })) {
    await program(join(root, 'bin', name), `echo "${name} $*" >> "${root}/ran"\n${body}`)
  }
  // The scripts themselves need these programs.
  await program(join(root, 'bin', 'true'), '')
  for (const tool of ['rm', 'mkdir', 'cp', 'chmod']) {
    const { stdout } = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' })
    await program(join(root, 'bin', tool), `exec ${stdout.trim()} "$@"`)
  }
  return {
    root,
    run(args = [], overrides = {}) {
      const said: string[] = []
      const env = { PATH: join(root, 'bin') }
      const code = setup(args, {
        root,
        env,
        isRoot: true,
        extraDirs: [],
        say: (line) => said.push(line),
        ...overrides,
      })
      return { code, said: said.join('\n') }
    },
    ran: async () => (await readFile(join(root, 'ran'), 'utf8').catch(() => '')).split('\n').filter(Boolean),
  }
}

async function program(path: string, body: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${body}\n`)
  await chmod(path, 0o755)
}

/** Shell code for a fake package manager: puts a server program on the PATH. */
const installs = (name: string) => `{ echo '#!/bin/sh' > "\${0%/*}/${name}"; chmod 755 "\${0%/*}/${name}"; }`

t.test('node_modules', async (t) => {
  t.test(
    'are installed completely if missing, whatever the environment omits, and not touched afterwards',
    async (t) => {
      const { run, ran } = await machine(t, { 'redis-server': '' })
      const { code, said } = run()
      t.equal(code, 0)
      t.strictSame(await ran(), ['npm ci --include=dev --include=optional --loglevel=error'])
      t.match(said, /node_modules is missing or out of date[\s\S]*Running: npm ci/)
      t.strictSame(run(), { code: 0, said: '' }, 'the second time there is nothing to do or say')
      t.equal((await ran()).length, 1)
    },
  )

  const changes: Record<string, (root: string) => Promise<void>> = {
    'another version is locked': (root) =>
      edit(root, 'package-lock.json', '"1.0.0","integrity"', '"1.0.1","integrity"'),
    'the same version has another content': (root) =>
      edit(root, 'package-lock.json', 'sha512-two', 'sha512-2'),
    'a package was added to the lock': (root) =>
      edit(
        root,
        'package-lock.json',
        '"node_modules/dep"',
        '"node_modules/new":{"version":"1.0.0"},"node_modules/dep"',
      ),
    'a package too many is installed': (root) =>
      edit(
        root,
        'node_modules/.package-lock.json',
        '"node_modules/dep"',
        '"node_modules/old":{},"node_modules/dep"',
      ),
    'the install was interrupted': (root) => rm(join(root, 'node_modules', '.package-lock.json')),
    'a package was deleted by hand': (root) => rm(join(root, 'node_modules', 'tool'), { recursive: true }),
    'npm wrote half a file': (root) =>
      writeFile(join(root, 'node_modules', '.package-lock.json'), '{"packages"'),
  }
  for (const [what, change] of Object.entries(changes)) {
    t.test(`are installed again when ${what}`, async (t) => {
      const { root, run, ran } = await machine(t, { 'redis-server': '' })
      run()
      await change(root)
      t.equal(run().code, 0)
      t.equal((await ran()).length, 2)
      t.equal(run().code, 0)
      t.equal((await ran()).length, 2)
    })
  }

  t.test('an optional package of another platform need not be there', async (t) => {
    const { root, run, ran } = await machine(t, { 'redis-server': '' })
    run()
    await edit(root, 'node_modules/.package-lock.json', /,"node_modules\/elsewhere":\{[^}]*\}/, '')
    t.equal(run().code, 0)
    t.equal((await ran()).length, 1)
  })

  t.test('a lock file that does not match package.json is reported', async (t) => {
    const { root, run } = await machine(t, { npm: 'exit 1', 'redis-server': '' })
    await edit(root, 'package.json', '^2', '^3')
    const { code, said } = run()
    t.equal(code, 1)
    t.match(said, /npm install/)
  })

  t.test('a failing npm stops the set-up with instructions', async (t) => {
    const { run, ran } = await machine(t, { npm: 'exit 7', 'apt-get': '' })
    const { code, said } = run()
    t.equal(code, 1)
    t.match(said, /`npm ci .*` ended with exit code 7 .*Check the network/)
    t.equal((await ran()).length, 1, 'nothing else is tried')
  })

  t.test('a missing npm is reported', async (t) => {
    const { root, run } = await machine(t, {})
    await rm(join(root, 'bin', 'npm'))
    const { code, said } = run()
    t.equal(code, 1)
    t.match(said, /could not be started/)
  })

  t.test('--modules-only does not install Redis', async (t) => {
    const { run, ran } = await machine(t, { 'apt-get': '' })
    t.equal(run(['--modules-only']).code, 0)
    t.strictSame(await ran(), ['npm ci --include=dev --include=optional --loglevel=error'])
  })
})

t.test('an old Node is refused, and the message names both versions', async (t) => {
  const { run, ran } = await machine(t, { 'redis-server': '' })
  for (const nodeVersion of ['18.20.4', '20.19.9']) {
    const { code, said } = run([], { nodeVersion })
    t.equal(code, 1)
    t.match(said, `this is Node ${nodeVersion}, but Node 20.20 or later is needed`)
  }
  t.strictSame(await ran(), [])
  for (const nodeVersion of ['20.20.0', '22.0.0', '24.1.0']) t.equal(run([], { nodeVersion }).code, 0)
})

t.test('Redis', async (t) => {
  const afterModules = async ({ ran }: Machine) => (await ran()).slice(1)

  t.test('nothing is done when REDIS_URL names one, or a server is on PATH', async (t) => {
    const bare = await machine(t, { 'apt-get': 'exit 1' })
    const env = { PATH: join(bare.root, 'bin'), REDIS_URL: 'redis://cache:6379' }
    t.equal(bare.run([], { env }).code, 0)
    t.strictSame(await afterModules(bare), [])
    t.equal(bare.run([], { env: { ...env, REDIS_URL: '' } }).code, 1, 'an empty REDIS_URL counts as unset')

    for (const name of ['redis-server', 'valkey-server']) {
      const having = await machine(t, { [name]: '', 'apt-get': 'exit 1' })
      t.equal(having.run().code, 0)
      t.strictSame(await afterModules(having), [])
    }
  })

  t.test('a server outside PATH, in a common folder, is found', async (t) => {
    const { root, run } = await machine(t, {})
    const sbin = join(root, 'sbin')
    await mkdir(sbin)
    await program(join(sbin, 'redis-server'), '')
    t.equal(run([], { extraDirs: [sbin] }).code, 0)
    t.equal(findRedis({ PATH: join(root, 'bin') }, [sbin]), join(sbin, 'redis-server'))
  })

  t.test('a redis-check-rdb counts only when it is the server under another name', async (t) => {
    const server = await machine(t, { 'redis-check-rdb': 'echo "Redis server v=7.0.15 sha=0"' })
    t.equal(server.run().code, 0)
    const checker = await machine(t, { 'redis-check-rdb': 'echo "redis-check-rdb 5.0"' })
    t.equal(checker.run().code, 1)
  })

  t.test('apt, as root: says what it runs, then runs it', async (t) => {
    const here = await machine(t, { 'apt-get': `[ "$1" = update ] || ${installs('redis-server')}` })
    const { code, said } = here.run()
    t.equal(code, 0)
    const commands = ['apt-get update', 'apt-get install -y --no-install-recommends redis-tools']
    t.strictSame(await afterModules(here), commands)
    for (const command of commands) t.match(said, `Running: ${command}`)
  })

  t.test('a failing update alone does not stop it', async (t) => {
    const here = await machine(t, {
      'apt-get': `[ "$1" = install ] || exit 100; ${installs('redis-server')}`,
    })
    t.equal(here.run().code, 0)
  })

  t.test('with passwordless sudo', async (t) => {
    const here = await machine(t, { 'apt-get': installs('redis-server'), sudo: 'shift; exec "$@"' })
    t.equal(here.run([], { isRoot: false }).code, 0)
    const sudo = (await here.ran()).filter((line) => line.startsWith('sudo'))
    t.ok(
      sudo.every((line) => line.startsWith('sudo -n ')),
      'sudo must not ask for a password',
    )
    t.match(sudo.at(-1), 'sudo -n apt-get install')
  })

  t.test('with a sudo that asks for a password: prints the command and runs nothing', async (t) => {
    const here = await machine(t, { 'apt-get': '', sudo: 'echo "a password is required" >&2; exit 1' })
    const { code, said } = here.run([], { isRoot: false })
    t.equal(code, 1)
    t.match(
      said,
      'Type:\n\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-tools\n',
    )
    t.strictSame(await afterModules(here), ['sudo -n true'])
  })

  t.test('without root and without sudo: the command for root', async (t) => {
    const here = await machine(t, { apk: '' })
    const { code, said } = here.run([], { isRoot: false })
    t.equal(code, 1)
    t.match(said, /Type(?: as root)?:\n\n {2}apk add --no-cache redis\n/)
    t.strictSame(await afterModules(here), [])
  })

  t.test('if apt fails, the message says what failed and what to do', async (t) => {
    const here = await machine(t, { 'apt-get': 'exit 100' })
    const { code, said } = here.run()
    t.equal(code, 1)
    t.match(said, /`apt-get install .*` ended with exit code 100[\s\S]*by hand:[\s\S]*or set REDIS_URL/)
  })

  t.test('an install that succeeds without a server is an error', async (t) => {
    const { code, said } = (await machine(t, { apk: '' })).run()
    t.equal(code, 1)
    t.match(said, '`apk add --no-cache redis` brought no redis-server')
  })

  t.test('dnf installs Valkey where Redis is not packaged', async (t) => {
    const here = await machine(t, { dnf: `[ "$3" = valkey ] || exit 1; ${installs('valkey-server')}` })
    t.equal(here.run().code, 0)
    t.strictSame(await afterModules(here), ['dnf install -y redis', 'dnf install -y valkey'])
  })

  t.test('brew runs without root, and never as root', async (t) => {
    const here = await machine(t, { brew: installs('redis-server') })
    t.equal(here.run().code, 1)
    t.strictSame(await afterModules(here), [])
    t.equal(here.run([], { isRoot: false }).code, 0)
    t.strictSame(await afterModules(here), ['brew install redis'])
  })

  t.test('without a known package manager, the message says what is needed', async (t) => {
    const { code, said } = (await machine(t, {})).run()
    t.equal(code, 1)
    t.match(said, /Install Redis .* or Valkey, or set REDIS_URL/)
  })
})

t.test('the program runs on Node alone and reports by its exit code', async (t) => {
  const { root } = await machine(t, {})
  await mkdir(join(root, 'dev'), { recursive: true })
  for (const file of ['setup', 'find-redis', 'install-redis', 'node-modules']) {
    await cp(join(SOURCES, `${file}.mjs`), join(root, 'dev', `${file}.mjs`))
  }
  const PATH = [join(root, 'bin'), dirname(process.execPath)].join(':')
  const run = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [join(root, 'dev', 'setup.mjs'), '--modules-only'], {
      env,
      encoding: 'utf8',
    })
  t.match(run({ PATH }), { status: 0, stderr: /Running: npm ci/ })
  t.match(run({ PATH }), { status: 0, stderr: '', stdout: '' })
  await rm(join(root, 'node_modules'), { recursive: true })
  await program(join(root, 'bin', 'npm'), 'exit 1')
  t.match(run({ PATH }), { status: 1, stderr: /Set-up failed/ })
})

async function edit(root: string, file: string, from: string | RegExp, to: string): Promise<void> {
  const path = join(root, file)
  const text = await readFile(path, 'utf8')
  const edited = text.replace(from, to)
  if (edited === text) throw new Error(`${file} holds no ${from}`)
  await writeFile(path, edited)
}

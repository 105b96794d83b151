/** Which room may import which, as a table; and that no imports go in a circle. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { namesIn, read, rows, section } from './docs/markdown.ts'
import { ROOT } from './helpers/processes.ts'

/** Files of the program, without tests, benchmarks and set-up scripts. */
const ROOMS = [
  'stages',
  'plugins',
  'routes',
  'workers',
  'stage-service',
  'embedded',
  'client',
  'console',
  'terminal',
]
const TOP = [
  'admin',
  'app',
  'config',
  'door',
  'logger',
  'processes',
  'redis',
  'redis-cluster',
  'redis-url',
  'server',
  'start',
  'tracing',
  'tracing-env',
  'tracing-sdk',
  'worker',
]

/** What each room may import besides itself: rooms, or single files. A file's own row comes before its room's. */
const MAY: Record<string, string[]> = {
  stages: [],
  plugins: ['stages', 'journal/redis.ts', 'contract/tracing.ts'],
  routes: ['stages', 'plugins'],
  workers: ['stages', 'journal/redis.ts', 'contract/tracing.ts'],
  client: ['stages'],
  console: ['client', 'stages'],
  'stage-service': ['contract/service.ts', 'contract/literature.ts'],
  embedded: [],
  // The demo is a client of the API.
  'dev/demo.ts': ['stages', 'client', 'terminal'],
  'dev/review-table.ts': ['terminal'],
  terminal: ['stages', 'client'],
  'server/config.ts': ['journal/redis-url.ts', 'server/tracing-env.ts'],
  'contract/tracing.ts': ['stages'],
  'server/tracing-env.ts': [],
  'server/tracing-sdk.ts': ['stages', 'contract/tracing.ts', 'server/tracing-env.ts'],
  'server/logger.ts': [],
  'journal/redis.ts': ['journal/redis-cluster.ts', 'journal/redis-url.ts'],
  'journal/redis-cluster.ts': ['journal/redis-url.ts'],
  'journal/redis-url.ts': [],
  'server/admin.ts': ['server/config.ts', 'plugins', 'routes', 'stages'],
  'stagecast.ts': [
    'server/config.ts',
    'server/logger.ts',
    'plugins',
    'routes',
    'stages',
    'contract/tracing.ts',
  ],
  'server/door.ts': ['server/config.ts'],
  'server/processes.ts': [
    'server/admin.ts',
    'stagecast.ts',
    'server/config.ts',
    'server/door.ts',
    'server/logger.ts',
    'journal/redis.ts',
    'workers',
    'packages/console/bundle.mjs',
    'contract/tracing.ts',
    'server/tracing-sdk.ts',
  ],
  'server/api.ts': ['server/config.ts', 'server/door.ts', 'server/processes.ts'],
  'server/worker.ts': ['server/config.ts', 'server/door.ts', 'server/processes.ts'],
  'server/all.ts': ['server/config.ts', 'server/door.ts', 'server/processes.ts', 'embedded', 'stage-service'],
}

/** Values (not types) that routes may take from plugins; everything else reaches them by decoration. */
const FROM_PLUGINS = ['requireOwn', 'NO_SUCH_JOB', 'NO_SUCH_WORKFLOW', 'handleError', 'unavailable']
/** Values that nothing but a test or a benchmark imports: limits to be met, and parts to be looked at alone. */
const FOR_TESTS = [
  'server/config.ts: VARIABLES',
  'packages/console/bundle.mjs: bundleConsole',
  'dev/setup.mjs: setup',
  'watch/stream.ts: BLOCKED_MS',
  'server/processes.ts: workerOptions',
  'packages/literature/sources/sample.ts: SAMPLE_RECORDS',
  'packages/literature/steps.ts: normaliseAll',
  'packages/literature/write.ts: render',
  'packages/literature/settings.ts: WORK_DEFAULTS',
  'contract/fleet.ts: DEAD_AFTER_MS',
  'journal/journal.ts: STREAM_LENGTH',
  'journal/order.ts: JOBS_CAPACITY',
  'server/tracing-env.ts: TRACING_VARIABLES',
]
/** Who reads the environment: the doors hand it to config.ts; the rest are programs of their own. */
const READ_ENVIRONMENT =
  /^(config|server|worker|start)\.ts$|^terminal\/stage\.ts$|^embedded\/|^stage-service\/(serve|settings)\.ts$/

interface Import {
  /** A path inside the project, or the name of a package. */
  target: string
  names: string[]
  typeOnly: boolean
}

const files = [...TOP.map((name) => `${name}.ts`), ...ROOMS.flatMap(filesOf)]
const imports = new Map(files.map((file) => [file, importsOf(file)]))

t.test('every file at the top has its row', async (t) => {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.ts'))
  t.same(top.sort(), TOP.map((name) => `${name}.ts`).sort())
  t.ok(files.length > 60, `${files.length} files were read`)
})

t.test('each room imports what it may', async (t) => {
  for (const [file, found] of imports) {
    const allowed = MAY[file] ?? MAY[room(file)] ?? []
    for (const { target } of found.filter(isLocal)) {
      const mine = room(target) === room(file) && room(file) !== ''
      t.ok(mine || allowed.some((one) => isIn(target, one)), `${file} -> ${target}`)
    }
  }
})

t.test('no room may import what it does not need', async (t) => {
  for (const [owner, allowed] of Object.entries(MAY)) {
    const own = [...imports].filter(([file]) => owner === (file in MAY ? file : room(file) || file))
    for (const one of allowed)
      t.ok(
        own.some(([, found]) => found.some(({ target }) => isIn(target, one))),
        `${owner} -> ${one}`,
      )
  }
})

t.test('the documentation has the same table', async (t) => {
  const documented = rows(section(read('docs/architecture.md'), 'Rooms')).map(([names = '', , may = '']) => ({
    owners: namesIn(names).map(withoutSlash),
    may: namesIn(may).map(withoutSlash),
  }))
  for (const owner of Object.keys(MAY))
    t.ok(
      documented.some(({ owners }) => owners.some((one) => isIn(owner, one))),
      `${owner} has a row`,
    )
  for (const { owners, may } of documented) {
    const keys = Object.keys(MAY).filter((key) => owners.some((one) => isIn(key, one)))
    const all = new Set(keys.flatMap((key) => MAY[key] ?? []).filter((one) => !owners.includes(one)))
    t.same(may.filter((one) => !one.startsWith('@')).sort(), [...all].sort(), `what ${owners} may import`)
  }
})

t.test('packages have their places', async (t) => {
  const importers = (name: string) =>
    [...imports].flatMap(([file, found]) => (found.some(({ target }) => target === name) ? file : []))
  for (const [file, found] of imports) {
    if (room(file) !== 'stages') continue
    for (const { target } of found.filter((one) => !isLocal(one)))
      t.match(target, /^@sinclair\/typebox(\/|$)/, `${file} -> ${target}`)
  }
  for (const { target } of (imports.get('server/config.ts') ?? []).filter((one) => !isLocal(one)))
    t.match(target, /^(@sinclair\/typebox(\/|$)|node:)/)
  const takesJobs = importers('bullmq').filter((file) =>
    imports.get(file)?.some(({ target, names }) => target === 'bullmq' && names.includes('Worker')),
  )
  t.same(takesJobs, ['workers/stage-worker.ts'])
  t.same(importers('opossum'), ['workers/circuit.ts'])
})

t.test('the client runs on nothing but the platform', async (t) => {
  for (const [file, found] of imports) {
    if (room(file) !== 'client') continue
    for (const { target, typeOnly } of found)
      t.ok(typeOnly || room(target) === 'client', `${file} -> ${target}`)
  }
})

t.test('routes take from plugins only what needs no plugin', async (t) => {
  for (const [file, found] of imports) {
    if (room(file) !== 'routes') continue
    for (const { target, names, typeOnly } of found)
      if (room(target) === 'plugins' && !typeOnly)
        t.same(
          names.filter((name) => !name.startsWith('type ') && !FROM_PLUGINS.includes(name)),
          [],
          file,
        )
  }
})

t.test('the browser is sent types of the contract, not its schemas', async (t) => {
  for (const [file, found] of imports) {
    if (!['console', 'client'].includes(room(file))) continue
    for (const { target, typeOnly } of found)
      if (room(target) === 'stages') t.ok(typeOnly, `${file} -> ${target}`)
  }
})

t.test('one file reads the environment', async (t) => {
  for (const file of files) {
    if (code(file).includes('process.env')) t.match(file, READ_ENVIRONMENT)
  }
})

t.test('what is exported is imported', async (t) => {
  const taken = new Set([...imports.values()].flatMap(namesTaken))
  const byTests = new Set(['test', 'bench'].flatMap(filesOf).map(importsOf).flatMap(namesTaken))
  const exported = files.flatMap((file) => {
    const values = code(file).matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm)
    return [...values].map(([, name]) => `${file}: ${name}`)
  })
  t.ok(exported.length > 200, `${exported.length} exports were read`)
  const spare = exported.filter((one) => !taken.has(one))
  t.same(
    spare.filter((one) => !byTests.has(one)),
    [],
    'by nobody',
  )
  t.same(spare.sort(), FOR_TESTS, 'by tests alone')
})

t.test('whatever runs is a dependency, not a tool', async (t) => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const [file, found] of imports) {
    // The demo runs from a working copy, tools included. The console is bundled there, with what it imports.
    if (/^embedded\/(demo|bundle-console)|^console\//.test(file)) continue
    for (const { target, typeOnly } of found) {
      if (isLocal({ target }) || target.startsWith('node:') || typeOnly) continue
      const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/')
      t.ok(name in manifest.dependencies, `${file} -> ${name}`)
    }
  }
})

t.test('no imports in a circle', async (t) => {
  const done = new Set<string>()
  const visit = (file: string, path: string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return null
    for (const { target } of imports.get(file) ?? []) {
      const circle = imports.has(target) ? visit(target, [...path, file]) : null
      if (circle) return circle
    }
    done.add(file)
    return null
  }
  for (const file of files) t.equal(visit(file, []), null, file)
})

t.test('the reader of imports sees them all', async (t) => {
  const text = `
import 'a'
import b from 'b'
import { c, type C } from './c.ts'
import type { D } from '../d.ts'
import {
  e,
  f as g,
} from 'e'
export { h } from './h.ts'
export * from './i.ts'
const { j, k } = await import('./j.mjs')
type K = import('k').K
// import nothing from 'comment'
const text = "import l from 'l'"
`
  t.same(
    readImports(text).map(({ target, typeOnly }) => [target, typeOnly]),
    [
      ['a', false],
      ['b', false],
      ['./c.ts', false],
      ['../d.ts', true],
      ['e', false],
      ['./h.ts', false],
      ['./i.ts', false],
      ['./j.mjs', false],
      ['k', true],
    ],
  )
  t.same(readImports(text)[2]?.names, ['c', 'type C'])
  t.same(readImports(text)[4]?.names, ['e', 'f'])
  t.same(readImports(text)[7]?.names, ['j', 'k'])
})

function filesOf(folder: string): string[] {
  try {
    const names = readdirSync(join(ROOT, folder), { recursive: true }) as string[]
    return names.filter((name) => /\.(tsx?|mjs)$/.test(name)).map((name) => join(folder, name))
  } catch {
    // A room that is not built yet.
    return []
  }
}

/** The room of a file, '' for those at the top. */
function room(path: string): string {
  return path.includes('/') ? (path.split('/', 1)[0] as string) : ''
}

/** Whether a path is this one, or below it. */
function isIn(path: string, one: string): boolean {
  return path === one || path.startsWith(`${one}/`)
}

function withoutSlash(path: string): string {
  return path.replace(/\/$/, '')
}

function isLocal({ target }: Pick<Import, 'target'>): boolean {
  return /\.(tsx?|mjs|json)$/.test(target)
}

/** The text of a file without its comments. */
function code(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, '')
}

function importsOf(file: string): Import[] {
  return readImports(code(file)).map((one) =>
    one.target.startsWith('.') ? { ...one, target: normalize(join(dirname(file), one.target)) } : one,
  )
}

/** Static and dynamic imports and re-exports, in the style this project is formatted in. */
function readImports(text: string): Import[] {
  const found: (Import & { at: number })[] = []
  for (const match of text.matchAll(/^(?:import|export) (?:(type )?([^'"]*?) from )?'([^']+)'/gm)) {
    const names = namesOf(/\{([^}]*)\}/.exec(match[2] ?? '')?.[1])
    found.push({ target: match[3] as string, names, typeOnly: match[1] !== undefined, at: match.index })
  }
  for (const match of text.matchAll(/(?:\{([^{}]*)\} = )?(await )?\bimport\('([^']+)'\)/g)) {
    const names = namesOf(match[1])
    found.push({ target: match[3] as string, names, typeOnly: !match[2], at: match.index })
  }
  return found.sort((a, b) => a.at - b.at)
}

function namesOf(list = ''): string[] {
  return list.split(',').flatMap((name) => name.trim().split(/ as |: /)[0] || [])
}

/** `<file>: <name>` for each name that is imported. */
function namesTaken(found: Import[]): string[] {
  return found.flatMap(({ target, names }) => names.map((name) => `${target}: ${name.replace('type ', '')}`))
}

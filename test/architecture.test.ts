/**
 * Which folder may import which, at the top level and in packages/. The test finds the folders itself, so
 * moving a file needs no edit here. docs/architecture.md has the same table.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { namesIn, read, rows, section } from './docs/markdown.ts'
import { ROOT } from './helpers/processes.ts'

/** Folders at the top that are not part of the program. */
const APART = ['test', 'bench', 'docs', 'examples', 'dist', 'node_modules']

/** What each folder may import besides itself. `types`: type-only imports of a folder. */
const MAY: Record<string, { folders: string[]; types?: string[] }> = {
  contract: { folders: [] },
  outgoing: { folders: [] },
  journal: { folders: ['contract'] },
  watch: { folders: ['contract', 'journal'] },
  runs: { folders: ['contract', 'journal'] },
  plugins: { folders: ['contract', 'outgoing', 'journal', 'watch', 'runs'] },
  routes: { folders: ['contract', 'journal', 'watch', 'runs'], types: ['plugins'] },
  workers: { folders: ['contract', 'outgoing', 'journal', 'runs'] },
  'stagecast.ts': { folders: ['contract', 'plugins', 'routes', 'workers'], types: ['journal', 'outgoing'] },
  server: {
    folders: [
      'stagecast.ts',
      'contract',
      'journal',
      'plugins',
      'routes',
      'workers',
      'dev',
      'packages/console',
      'packages/literature',
    ],
    types: ['outgoing'],
  },
  dev: { folders: ['contract', 'packages/client'] },
  'packages/client': { folders: ['contract'] },
  'packages/console': { folders: ['packages/client'], types: ['contract'] },
  'packages/stage-kit': { folders: ['contract'] },
  'packages/literature': { folders: ['contract', 'packages/stage-kit'] },
}

/** Files of the contract that check values with JSON Schemas from users. */
const CHECKS_SCHEMAS = ['contract/inputs.ts', 'contract/catalogue-faults.ts']

/** Files that read the environment: entry points, which pass it to config.ts, and separate programs. */
const READ_ENVIRONMENT =
  /^server\/(config|api|worker|all|command)\.ts$|^dev\/|^packages\/client\/terminal\/stage\.ts$|^packages\/literature\/(serve|settings)\.ts$/

const MANIFEST = manifestOf('')

interface Import {
  /** A path inside the project, or the name of a package. */
  target: string
  names: string[]
  typeOnly: boolean
}

const found = sourcesBelow('')
const files = found.filter((file) => !isTest(file))
const imports = new Map(files.map((file) => [file, importsOf(file)]))

t.test('the root shows one source file, and every folder has its row', async (t) => {
  const top = readdirSync(ROOT).filter((name) => /\.(ts|tsx|mjs|js)$/.test(name))
  t.same(top, ['stagecast.ts'])
  t.same([...new Set(files.map(folderOf))].sort(), Object.keys(MAY).sort())
  t.ok(files.length > 200, `${files.length} files were read`)
})

t.test('each folder imports only what it may', async (t) => {
  for (const [file, found] of imports) {
    const { folders = [], types = [] } = MAY[folderOf(file)] ?? {}
    for (const { target, typeOnly } of found.filter(isLocal)) {
      const to = folderOf(target)
      const allowed = to === folderOf(file) || folders.includes(to) || (typeOnly && types.includes(to))
      t.ok(allowed, `${file} -> ${target}`)
    }
  }
})

t.test('the table allows no import that is not used', async (t) => {
  for (const [owner, { folders, types = [] }] of Object.entries(MAY)) {
    const needed = files
      .filter((file) => folderOf(file) === owner)
      .flatMap((file) => imports.get(file) ?? [])
      .filter(isLocal)
    for (const one of [...folders, ...types])
      t.ok(
        needed.some(({ target }) => folderOf(target) === one),
        `${owner} -> ${one}`,
      )
  }
})

t.test('the documentation has the same table', async (t) => {
  const documented = new Map(
    rows(section(read('docs/architecture.md'), 'Folders')).map(([name = '', , may = '']) => [
      namesIn(name)[0]?.replace(/\/$/, ''),
      namesIn(may)
        .filter((one) => one.endsWith('/') || one.endsWith('.ts'))
        .map((one) => one.replace(/\/$/, '')),
    ]),
  )
  for (const [owner, { folders, types = [] }] of Object.entries(MAY))
    t.same(documented.get(owner)?.sort(), [...folders, ...types].sort(), `what ${owner} may import`)
})

t.test('each package is imported only where it may be', async (t) => {
  const importers = (name: string) => files.filter((file) => names(file).includes(name))
  const names = (file: string) => (imports.get(file) ?? []).map(({ target }) => target)
  for (const file of files.filter((one) => folderOf(one) === 'contract'))
    for (const { target } of (imports.get(file) ?? []).filter((one) => !isLocal(one)))
      t.match(
        target,
        CHECKS_SCHEMAS.includes(file) ? /^ajv/ : /^@sinclair\/typebox(\/|$)/,
        `${file} -> ${target}`,
      )
  for (const file of files.filter((one) => ['watch', 'journal'].includes(folderOf(one))))
    t.notOk(
      names(file).some((name) => /fastify/.test(name)),
      `${file} knows no Fastify`,
    )
  const takesJobs = importers('bullmq').filter((file) =>
    imports.get(file)?.some((one) => one.target === 'bullmq' && one.names.includes('Worker')),
  )
  t.same(takesJobs.sort(), ['workers/run-worker.ts', 'workers/stage-worker.ts'])
})

t.test('the client has no dependencies', async (t) => {
  for (const [file, found] of imports) {
    if (!/^packages\/client\/(react\/)?[^/]+$/.test(file)) continue
    for (const { target, typeOnly } of found) {
      const isReact = target === 'react' && file.startsWith('packages/client/react/')
      t.ok(typeOnly || isReact || folderOf(target) === 'packages/client', `${file} -> ${target}`)
    }
  }
})

t.test('one file reads the environment', async (t) => {
  for (const file of files) if (code(file).includes('process.env')) t.match(file, READ_ENVIRONMENT)
})

t.test('every export is imported somewhere', async (t) => {
  const taken = new Set([...imports.values()].flatMap(namesTaken))
  const byTests = new Set(
    [...sourcesBelow('test'), ...sourcesBelow('bench'), ...found.filter(isTest)]
      .map(importsOf)
      .flatMap(namesTaken),
  )
  const exported = files.flatMap((file) => {
    const values = code(file).matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm)
    return [...values].map(([, name]) => `${file}: ${name}`)
  })
  t.ok(exported.length > 200, `${exported.length} exports were read`)
  const entries = Object.values(MANIFEST.exports as Record<string, { default?: string }>).map((one) =>
    one.default?.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts'),
  )
  const unused = exported.filter(
    (one) => !taken.has(one) && !byTests.has(one) && !entries.includes(one.split(': ')[0]),
  )
  t.same(unused, [], 'exports that nothing imports')
})

t.test('everything needed at run time is a dependency of the package and of its workspace', async (t) => {
  const workspaces = files.map(folderOf).filter((one) => one.startsWith('packages/'))
  t.same(MANIFEST.workspaces.toSorted(), [...new Set(workspaces)].sort(), 'the folders were found')
  for (const file of files) {
    // The demo runs from a working copy, tools included. The console is bundled there, with what it imports.
    const runs = !/^dev\/demo|^packages\/console\//.test(file)
    const own = folderOf(file).startsWith('packages/') ? manifestOf(folderOf(file)) : {}
    for (const name of packagesOf(file)) {
      t.notOk(
        name.startsWith('@stagecast/'),
        `${file} imports ${name} by its path: what is packed has no workspaces`,
      )
      if (runs) t.ok(name in { ...MANIFEST.dependencies, ...MANIFEST.peerDependencies }, `${file} -> ${name}`)
      const { dependencies, devDependencies, peerDependencies } = own
      const named = { ...dependencies, ...peerDependencies, ...(runs ? {} : devDependencies) }
      if (own.name) t.ok(name in named, `${file} -> ${name}, in the manifest of its workspace`)
    }
  }
})

t.test('examples import only what is published', async (t) => {
  const examples = sourcesBelow('examples')
  t.ok(examples.length >= 3, `${examples.length} files were read`)
  for (const file of examples) {
    const home = file.split('/', 2).join('/')
    const { dependencies, devDependencies } = manifestOf(home)
    for (const name of packagesOf(file))
      t.ok(name in { ...dependencies, ...devDependencies }, `${file} -> ${name}`)
    for (const { target } of importsOf(file)) {
      if (isLocal({ target })) t.ok(target.startsWith(`${home}/`), `${file} -> ${target}`)
      if (/^stagecast(\/|$)/.test(target)) t.ok(target.replace('stagecast', '.') in MANIFEST.exports, target)
    }
  }
})

t.test('folders of the console import downwards', async (t) => {
  const below = new Map<string, Set<string>>()
  const folder = (file: string) => dirname(file)
  for (const file of files.filter((one) => folderOf(one) === 'packages/console')) {
    const targets = (imports.get(file) ?? []).map(({ target }) => target)
    for (const target of targets.filter((one) => imports.has(one) && folderOf(one) === 'packages/console')) {
      if (folder(target) === folder(file)) continue
      const known = below.get(folder(file)) ?? new Set()
      below.set(folder(file), known.add(folder(target)))
    }
  }
  t.ok(below.size > 5, `${below.size} folders import from others`)
  for (const start of below.keys()) {
    const reached = new Set<string>()
    const visit = (one: string) => {
      for (const next of below.get(one) ?? []) {
        if (reached.has(next)) continue
        reached.add(next)
        visit(next)
      }
    }
    visit(start)
    t.notOk(reached.has(start), `${start} leads back to itself by ${[...reached].join(', ')}`)
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

t.test('the parser finds every kind of import', async (t) => {
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

/** All source files in a folder. '' stands for the whole project, without top-level folders that are not part of it. */
function sourcesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) return /\.(tsx?|mjs)$/.test(path) ? [path] : []
    const isApart = folder === '' && (APART.includes(entry.name) || entry.name.startsWith('.'))
    return isApart || entry.name === 'node_modules' ? [] : sourcesBelow(path)
  })
}

/** Whether a file is a test or benchmark inside a package. */
function isTest(path: string): boolean {
  return /^packages\/[^/]+\/(test|bench)\//.test(path)
}

function manifestOf(folder: string) {
  return JSON.parse(read(join(folder, 'package.json')))
}

/** The packages that a file imports values from. */
function packagesOf(file: string): string[] {
  return importsOf(file)
    .filter((one) => !isLocal(one) && !one.typeOnly && !one.target.startsWith('node:'))
    .map(({ target }) => target.split('/', target.startsWith('@') ? 2 : 1).join('/'))
}

/** The top-level folder of a file, its package, or the file itself. */
function folderOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return first === 'packages' ? `${first}/${second}` : first
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

/** Static and dynamic imports and re-exports, as this project formats them. */
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

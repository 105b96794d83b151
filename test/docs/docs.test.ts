/** Fails when the documentation and the code disagree. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ERRORS } from '../../contract/errors.ts'
import { WORK_DEFAULTS } from '../../packages/literature/settings.ts'
import { buildApp } from '../../server/app.ts'
import { loadConfig, VARIABLES } from '../../server/config.ts'
import { createLogger } from '../../server/logger.ts'
import { TRACING_VARIABLES } from '../../server/tracing-env.ts'
import { testEnv } from '../helpers/app.ts'
import {
  anchorOf,
  filesEndingIn,
  inBackticks,
  namesIn,
  ROOT,
  read,
  rows,
  section,
  withoutFences,
} from './markdown.ts'

const README = read('README.md')
const API = read('docs/api.md')
const DOCUMENTS = filesEndingIn('.md').map((path) => ({ path, text: read(path) }))
const SOURCES = filesEndingIn('.ts', '.mjs', '.py')
  .filter((path) => !path.startsWith(join('test', 'docs')))
  .map(read)
const MANIFEST = JSON.parse(read('package.json'))
const WORKSPACES: (typeof MANIFEST)[] = MANIFEST.workspaces.map((path: string) => ({
  path,
  ...JSON.parse(read(join(path, 'package.json'))),
}))

/** The default of each variable as text; undefined if it has none. */
const DEFAULTS = (() => {
  const REQUIRED = { REDIS_URL: 'redis://h', WORKER_URL: 'http://h', JWT_SECRET: 'x'.repeat(32) }
  const config: Record<string, unknown> = { ...loadConfig(REQUIRED) }
  return VARIABLES.map((name) => {
    const value = name in REQUIRED ? undefined : config[name]
    return [name, value === undefined ? undefined : String(value)] as const
  })
})()

t.test('the table of the environment lists every variable with its default, and no other', async (t) => {
  const documented = rows(section(read('docs/configuration.md'), 'Environment')).map(
    ([name = '', value = '', meaning = '']) => {
      t.ok(meaning, `${name} has a meaning`)
      return [name.replaceAll('`', ''), value === '–' ? undefined : value.replaceAll('`', '')]
    },
  )
  t.same(documented, DEFAULTS)
})

t.test('.env.example lists every variable with its default, and no other', async (t) => {
  const lines = read('.env.example').split('\n')
  t.same(
    lines.filter((line) => line !== '' && !line.startsWith('#')),
    [],
    'copied unchanged, it sets nothing',
  )
  const listed = lines.flatMap((line) => {
    const [, name, value] = /^# ([A-Z_]+)=(.*)$/.exec(line) ?? []
    return name ? [[name, value || undefined]] : []
  })
  const tracing = TRACING_VARIABLES.map((name) => [name, undefined])
  t.same(listed, [...DEFAULTS, ...tracing, ...Object.entries(WORK_DEFAULTS)])
})

t.test('the settings of the stage service are listed with their defaults', async (t) => {
  const documented = rows(section(read('docs/literature.md'), 'Settings')).map(
    ([name = '', value = '', meaning = '']) => {
      t.ok(meaning, `${name} has a meaning`)
      return [name.replaceAll('`', ''), value === '–' ? undefined : value.replaceAll('`', '')]
    },
  )
  t.same(documented, Object.entries(WORK_DEFAULTS))
})

t.test('the README stays short, and the index leads to every page', async (t) => {
  t.ok(README.split('\n').length <= 300, 'the README has at most 300 lines')
  const index = read('docs/README.md')
  for (const { path } of DOCUMENTS) {
    const [, page] = /^docs\/([\w-]+\.md)$/.exec(path) ?? []
    if (page && page !== 'README.md') t.ok(index.includes(`](${page})`), `docs/README.md leads to ${page}`)
  }
})

t.test('each common proxy has its configuration, and the README leads to them', async (t) => {
  t.match(README, '](docs/proxies.md)')
  for (const name of ['nginx', 'HAProxy', 'Caddy', 'Traefik'])
    t.match(section(read('docs/proxies.md'), name), /^```\w+\n[\s\S]*3001/m, name)
})

t.test('every relative link leads to a file, every anchor to a heading', async (t) => {
  for (const { path, text } of DOCUMENTS) {
    for (const [, target = ''] of withoutFences(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const full = file === '' ? path : join(dirname(path), file)
      t.ok(existsSync(join(ROOT, full)), `${path} links to ${target}`)
      if (anchor === undefined) continue
      const headings = [...withoutFences(read(full)).matchAll(/^#+ (.+)$/gm)].map(([, one = '']) =>
        anchorOf(one),
      )
      t.ok(headings.includes(anchor), `${path} links to the heading of ${target}`)
    }
  }
})

t.test('the folders and files that the architecture names exist', async (t) => {
  const cells = rows(section(read('docs/architecture.md'), 'Folders')).map(([folder = '']) => folder)
  const folders = cells.flatMap(namesIn)
  for (const folder of folders) t.ok(existsSync(join(ROOT, folder)), folder)
  const files = inBackticks(read('docs/architecture.md')).filter((code) => /^[\w-]+\/[\w-]+\.ts$/.test(code))
  for (const file of files) t.ok(existsSync(join(ROOT, file)), file)
})

t.test('the errors of the API are listed with their status', async (t) => {
  const table = rows(section(API, 'Errors').split('A failed job says why')[0] as string)
  const listed = table.flatMap(([statuses = '', codes = '']) =>
    inBackticks(codes)
      .filter((code) => /^[A-Z_]+$/.test(code))
      .map((code) => ({ code, statuses: statuses.split(', ').map(Number) })),
  )
  t.same(listed.map(({ code }) => code).sort(), Object.keys(ERRORS).sort())
  for (const { code, statuses } of listed) {
    t.ok(statuses.includes(ERRORS[code as keyof typeof ERRORS]?.status), `${code} has one of ${statuses}`)
  }
})

t.test('every error code and variable in the docs exists in the code', async (t) => {
  for (const { path, text } of DOCUMENTS) {
    const names = new Set(inBackticks(text).filter((code) => /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(code)))
    for (const name of names) {
      // The only code that contains a status.
      const needle = name.replace(/^(STAGE_SERVICE_)\d{3}$/, '$1')
      t.ok(
        SOURCES.some((source) => source.includes(needle)),
        `${name}, named in ${path}`,
      )
    }
  }
})

t.test('every dependency has its reason', async (t) => {
  const tables = rows(read('docs/decisions/0007-dependencies.md'))
  const named = tables.flatMap(([names = '', reason = '']) => (reason ? inBackticks(names) : []))
  const tools = JSON.parse(read('test/clients/package.json')).dependencies
  const manifests = [MANIFEST, ...WORKSPACES]
  const own = Object.assign({}, ...manifests.flatMap((one) => [one.dependencies, one.devDependencies]))
  const all = { ...tools, ...own }
  t.same([...new Set(named)].sort(), Object.keys(all).sort())
  for (const [name, version] of [...Object.entries<string>(tools), ...Object.entries<string>(all)]) {
    t.match(version, /^\d+\.\d+\.\d+$/, `${name} is pinned exactly`)
  }
  for (const { name, dependencies, devDependencies } of manifests)
    for (const [one, version] of Object.entries({ ...dependencies, ...devDependencies }))
      t.equal(version, own[one], `${one} of ${name} is that of the others`)
})

t.test('the image is built with the manifest of every workspace', async (t) => {
  for (const { path } of WORKSPACES)
    t.match(read('Dockerfile'), `COPY ${path}/package.json ${path}/\n`, `COPY of ${path} before npm ci`)
})

t.test('every command in the documentation exists', async (t) => {
  for (const { path, text } of DOCUMENTS) {
    for (const [, script = ''] of text.matchAll(/npm run (?:-s )?([\w:-]+)/g)) {
      t.ok(script in MANIFEST.scripts, `npm run ${script}, named in ${path}`)
    }
  }
})

t.test('every path in the README and docs/api.md is a path of the API', async (t) => {
  const config = loadConfig(await testEnv(t))
  const app = await buildApp(config, createLogger('silent', 'docs'))
  t.teardown(() => app.close())
  await app.ready()
  const document = app.swagger() as { paths: Record<string, unknown> }
  const patterns = Object.keys(document.paths).map(
    (path) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  )
  // Leave out paths of the stage service. A shell variable stands for any one segment.
  const text = (README.replace(section(README, 'Write a stage'), '') + API).replaceAll(
    /\$\([^()]*\)|\$\w+/g,
    'x',
  )
  const named = [...text.matchAll(/\/(?:api|health)\/[\w/{}…-]+/g)].map(([path]) => path)
  t.ok(named.length > 8, 'paths were found')
  for (const path of new Set(named)) {
    // `$jobs` and `$workflow` contain the beginning of a path.
    const whole = [path, `${path}/status`, `${path}/events`]
    t.ok(
      whole.some((one) => patterns.some((pattern) => pattern.test(one))),
      path,
    )
  }
})

t.test('every promise names a test that exists', async (t) => {
  const promises = rows(read('docs/promises.md'))
  t.ok(promises.length > 10, 'the table was found')
  for (const [promise = '', how = '', tests = ''] of promises) {
    t.ok(promise && how, promise)
    const files = inBackticks(tests)
    t.ok(files.length > 0, `${promise}: has a test`)
    for (const file of files) {
      t.match(file, /^(packages\/[^/]+\/)?test\/.+\.test\.ts$/)
      t.ok(existsSync(join(ROOT, file)), file)
    }
  }
})

t.test('every decision has a context, a decision and consequences', async (t) => {
  const decisions = DOCUMENTS.filter(({ path }) => path.startsWith(join('docs', 'decisions')))
  t.ok(decisions.length >= 10)
  for (const { path, text } of decisions) {
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    t.same(headings, ['Context', 'Decision', 'Consequences'], path)
  }
})

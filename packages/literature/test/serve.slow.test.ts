/** The entry point of the service: its settings and faults. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readSettings } from '../settings.ts'

t.test('settings', async (t) => {
  const defaults = { host: '127.0.0.1', port: 8000, logLevel: 'info', paceMs: 0, keepMs: 604_800_000 }
  t.match(readSettings({}), defaults)
  t.match(readSettings({ PORT: '', HOST: ' ' }), defaults, 'an empty variable is an unset one')
  t.match(
    readSettings({
      PORT: '0',
      HOST: '::1',
      LITERATURE_SOURCES: 'sample, sample',
      STAGE_DATA_DIR: '/x y',
      STAGE_KEEP_SECONDS: '86400',
    }),
    {
      port: 0,
      host: '::1',
      literature: { sources: ['sample'] },
      dataDir: '/x y',
      keepMs: 86_400_000,
    },
  )
  const live = readSettings({})
  t.match(live, {
    literature: { sources: ['europepmc', 'crossref'], cacheMs: 86_400_000, deadlineMs: 60_000 },
  })
  t.match(
    readSettings({
      LITERATURE_SOURCES: 'openalex,pubmed',
      LITERATURE_CONTACT: 'library@example.org',
      LITERATURE_PUBMED_KEY: 'k1',
      LITERATURE_OPENALEX_KEY: 'k2',
      LITERATURE_CACHE_MS: '0',
      LITERATURE_DEADLINE_MS: '500',
      LITERATURE_PUBMED_URL: 'http://127.0.0.1:1/x',
    }),
    {
      literature: {
        sources: ['pubmed', 'openalex'],
        contact: 'library@example.org',
        keys: { pubmed: 'k1', openalex: 'k2' },
        urls: { pubmed: 'http://127.0.0.1:1/x' },
        cacheMs: 0,
        deadlineMs: 500,
      },
    },
  )
  for (const [name, value] of [
    ['PORT', '80a'],
    ['PORT', '-1'],
    ['PORT', '70000'],
    ['PORT', '1e3'],
    ['HOST', 'a b'],
    ['LOG_LEVEL', 'loud'],
    ['LITERATURE_SOURCES', 'sample,crossref'],
    ['LITERATURE_SOURCES', ','],
    ['LITERATURE_SOURCES', 'altavista'],
    ['LITERATURE_SOURCES', 'crossref'],
    ['LITERATURE_CONTACT', 'nobody'],
    ['LITERATURE_CACHE_MS', '-1'],
    ['LITERATURE_DEADLINE_MS', '5'],
    ['LITERATURE_OPENALEX_KEY', 'a b'],
    ['LITERATURE_CROSSREF_URL', 'ftp://x'],
    ['STAGE_HEARTBEAT_MS', '0'],
    ['STAGE_PACE_MS', '1.5'],
    ['STAGE_KEEP_SECONDS', '60'],
    ['SHUTDOWN_GRACE_MS', 'soon'],
  ] as const) {
    const settings = readSettings({ [name]: value })
    t.match(settings, { faults: [new RegExp(`^${name} `)] }, `${name}=${value}`)
  }
})

t.test('invalid settings and an unusable folder end the process with one line per fault', async (t) => {
  const serve = (env: Record<string, string>) => {
    const file = fileURLToPath(new URL('../serve.js', import.meta.url))
    const options = { env: { ...process.env, ...env }, encoding: 'utf8', timeout: 60_000 } as const
    return spawnSync(process.execPath, [file], options)
  }
  const bad = serve({ PORT: 'x', LOG_LEVEL: 'loud' })
  t.equal(bad.status, 1)
  t.match(bad.stderr, /^stage service: PORT .*\nstage service: LOG_LEVEL .*\n$/)
  const folder = t.testdir({ file: 'not a folder' })
  const blocked = serve({ PORT: '0', STAGE_DATA_DIR: `${folder}/file` })
  t.equal(blocked.status, 1)
  t.match(blocked.stderr, /^stage service: cannot start .*file/)
})

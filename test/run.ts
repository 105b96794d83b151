/**
 * The last step of `npm test` and `npm run test:all`: compiles the project, starts one Redis for all tests, runs tap, and
 * ends with a line of counts. Without `--all`, files named `*.slow.test.ts` are left out: those that start many
 * processes, a private Redis or a browser, or that spend most of their time waiting for timers.
 *
 * `npm test -- test/x.test.ts test/plugins` runs only these; REDIS_URL names another Redis; REQUIRE_ALL_TESTS=1 allows
 * no skipped test; RERUN_FAILED=1 runs a few failed files once more, alone, and reports it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { BUILD, compile } from '../dev/compile.mjs'
import { EXTRA_DIRS, findProgram } from '../dev/find-redis.mjs'
import { type EmbeddedRedis, startRedis } from '../dev/redis.ts'
import { provideTools } from './clients/tools.ts'
import { type Report, report } from './run-report.ts'

const root = dirname(import.meta.dirname)
const requireFromHere = createRequire(import.meta.url)
const requireFromTap = createRequire(requireFromHere.resolve('tap'))
const requireAll = process.env.REQUIRE_ALL_TESTS === '1'

/** If more files than this fail, the cause is not chance, so they are not rerun. */
const MOST_AGAIN = 8

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const missing = missingTools(args)
  for (const line of missing) console.log(line)
  if (requireAll && missing.length > 0) {
    console.log('REQUIRE_ALL_TESTS=1 allows no skipped test.')
    return 1
  }
  buildTapOnce()
  if (!compile()) return 1
  const files = args.some((one) => !one.startsWith('-'))
    ? chosenFiles(args)
    : allFiles(args.includes('--all'))
  if (files.length === 0) {
    console.log(`No test file matches ${args.join(' ')}.`)
    return 1
  }

  const dir = await mkdtemp(join(tmpdir(), 'stagecast-test-'))
  let redis: EmbeddedRedis | undefined
  try {
    if (!process.env.REDIS_URL) redis = await startRedis({ dir, persist: false })
    return await runTests(files, process.env.REDIS_URL || redis?.url || '')
  } finally {
    await redis?.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

async function runTests(files: string[], redisUrl: string): Promise<number> {
  let { end, ...run } = await runTap(files, redisUrl)
  const again = run.failedFiles
  if (process.env.RERUN_FAILED === '1' && again.length > 0 && again.length <= MOST_AGAIN) {
    console.log(`\nRunning again, one at a time: ${again.join(', ')}`)
    const second = await runTap(['--jobs=1', ...again.map(compiled)], redisUrl)
    end = second.end
    run = { ...second, passed: run.passed + second.passed, skipped: [...run.skipped, ...second.skipped] }
    for (const file of again)
      if (!second.failedFiles.includes(file))
        console.log(`FLAKY  ${file} failed with the others, but passed alone`)
  }
  for (const name of run.skipped) console.log(`SKIPPED ${name}`)
  const verdict = judge(end, run.passed, run.failed, run.skipped.length)
  if (verdict) console.log(verdict)
  console.log(`\n${run.passed} passed, ${run.failed} failed, ${run.skipped.length} skipped`)
  return verdict ? Number(end) || 1 : 0
}

async function runTap(args: string[], redisUrl: string): Promise<Report & { end: number | string }> {
  // A REDIS_URL left in the environment would reach the processes that the tests start.
  const { REDIS_URL: _, ...env } = process.env
  const tap = spawn(process.execPath, [tapProgram(), 'run', '--reporter=tap', ...args], {
    cwd: root,
    env: { ...env, TEST_REDIS_URL: redisUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // Stay alive to clean up: the guard would stop Redis anyway, but its folder would remain.
  for (const end of ['SIGINT', 'SIGTERM'] as const) process.once(end, () => tap.kill(end))
  const [[code, signal], counts] = await Promise.all([
    once(tap, 'exit'),
    report(tap.stdout, (line) => console.log(line)),
  ])
  return { ...counts, end: code ?? signal }
}

/** The compiled names of the test files in a folder or with a given name. */
function chosenFiles(args: string[]): string[] {
  const wanted = args.filter((one) => !one.startsWith('-')).map((one) => one.replace(/\/$/, ''))
  return allFiles(true).filter((file) => {
    const source = relative(BUILD, file).replace(/\.js$/, '.ts')
    return wanted.some((one) => source === one || source.startsWith(`${one}/`))
  })
}

function allFiles(withSlow: boolean): string[] {
  const names = readdirSync(BUILD, { recursive: true }) as string[]
  return names
    .filter((name) => /^(test|packages\/[^/]+\/test)\/.*\.test\.js$/.test(name))
    .filter((name) => withSlow || !name.endsWith('.slow.test.js'))
    .map((name) => join(BUILD, name))
    .sort()
}

function compiled(source: string): string {
  return join(BUILD, source.replace(/\.ts$/, '.js'))
}

/** Why this run failed, if it did: a run without any test fails too. */
function judge(end: number | string, passed: number, failed: number, skipped: number): string | null {
  if (failed > 0) return 'Some tests failed: their details are above.'
  if (end !== 0) return `tap ended with ${end} although no test reported a failure.`
  if (passed === 0) return 'No test ran: is the file name right?'
  if (requireAll && skipped > 0) return 'REQUIRE_ALL_TESTS=1 allows no skipped test.'
  return null
}

function missingTools(args: string[]): string[] {
  const lines: string[] = []
  const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  if (!browsers.some((name) => findProgram(name, process.env))) {
    lines.push('There is no Chromium here: the tests in a real browser will be skipped.')
  }
  if (!findProgram('nginx', process.env, EXTRA_DIRS)) {
    lines.push('There is no nginx here: the tests behind a real proxy will be skipped.')
  }
  const imports = (python: string) =>
    spawnSync(python, ['-c', 'import fastapi, uvicorn'], { stdio: 'ignore' }).status === 0
  if (!['python3', '/usr/bin/python3'].some(imports)) {
    lines.push(
      'There is no Python with FastAPI and uvicorn here: the tests of the Python example will be skipped.',
    )
  }
  // Install here, because the network may be slower than the time limit of a test.
  const needsClients = args.includes('--all') || args.some((one) => one.includes('test/clients'))
  const failure = needsClients ? provideTools((line) => console.log(line)) : null
  if (failure) lines.push(`${failure}: the tests of generated clients will be skipped.`)
  return lines
}

/**
 * tap's test class is generated for a set of plugins. `tap run` generates it if necessary, but then starts the tests with the
 * loaders of the old set. One of these does not work with TypeScript 7, and that of `mock` doubles the start-up time.
 */
function buildTapOnce(): void {
  const { tap: config } = requireFromHere('../package.json') as { tap: { plugin: string[] } }
  const testClass = readFileSync(requireFromTap.resolve('@tapjs/test/built'), 'utf8')
  if (!config.plugin.some((name) => testClass.includes(`"${name.slice(1)}"`))) return
  console.log('Generating the test class of tap, once after an installation.')
  const { status } = spawnSync(process.execPath, [tapProgram(), 'build'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error('`npx tap build` failed: its output is above')
}

function tapProgram(): string {
  const manifest = requireFromHere('tap/package.json') as { bin: { tap: string } }
  return join(root, 'node_modules', 'tap', manifest.bin.tap)
}

/** The package as users get it: packed, and installed in folders outside the project. */
import { execFile, type SpawnOptions, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Owner } from '../helpers/owner.ts'
import { ROOT } from '../helpers/processes.ts'

/** tap loads itself into every Node child process, which breaks the compiler. */
const BARE = ['-u', 'NODE_OPTIONS']
const exec = promisify(execFile)

interface Where {
  cwd?: string
  env?: NodeJS.ProcessEnv
}

/** Runs a program to its end; an error contains its output. */
export function run(program: string, args: string[], options: Where = {}) {
  return exec('env', [...BARE, program, ...args], { maxBuffer: 2 ** 26, ...options })
}

/** Starts a long-running program; its standard output is a pipe. */
export function start(program: string, args: string[], options: SpawnOptions = {}) {
  return spawn('env', [...BARE, program, ...args], { stdio: ['ignore', 'pipe', 'inherit'], ...options })
}

export const MANIFEST = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))

/** The tarball that `npm pack` writes. */
export async function pack(t: Owner): Promise<string> {
  const folder = await temporary(t)
  const how = ['pack', '--silent', '--pack-destination', folder]
  const { stdout } = await oneAtATime(() => run('npm', how, { cwd: ROOT }))
  return join(folder, stdout.trim().split('\n').at(-1) as string)
}

/** Packing rebuilds dist/, so two packings at the same time would disturb each other. */
async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const lock = join(ROOT, '.stagecast', 'packing')
  for (;;) {
    const isMine = await mkdir(lock).then(
      () => true,
      () => false,
    )
    if (isMine) break
    const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > STALE_MS) await rm(lock, { recursive: true, force: true })
    else await delay(100)
  }
  return work().finally(() => rm(lock, { recursive: true, force: true }))
}

/** A lock held for longer belongs to a process that was killed. */
const STALE_MS = 300_000

/** A copy of the folder `from`, with the packages of its manifest, the tarball and `more` installed. */
export async function install(t: Owner, tarball: string, from: string, more: string[] = []): Promise<string> {
  const folder = await temporary(t)
  await cp(join(ROOT, from), folder, {
    recursive: true,
    filter: (path) => !/node_modules|package-lock/.test(path),
  })
  const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{ "type": "module" }')
  const { dependencies: { stagecast: _, ...dependencies } = {} as Record<string, string>, ...rest } =
    JSON.parse(manifest)
  // This package comes from the tarball, not from a registry.
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...rest, dependencies, private: true }))
  const how = ['install', '--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', [...how, tarball, ...more], { cwd: folder })
  return folder
}

async function temporary(t: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stagecast-packed-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

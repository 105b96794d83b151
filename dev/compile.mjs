/**
 * Compiles the whole project, tests and benchmarks included, into .stagecast/build, and links all other files into it:
 * `node dev/compile.mjs`. A test file then starts in a third of the time that a loader would need.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
export const BUILD = join(ROOT, '.stagecast', 'build')
/** The compiler's state, for incremental builds. */
const STATE = `${BUILD}.tsbuildinfo`

/** Folders that are not linked. */
const APART = new Set(['node_modules', 'dist'])

/** @returns {boolean} whether the project compiled; errors have been printed */
export function compile() {
  if (existsSync(BUILD)) prune('')
  else rmSync(STATE, { force: true })
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc')
  // Files that have not changed since the last run are not checked again.
  const state = ['--incremental', '--tsBuildInfoFile', STATE]
  const options = ['--noEmit', 'false', '--outDir', BUILD, '--rootDir', ROOT, '--sourceMap', ...state]
  const { status } = spawnSync(process.execPath, [tsc, '-p', ROOT, ...options], { stdio: 'inherit' })
  if (status !== 0) return false
  link('')
  if (!existsSync(join(BUILD, 'node_modules')))
    symlinkSync(join(ROOT, 'node_modules'), join(BUILD, 'node_modules'))
  return true
}

/**
 * Removes files whose source is gone, and links to JavaScript files, because the compiler would write through them.
 *
 * @param {string} folder
 */
function prune(folder) {
  for (const entry of readdirSync(join(BUILD, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const source = path.replace(/\.map$/, '').replace(/js$/, 'ts')
    if (entry.isDirectory() && existsSync(join(ROOT, path))) prune(path)
    else if (
      (entry.isSymbolicLink() && /js$/.test(path)) ||
      (!existsSync(join(ROOT, path)) && !existsSync(join(ROOT, source)))
    )
      rmSync(join(BUILD, path), { recursive: true, force: true })
  }
}

/** @param {string} folder */
function link(folder) {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && !APART.has(entry.name)) link(path)
      continue
    }
    const isCompiled = /\.m?ts$/.test(path) && existsSync(join(BUILD, path.replace(/ts$/, 'js')))
    if (isCompiled || existsSync(join(BUILD, path)) || entry.isSymbolicLink()) continue
    mkdirSync(join(BUILD, folder), { recursive: true })
    symlinkSync(join(ROOT, path), join(BUILD, path))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = compile() ? 0 : 1

/**
 * The generators and the linter. They are in a separate package, because some need an older TypeScript. The package is
 * installed when a test first needs it, and again after a change of its lock file.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { modulesAreCurrent } from '../../dev/node-modules.mjs'
import type { Env } from '../helpers/app.ts'
import { ROOT, runNode } from '../helpers/processes.ts'

export const CLIENTS = join(ROOT, 'test', 'clients')

/** Installs what is missing. Returns null, or the reason why that failed. */
export function provideTools(say: (line: string) => void): string | null {
  if (modulesAreCurrent(CLIENTS)) return null
  say('Installing the generators of clients (test/clients), once and when their lock file changes.')
  const install = ['ci', '--loglevel=error', '--include=optional', '--fetch-retry-mintimeout=1000']
  const { status, stderr } = spawnSync('npm', install, { cwd: CLIENTS, encoding: 'utf8' })
  if (status === 0 && modulesAreCurrent(CLIENTS)) return null
  say(stderr ?? '')
  return 'The generators of clients cannot be installed (`npm ci` in test/clients)'
}

/** Runs one of the programs with this process's Node and returns its output. Throws unless it exits with 0. */
export async function runTool(t: Test, name: string, args: string[], env: Env = {}): Promise<string> {
  const [owner, program] = PROGRAMS[name] ?? [name, name]
  const folder = join(CLIENTS, 'node_modules', owner)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = join(folder, typeof bin === 'string' ? bin : bin[program])
  const { exit, output } = await runNode(t, [file, ...args], { ...QUIET, ...env }, CLIENTS)
  if (exit !== 0) throw new Error(`${name} ended with ${exit}:\n${output}`)
  return output
}

/** Programs whose package has another name. */
const PROGRAMS: Record<string, [owner: string, program: string]> = {
  'openapi-ts': ['@hey-api/openapi-ts', 'openapi-ts'],
  kubb: ['@kubb/cli', 'kubb'],
  redocly: ['@redocly/cli', 'redocly'],
}

/** Disables colours, telemetry and checks for updates. */
const QUIET = {
  NO_COLOR: '1',
  CI: 'true',
  REDOCLY_TELEMETRY: 'off',
  DO_NOT_TRACK: '1',
  KUBB_DISABLE_TELEMETRY: '1',
  REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
}

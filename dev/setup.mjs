/**
 * Prepares a fresh machine for `npm run dev`, `npm run demo`, `npm test` and `npm run build`: installs node_modules and,
 * unless `--modules-only` is given, a Redis server. It runs before node_modules exist, so it is plain JavaScript without
 * dependencies. Exit code 0 if everything is there, else 1 with instructions.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EXTRA_DIRS, findRedis } from './find-redis.mjs'
import { planRedisInstall } from './install-redis.mjs'
import { modulesAreCurrent } from './node-modules.mjs'

/**
 * @typedef {object} Machine
 * @property {string} root the project's folder
 * @property {NodeJS.ProcessEnv} env
 * @property {string} nodeVersion e.g. "20.20.2"
 * @property {boolean} isRoot
 * @property {string[]} extraDirs folders searched after PATH
 * @property {(line: string) => void} say
 */

/** Stops the set-up; the message says what failed and what to do. */
class SetupError extends Error {}

/**
 * @param {string[]} args
 * @param {Partial<Machine>} [overrides] for tests
 * @returns {number} the exit code
 */
export function setup(args, overrides = {}) {
  const machine = { ...thisMachine(), ...overrides }
  try {
    checkNode(machine)
    provideModules(machine)
    if (!args.includes('--modules-only')) provideRedis(machine)
    return 0
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    machine.say(`Set-up failed: ${error.message}`)
    return 1
  }
}

/** @param {Machine} machine */
function checkNode({ root, nodeVersion }) {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const [major = 0, minor = 0] = String(engines.node).replace('>=', '').split('.').map(Number)
  const [haveMajor = 0, haveMinor = 0] = nodeVersion.split('.').map(Number)
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return
  throw new SetupError(
    `this is Node ${nodeVersion}, but Node ${major}.${minor} or later is needed. Install it and repeat.`,
  )
}

/** @param {Machine} machine */
function provideModules(machine) {
  if (modulesAreCurrent(machine.root)) return
  // Explicit, because NODE_ENV=production or an `omit` setting would omit what dev, test and build need.
  const command = ['npm', 'ci', '--include=dev', '--include=optional', '--loglevel=error']
  machine.say('node_modules is missing or out of date.')
  const failure = run(command, machine)
  if (failure) {
    throw new SetupError(
      `\`${command.join(' ')}\` ${failure} (its output is above). Check the network and that package.json and ` +
        'package-lock.json agree (`npm install` updates the lock file), then repeat.',
    )
  }
  if (!modulesAreCurrent(machine.root)) {
    throw new SetupError(
      'npm ci succeeded, but node_modules does not match package-lock.json. Delete node_modules and repeat.',
    )
  }
}

/** @param {Machine} machine */
function provideRedis(machine) {
  if (machine.env.REDIS_URL || findRedis(machine.env, machine.extraDirs)) return
  const plan = planRedisInstall(machine.env, machine)
  const otherwise = 'or set REDIS_URL to a Redis that runs elsewhere, then repeat.'
  if (!plan)
    throw new SetupError(
      `there is no redis-server here. Install Redis (6.2 or later) or Valkey, ${otherwise}`,
    )

  const byHand = [plan.refresh, plan.installs[0]]
    .map((command) => command?.join(' '))
    .filter(Boolean)
    .join(' && ')
  if (!plan.runnable) {
    const who = plan.installs[0]?.[0] === 'sudo' || process.platform === 'darwin' ? 'Type' : 'Type as root'
    throw new SetupError(
      `there is no redis-server here, and only you can install one. ${who}:\n\n  ${byHand}\n\n${otherwise}`,
    )
  }
  machine.say(
    'There is no redis-server here. The package manager of this system installs the program only and starts no service.',
  )
  const env = { ...machine.env, DEBIAN_FRONTEND: 'noninteractive' }
  if (plan.refresh) run(plan.refresh, { ...machine, env })
  const failures = []
  for (const command of plan.installs) {
    const failure = run(command, { ...machine, env })
    if (!failure && findRedis(machine.env, machine.extraDirs)) return
    failures.push(`\`${command.join(' ')}\` ${failure ?? 'brought no redis-server'}`)
  }
  throw new SetupError(
    `${failures.join('; ')} (the output is above). Install Redis by hand:\n\n  ${byHand}\n\n${otherwise}`,
  )
}

/**
 * Runs a command that shows its output and has no input, so that it cannot wait for an answer.
 *
 * @param {string[]} command
 * @param {Machine} machine
 * @returns {string | null} how it failed
 */
function run(command, { root, env, say }) {
  const [program = '', ...args] = command
  say(`Running: ${command.join(' ')}`)
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (error) return `could not be started (${error.message})`
  if (status === 0) return null
  return signal ? `was stopped by ${signal}` : `ended with exit code ${status}`
}

/** @returns {Machine} */
function thisMachine() {
  return {
    root: dirname(dirname(fileURLToPath(import.meta.url))),
    env: process.env,
    nodeVersion: process.versions.node,
    isRoot: process.getuid?.() === 0,
    extraDirs: EXTRA_DIRS,
    say: (line) => console.error(line),
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = setup(process.argv.slice(2))
}

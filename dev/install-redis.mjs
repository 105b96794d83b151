/** Determines the commands that install Redis on this machine, and whether they can run unattended. */
import { spawnSync } from 'node:child_process'
import { EXTRA_DIRS, findProgram } from './find-redis.mjs'

/**
 * @typedef {string[]} Command
 * @typedef {object} Plan
 * @property {Command | null} refresh updates the package lists; may fail, e.g. because of one broken source
 * @property {Command[]} installs tried in this order until one succeeds
 * @property {boolean} runnable whether the commands can run unattended
 */

/**
 * For apt, use redis-tools instead of redis-server. Both contain the same program (see find-redis.mjs), but redis-server
 * also starts a system service on port 6379, which only a policy file can prevent on a systemd machine. The other package
 * managers do not start a service.
 */
const MANAGERS = [
  {
    program: 'apt-get',
    needsRoot: true,
    refresh: ['apt-get', 'update'],
    installs: [['apt-get', 'install', '-y', '--no-install-recommends', 'redis-tools']],
  },
  {
    program: 'dnf',
    needsRoot: true,
    refresh: null,
    // Newer releases ship Valkey instead of Redis.
    installs: [
      ['dnf', 'install', '-y', 'redis'],
      ['dnf', 'install', '-y', 'valkey'],
    ],
  },
  { program: 'apk', needsRoot: true, refresh: null, installs: [['apk', 'add', '--no-cache', 'redis']] },
  { program: 'brew', needsRoot: false, refresh: null, installs: [['brew', 'install', 'redis']] },
]

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {{ isRoot?: boolean, extraDirs?: string[] }} [machine]
 * @returns {Plan | null} null without a known package manager
 */
export function planRedisInstall(env, machine = {}) {
  const { isRoot = process.getuid?.() === 0, extraDirs = EXTRA_DIRS } = machine
  const here = MANAGERS.filter(({ program }) => findProgram(program, env, extraDirs))
  const sudo = isRoot ? null : findProgram('sudo', env, extraDirs)
  const silentSudo = sudo !== null && spawnSync(sudo, ['-n', 'true'], { env, stdio: 'ignore' }).status === 0

  // Homebrew refuses to run as root.
  const canRun = (/** @type {boolean} */ needsRoot) => (needsRoot ? isRoot || silentSudo : !isRoot)
  const manager = here.find(({ needsRoot }) => canRun(needsRoot)) ?? here[0]
  if (!manager) return null

  const runnable = canRun(manager.needsRoot)
  const prefix = manager.needsRoot && !isRoot && sudo ? ['sudo', ...(runnable ? ['-n'] : [])] : []
  return {
    refresh: manager.refresh && [...prefix, ...manager.refresh],
    installs: manager.installs.map((command) => [...prefix, ...command]),
    runnable,
  }
}

/** Finds a Redis server program on this machine. Plain JavaScript: it also runs before node_modules exist. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Folders that are often missing from PATH. */
export const EXTRA_DIRS = ['/usr/local/bin', '/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin']

/**
 * The path of a Redis server program, or null. A program named `…-check-rdb` is a server too if it is run under the name
 * `redis-server`: see `isServerInDisguise`.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} [extraDirs] searched after PATH
 * @returns {string | null}
 */
export function findRedis(env, extraDirs = EXTRA_DIRS) {
  for (const name of ['redis-server', 'valkey-server']) {
    const path = findProgram(name, env, extraDirs)
    if (path) return path
  }
  for (const name of ['redis-check-rdb', 'valkey-check-rdb']) {
    const path = findProgram(name, env, extraDirs)
    if (path && isServerInDisguise(path)) return path
  }
  return null
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} [extraDirs]
 * @returns {string | null} the first executable file of that name
 */
export function findProgram(name, env, extraDirs = []) {
  const dirs = (env.PATH ?? '').split(delimiter).filter(Boolean)
  for (const dir of [...dirs, ...extraDirs]) {
    const path = join(dir, name)
    if (isExecutable(path)) return path
  }
  return null
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Redis is one program that chooses its role by its own name. Debian's redis-tools ships it as redis-check-rdb; its
 * redis-server package only adds a link and a system service on port 6379.
 *
 * @param {string} path
 */
function isServerInDisguise(path) {
  const { stdout } = spawnSync(path, ['--version'], {
    argv0: 'redis-server',
    encoding: 'utf8',
    timeout: 5000,
  })
  return /^(redis|valkey) server v=/i.test(stdout ?? '')
}

/** Checks whether node_modules matches package-lock.json. Plain JavaScript without dependencies. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {Record<string, string>} Ranges
 * @typedef {{ dependencies?: Ranges, devDependencies?: Ranges }} Manifest
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean } & Manifest} Locked
 */

/**
 * npm writes node_modules/.package-lock.json as the last step of an install, after the packages' scripts, and `npm ci`
 * empties node_modules first. So if the file exists, it describes a complete tree, whatever command installed it.
 *
 * @param {string} root the project's folder
 * @returns {boolean}
 */
export function modulesAreCurrent(root) {
  const manifest = /** @type {Manifest | null} */ (readJson(join(root, 'package.json')))
  const wanted = lockedPackages(join(root, 'package-lock.json'))
  const present = lockedPackages(join(root, 'node_modules', '.package-lock.json'))
  if (!manifest || !wanted || !present) return false
  return (
    lockMatchesManifest(/** @type {Manifest} */ (wanted['']), manifest) &&
    workspacesMatch(root, wanted) &&
    everyPackageMatches(wanted, present) &&
    directPackagesExist(root, manifest)
  )
}

/**
 * @param {Record<string, Locked>} wanted
 * @param {Record<string, Locked>} present
 */
function everyPackageMatches(wanted, present) {
  const missing = Object.entries(wanted).some(([path, want]) => {
    if (path === '') return false
    const have = present[path]
    // Optional packages of other platforms are locked but never installed.
    if (!have) return !(want.optional || want.devOptional)
    return have.version !== want.version || have.integrity !== want.integrity
  })
  return !missing && Object.keys(present).every((path) => path in wanted)
}

/**
 * @param {Manifest | undefined} locked
 * @param {Manifest} manifest
 */
function lockMatchesManifest(locked, manifest) {
  return (
    sameRanges(locked?.dependencies, manifest.dependencies) &&
    sameRanges(locked?.devDependencies, manifest.devDependencies)
  )
}

/**
 * Entries of the lock file outside node_modules are the workspaces.
 *
 * @param {string} root
 * @param {Record<string, Locked>} wanted
 */
function workspacesMatch(root, wanted) {
  return Object.entries(wanted).every(([path, locked]) => {
    if (path === '' || /(^|\/)node_modules\//.test(path)) return true
    const manifest = /** @type {Manifest | null} */ (readJson(join(root, path, 'package.json')))
    return manifest !== null && lockMatchesManifest(locked, manifest)
  })
}

/**
 * @param {Ranges} [a]
 * @param {Ranges} [b]
 */
function sameRanges(a = {}, b = {}) {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/**
 * Quickly detects folders that were deleted from node_modules.
 *
 * @param {string} root
 * @param {Manifest} manifest
 */
function directPackagesExist(root, manifest) {
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
  return names.every((name) => existsSync(join(root, 'node_modules', name, 'package.json')))
}

/**
 * @param {string} path
 * @returns {Record<string, Locked> | null}
 */
function lockedPackages(path) {
  const lock = /** @type {{ packages?: Record<string, Locked> } | null} */ (readJson(path))
  return lock?.packages ?? null
}

/**
 * @param {string} path
 * @returns {unknown}
 */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

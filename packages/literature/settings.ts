/** The environment of the stage service. */
import { join } from 'node:path'
import { LITERATURE_DEFAULTS, type LiteratureSettings, readLiterature } from './literature-settings.ts'

type Env = Record<string, string | undefined>

/** Settings that apply in every process. */
export interface WorkSettings {
  literature: LiteratureSettings
  heartbeatMs: number
  paceMs: number
  keepMs: number
}

/** Settings for a separate process. */
export interface Settings extends WorkSettings {
  host: string
  port: number
  dataDir: string
  logLevel: string
  graceMs: number
}

/** Variables for the operator, with their defaults; undefined if there is none. */
export const WORK_DEFAULTS = { STAGE_KEEP_SECONDS: '604800', ...LITERATURE_DEFAULTS } as const

const HOUR_MS = 60 * 60 * 1000
const TEN_YEARS_SECONDS = 315_360_000
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Settings, or one line per fault, each naming its variable. An empty variable counts as unset. */
export function readSettings(env: Env): Settings | { faults: string[] } {
  const faults: string[] = []
  const host = textOf(env, 'HOST', '127.0.0.1')
  if (!/^[A-Za-z0-9.:-]+$/.test(host))
    faults.push('HOST must be a host name or an IP address, e.g. 127.0.0.1')

  const whole = wholeNumbers(env, faults)
  const port = whole('PORT', 8000, 0, 65_535, ' (0 = a free port)')
  const graceMs = whole('SHUTDOWN_GRACE_MS', 5_000, 0, HOUR_MS)
  const work = readWork(env, faults)
  const logLevel = textOf(env, 'LOG_LEVEL', 'info')
  if (!LEVELS.includes(logLevel)) faults.push(`LOG_LEVEL must be one of ${LEVELS.join(', ')}`)

  const dataDir = textOf(env, 'STAGE_DATA_DIR', join('.stagecast', 'stage-service'))
  if (faults.length > 0) return { faults }
  return { host, port, dataDir, logLevel, graceMs, ...work }
}

/** Adds a line to `faults` for each bad variable. */
export function readWork(env: Env, faults: string[]): WorkSettings {
  const whole = wholeNumbers(env, faults)
  return {
    heartbeatMs: whole('STAGE_HEARTBEAT_MS', 10_000, 10, HOUR_MS),
    paceMs: whole('STAGE_PACE_MS', 0, 0, HOUR_MS),
    keepMs:
      1000 * whole('STAGE_KEEP_SECONDS', Number(WORK_DEFAULTS.STAGE_KEEP_SECONDS), 3600, TEN_YEARS_SECONDS),
    literature: readLiterature(env, faults),
  }
}

function textOf(env: Env, name: string, fallback: string): string {
  return env[name]?.trim() || fallback
}

function wholeNumbers(env: Env, faults: string[]) {
  return (name: string, fallback: number, least: number, most: number, hint = '') => {
    const text = textOf(env, name, String(fallback))
    const fine = /^[0-9]{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most
    if (!fine) faults.push(`${name} must be a whole number from ${least} to ${most}${hint}`)
    return Number(text)
  }
}

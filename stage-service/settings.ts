/** The environment of the stage service's own process. */
import { join } from 'node:path'
import { type LiteratureSettings, readLiterature } from './literature-settings.ts'

export interface Settings {
  host: string
  port: number
  dataDir: string
  literature: LiteratureSettings
  logLevel: string
  heartbeatMs: number
  paceMs: number
  graceMs: number
}

const HOUR_MS = 60 * 60 * 1000
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Settings, or one line per fault, each naming its variable. An empty variable counts as unset. */
export function readSettings(env: Record<string, string | undefined>): Settings | { faults: string[] } {
  const faults: string[] = []
  const value = (name: string, fallback: string) => env[name]?.trim() || fallback

  const host = value('HOST', '127.0.0.1')
  if (!/^[A-Za-z0-9.:-]+$/.test(host))
    faults.push('HOST must be a host name or an IP address, e.g. 127.0.0.1')

  const whole = (name: string, fallback: number, least: number, most: number, hint = '') => {
    const text = value(name, String(fallback))
    const fine = /^[0-9]{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most
    if (!fine) faults.push(`${name} must be a whole number from ${least} to ${most}${hint}`)
    return Number(text)
  }
  const port = whole('PORT', 8000, 0, 65_535, ' (0 = a free port)')
  const heartbeatMs = whole('STAGE_HEARTBEAT_MS', 10_000, 10, HOUR_MS)
  const paceMs = whole('STAGE_PACE_MS', 0, 0, HOUR_MS)
  const graceMs = whole('SHUTDOWN_GRACE_MS', 5_000, 0, HOUR_MS)

  const literature = readLiterature(env, faults)
  const logLevel = value('LOG_LEVEL', 'info')
  if (!LEVELS.includes(logLevel)) faults.push(`LOG_LEVEL must be one of ${LEVELS.join(', ')}`)

  const dataDir = value('STAGE_DATA_DIR', join('.stagecast', 'stage-service'))
  if (faults.length > 0) return { faults }
  return { host, port, dataDir, literature, logLevel, heartbeatMs, paceMs, graceMs }
}

/** Reads the files that REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY name. */
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { RedisTls } from '../journal/redis.ts'

export interface RedisTlsFiles {
  REDIS_URL?: string
  REDIS_TLS_CA?: string
  REDIS_TLS_CERT?: string
  REDIS_TLS_KEY?: string
}

const NAMES = { ca: 'REDIS_TLS_CA', cert: 'REDIS_TLS_CERT', key: 'REDIS_TLS_KEY' } as const

/** Undefined if none is named. A fault never quotes a file's content. */
export function readRedisTls(env: RedisTlsFiles): { tls: RedisTls | undefined; faults: string[] } {
  const faults: string[] = []
  const tls: RedisTls = {}
  for (const [part, name] of Object.entries(NAMES) as [keyof RedisTls, (typeof NAMES)[keyof RedisTls]][]) {
    const path = env[name]
    if (path === undefined) continue
    try {
      tls[part] = readFileSync(path)
      createSecureContext(part === 'ca' ? { ca: tls.ca } : { [part]: tls[part] })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const isMissing = tls[part] === undefined
      faults.push(
        isMissing
          ? `${name} names a file that cannot be read: ${JSON.stringify(path)} (${code})`
          : `${name} must name a PEM file: ${JSON.stringify(path)} (${message})`,
      )
    }
  }
  if (Boolean(env.REDIS_TLS_CERT) !== Boolean(env.REDIS_TLS_KEY)) {
    const [lone, other] = env.REDIS_TLS_CERT ? [NAMES.cert, NAMES.key] : [NAMES.key, NAMES.cert]
    faults.push(`${lone} requires ${other}`)
  }
  const named = Object.values(NAMES).find((name) => env[name])
  if (named && env.REDIS_URL && !env.REDIS_URL.startsWith('rediss://'))
    faults.push(`${named} is for an encrypted connection: REDIS_URL must begin with rediss://`)
  if (named && faults.length === 0) faults.push(...mismatch(tls))
  return { tls: named ? tls : undefined, faults }
}

function mismatch(tls: RedisTls): string[] {
  try {
    createSecureContext(tls)
    return []
  } catch {
    return ['REDIS_TLS_KEY must be the private key of the certificate in REDIS_TLS_CERT']
  }
}

/** Verifies bearer tokens: signature, times, issuer and audience. */
import { createPublicKey, createSecretKey } from 'node:crypto'
import fp from 'fastify-plugin'
import type { FetchImplementation, JWTVerifyGetKey } from 'jose'
import * as jose from 'jose/errors'
import { createRemoteJWKSet, customFetch } from 'jose/jwks/remote'
import { jwtVerify } from 'jose/jwt/verify'
import { ProblemError, unauthenticated } from '../contract/errors.ts'
import type { Fetch } from '../outgoing/outgoing.ts'
import type { Caller } from './auth.ts'

declare module './core.ts' {
  interface Stagecast {
    /** The caller that the token identifies. Throws 401, or 503 while the issuer's keys cannot be fetched. */
    verifyToken(token: string): Promise<Caller>
  }
}

/** At most one key source. Without one, every token is rejected. */
export interface BearerOptions {
  /** For HS256: at least 32 bytes. */
  secret?: string | undefined
  /** PEM, for RS256 and ES256. */
  publicKey?: string | undefined
  /** For RS256 and ES256. */
  jwksUrl?: string | undefined
  issuer?: string | undefined
  audience?: string | undefined
}

export default fp<BearerOptions>(
  async (app, options) => {
    const getKey = keySource(options, app.stagecast.outgoing.fetch)
    const rules = {
      algorithms: options.secret ? ['HS256'] : ['RS256', 'ES256'],
      requiredClaims: ['sub', 'exp'],
      ...(options.issuer && { issuer: options.issuer }),
      ...(options.audience && { audience: options.audience }),
    }

    app.stagecast.verifyToken = async (token) => {
      try {
        const { payload, protectedHeader } = await jwtVerify(token, getKey, rules)
        if (protectedHeader.crit !== undefined) throw new Error('crit is not supported')
        return toCaller(payload)
      } catch (error) {
        if (isIssuerAway(error)) {
          const detail = "The token issuer's keys cannot be fetched; try again shortly"
          throw new ProblemError('AUTH_UNAVAILABLE', detail, { retryAfter: 5 })
        }
        app.log.debug(
          { err: { name: (error as Error).name, message: (error as Error).message } },
          'token refused',
        )
        if (error instanceof jose.JWTExpired)
          throw unauthenticated('TOKEN_EXPIRED', 'Get a new token and try again')
        throw unauthenticated(
          'INVALID_TOKEN',
          'The token is malformed, wrongly signed, not yet valid or lacks a claim',
        )
      }
    }
  },
  { name: 'bearer', dependencies: ['core', 'outgoing'] },
)

function keySource({ secret, publicKey, jwksUrl }: BearerOptions, fetch: Fetch): JWTVerifyGetKey {
  if (jwksUrl) return createRemoteJWKSet(new URL(jwksUrl), { [customFetch]: fetch as FetchImplementation })
  if (secret === undefined && publicKey === undefined)
    return () => Promise.reject(new Error('no key is configured'))
  const key = secret ? createSecretKey(Buffer.from(secret)) : createPublicKey(publicKey as string)
  return async () => key
}

/** Whether the issuer's keys cannot be fetched. An unknown key id, in contrast, is a fault of the token. */
function isIssuerAway(error: unknown): boolean {
  if (error instanceof jose.JWKSTimeout) return true
  if (error instanceof jose.JOSEError)
    return error.code === 'ERR_JOSE_GENERIC' || error.code === 'ERR_JWKS_INVALID'
  return error instanceof TypeError && error.message === 'fetch failed'
}

/** Reads the claims whose types the library does not check. */
function toCaller({ sub, exp, scope }: { sub?: unknown; exp?: unknown; scope?: unknown }): Caller {
  // JSON allows `1e999`, which parses to Infinity: such a token would never expire. Ill-formed strings are rejected because
  // Redis would store two different ones as the same.
  if (typeof sub !== 'string' || sub === '' || !sub.isWellFormed() || !Number.isFinite(exp))
    throw new Error('sub or exp is unusable')
  // RFC 8693, 4.2: a space-separated string.
  const scopes = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : []
  return { id: sub, until: (exp as number) * 1000, scopes, admin: scopes.includes('admin') }
}

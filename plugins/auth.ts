/** Who calls: verifies bearer tokens. Every defect of a token is 401. */
import { KeyObject } from 'node:crypto'
import jwt from '@fastify/jwt'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createRemoteJWKSet, errors as jose } from 'jose'
import { ProblemError } from '../contract/errors.ts'

export interface Caller {
  /** The token's `sub`. */
  id: string
  /** When the token ends, epoch ms. */
  until: number
  /** Whether a ticket for a job was shown: it opens the job, whoever has it. */
  byTicket?: true
  /** Of a ticket: whose workflow it opens. */
  owner?: string
  /** Whether the token's `scope` holds `admin`. */
  admin?: boolean
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: Caller
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** onRequest hook: sets `request.user` or throws 401. */
    authenticate(request: FastifyRequest): Promise<void>
    /** onRequest hook, to stand behind `authenticate`: throws 403 unless the caller is an administrator. */
    requireAdmin(request: FastifyRequest): Promise<void>
  }
}

/** Exactly one key source, or none with `mock`. */
export interface AuthPluginOptions {
  secret?: string | undefined
  publicKey?: string | undefined
  jwksUrl?: string | undefined
  issuer?: string | undefined
  audience?: string | undefined
  /** Requests without a JWT-shaped bearer are `user-dev-001`. For development on loopback only. */
  mock: boolean
}

const MOCK_USER = 'user-dev-001'
/** Verified tokens that are remembered, by the header that carried them; longer headers are not. */
const REMEMBERED = 1000
const LONGEST_REMEMBERED = 4096
/** A key that its issuer has withdrawn is noticed after so long, in ms. */
const RECHECK_MS = 30_000
const JWT_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]*$/

export default fp<AuthPluginOptions>(
  async (app, options) => {
    const algorithms = options.secret ? ['HS256'] : ['RS256', 'ES256']
    const key = keySource(options)
    await app.register(jwt, {
      // Called with the decoded token, header included, because of `complete`.
      secret: async (_request: FastifyRequest, token: unknown) => key(token as CompleteToken),
      decode: { complete: true },
      verify: {
        algorithms: algorithms as ('HS256' | 'RS256' | 'ES256')[],
        // `allowedIss` and `allowedAud` judge only a claim that is there.
        requiredClaims: [
          'sub',
          'exp',
          ...(options.issuer ? ['iss'] : []),
          ...(options.audience ? ['aud'] : []),
        ],
        ...(options.issuer && { allowedIss: options.issuer }),
        ...(options.audience && { allowedAud: options.audience }),
      },
      formatUser: toCaller as (payload: unknown) => Caller,
    })
    const remembered = new Map<string, Verified>()
    app.decorate('authenticate', async (request) => {
      const { authorization = '' } = request.headers
      const known = remembered.get(authorization)
      if (known && Date.now() < known.until) {
        request.user = known.caller
        return
      }
      const token = bearerOf(request)
      if (options.mock && (token === undefined || !JWT_SHAPE.test(token))) {
        request.user = { id: MOCK_USER, until: Number.POSITIVE_INFINITY, admin: true }
      } else if (token === undefined) {
        throw unauthenticated('UNAUTHENTICATED', 'Send an Authorization header: Bearer <token>')
      } else {
        await verify(request)
        if (authorization.length <= LONGEST_REMEMBERED) remember(authorization, request.user)
      }
    })
    app.decorate('requireAdmin', async ({ user }) => {
      if (user.admin) return
      // RFC 6750, 3.1.
      const challenge = 'Bearer error="insufficient_scope", scope="admin"'
      const detail = "This is for administrators: the token's scope must contain admin"
      throw new ProblemError('FORBIDDEN', detail, { headers: { 'www-authenticate': challenge } })
    })

    /** What is there longest goes first. */
    function remember(authorization: string, caller: Caller): void {
      remembered.delete(authorization)
      if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value as string)
      remembered.set(authorization, { caller, until: Math.min(caller.until, Date.now() + RECHECK_MS) })
    }
  },
  { name: 'auth' },
)

/** Until when, epoch ms, a caller is believed without looking at the token again. */
interface Verified {
  caller: Caller
  until: number
}

interface CompleteToken {
  header: { alg: string; kid?: string; crit?: unknown }
}

/** The key for a token, by configuration; PEM or secret. */
function keySource({
  secret,
  publicKey,
  jwksUrl,
}: AuthPluginOptions): (token: CompleteToken) => Promise<string> {
  const jwks = jwksUrl ? createRemoteJWKSet(new URL(jwksUrl)) : undefined
  return async ({ header }) => {
    if (header.crit !== undefined) throw new Error('crit is not supported')
    if (!jwks) {
      const key = secret ?? publicKey
      if (key === undefined) throw new Error('no key is configured')
      return key
    }
    if (header.alg !== 'RS256' && header.alg !== 'ES256') throw new Error('algorithm is not allowed')
    return KeyObject.from(
      await jwks({ alg: header.alg, ...(header.kid !== undefined && { kid: header.kid }) }),
    ).export({ type: 'spki', format: 'pem' }) as string
  }
}

async function verify(request: FastifyRequest): Promise<void> {
  try {
    await request.jwtVerify()
    if (request.user.id === '') throw new Error('sub or exp is unusable')
  } catch (error) {
    if (isIssuerAway(error)) {
      const detail = 'The keys of the token issuer cannot be fetched; try again shortly'
      throw new ProblemError('AUTH_UNAVAILABLE', detail, { retryAfter: 5 })
    }
    request.log.debug({ err: error }, 'token refused')
    if ((error as { code?: string }).code === 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED')
      throw unauthenticated('TOKEN_EXPIRED', 'Get a new token and try again')
    throw unauthenticated(
      'INVALID_TOKEN',
      'The token is malformed, wrongly signed, not yet valid or lacks a claim',
    )
  }
}

/** An unknown key id is the token's defect; keys that cannot be had are not. */
function isIssuerAway(error: unknown): boolean {
  if (error instanceof jose.JWKSTimeout) return true
  if (error instanceof jose.JOSEError)
    return error.code === 'ERR_JOSE_GENERIC' || error.code === 'ERR_JWKS_INVALID'
  return error instanceof TypeError && error.message === 'fetch failed'
}

/**
 * Reads the claims the library takes as they come: a numeric `sub`, a text as `iat`. It is called where nothing
 * may be thrown, so an unusable token gives the empty id, which `verify` refuses.
 */
function toCaller(payload: { sub?: unknown; exp?: unknown; iat?: unknown; scope?: unknown }): Caller {
  const { sub, exp, iat = 0, scope } = payload
  // RFC 8693, 4.2: one text, with blanks between.
  const admin = typeof scope === 'string' && scope.split(' ').includes('admin')
  // Redis would take two ill-formed names for the same one.
  return typeof sub === 'string' && sub.isWellFormed() && isInstant(exp) && isInstant(iat)
    ? { id: sub, until: exp * 1000, admin }
    : { id: '', until: 0 }
}

/** JSON knows numbers beyond all numbers (`1e999`): a token must not live for ever. */
function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
}

export function unauthenticated(
  code: 'UNAUTHENTICATED' | 'INVALID_TOKEN' | 'TOKEN_EXPIRED' | 'INVALID_TICKET' | 'TICKET_EXPIRED',
  detail: string,
): ProblemError {
  const challenge = code === 'UNAUTHENTICATED' ? 'Bearer' : 'Bearer error="invalid_token"'
  return new ProblemError(code, detail, { headers: { 'www-authenticate': challenge } })
}

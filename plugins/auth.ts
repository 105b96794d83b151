/** Identifies the caller, by the host application's authentication or a bearer token. */
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError, unauthenticated } from '../contract/errors.ts'

export interface Caller {
  /** Owner of the jobs: the token's `sub`, or the id that the host returns. */
  id: string
  /** When the credentials expire, epoch ms. */
  until: number
  /** Set if the caller presented a ticket. A ticket opens its job to anyone who holds it. */
  byTicket?: true
  /** Owner of the workflow that a ticket opens. */
  owner?: string
  scopes?: readonly string[]
  /** Whether the scopes contain `admin`. */
  admin?: boolean
  /** How the caller was identified; absent = by a verified token. `development` is mock authentication. */
  authentication?: 'token' | 'application' | 'development'
}

/** A caller as the host application identifies it. */
export interface Identity {
  /** Owner of the caller's jobs; must not be empty. */
  id: string
  /** `admin` allows the administrators' routes. */
  scopes?: readonly string[] | undefined
  /** When the credentials expire, epoch ms. Streams end at that time. */
  until?: number | undefined
}

export type Authenticate = (request: FastifyRequest) => Identity | null | Promise<Identity | null>

declare module './core.ts' {
  interface Stagecast {
    /** onRequest hook: sets `request.stagecast.user` or throws 401. */
    authenticate(request: FastifyRequest): Promise<void>
    /** onRequest hook, used after `authenticate`: throws 403 unless the caller is an administrator. */
    requireAdmin(request: FastifyRequest): Promise<void>
  }
  interface StagecastRequest {
    user: Caller
  }
}

export interface AuthPluginOptions {
  /** The host's own authentication. Without it, callers send bearer tokens. */
  authenticate?: Authenticate | undefined
  /** Treat requests without a bearer token as `user-dev-001`. For development on loopback only. */
  mock: boolean
}

const MOCK_USER: Caller = {
  id: 'user-dev-001',
  until: Number.POSITIVE_INFINITY,
  scopes: ['admin'],
  admin: true,
  authentication: 'development',
}
/** Maximum number of cached tokens. */
const REMEMBERED = 1000
const LONGEST_REMEMBERED = 4096
/** How long a token is trusted before it is verified again, so that a revoked key takes effect, in ms. */
const RECHECK_MS = 30_000
const JWT_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]*$/

export default fp<AuthPluginOptions>(
  async (app, { authenticate, mock }) => {
    const remembered = new Map<string, Verified>()

    app.stagecast.authenticate = async (request) => {
      request.stagecast.user = await (authenticate ? askHost(request, authenticate) : askToken(request))
    }
    app.stagecast.requireAdmin = async ({ stagecast: { user } }) => {
      if (user.admin) return
      // RFC 6750, 3.1.
      const challenge = 'Bearer error="insufficient_scope", scope="admin"'
      const detail = "Only administrators may do this: the caller's scopes must contain admin"
      throw new ProblemError('FORBIDDEN', detail, { headers: { 'www-authenticate': challenge } })
    }

    async function askToken({ headers: { authorization = '' } }: FastifyRequest): Promise<Caller> {
      const known = remembered.get(authorization)
      if (known && Date.now() < known.until) return known.caller
      const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
      if (mock && (token === undefined || !JWT_SHAPE.test(token))) return MOCK_USER
      if (token === undefined)
        throw unauthenticated('UNAUTHENTICATED', 'Send an Authorization header: Bearer <token>')
      const caller = await app.stagecast.verifyToken(token)
      if (authorization.length <= LONGEST_REMEMBERED) remember(authorization, caller)
      return caller
    }

    /** Evicts the oldest entry first. */
    function remember(authorization: string, caller: Caller): void {
      remembered.delete(authorization)
      if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value as string)
      remembered.set(authorization, { caller, until: Math.min(caller.until, Date.now() + RECHECK_MS) })
    }
  },
  { name: 'auth', dependencies: ['bearer'] },
)

/** A verified caller, and until when (epoch ms) it is trusted without verifying the token again. */
interface Verified {
  caller: Caller
  until: number
}

async function askHost(request: FastifyRequest, authenticate: Authenticate): Promise<Caller> {
  let identity: Identity | null
  try {
    identity = await authenticate(request)
  } catch (err) {
    request.log.info({ err }, 'the application rejected the caller')
    identity = null
  }
  if (identity === null || identity === undefined)
    throw new ProblemError('UNAUTHENTICATED', 'Sign in to this application, then try again')
  const { id, scopes = [], until = Number.POSITIVE_INFINITY } = identity
  if (typeof id !== 'string' || id === '' || !Array.isArray(scopes))
    throw new TypeError(
      `authenticate must return null or { id, scopes? } with a non-empty string as id and an array as scopes, got ${typeof id} and ${typeof scopes}`,
    )
  return { id, scopes, until, admin: scopes.includes('admin'), authentication: 'application' }
}

/**
 * The only code that reads the environment. One table defines the rule and default of each variable; the result is frozen
 * and typed by the same table. An invalid environment is one error with a line per fault.
 */
import { createPublicKey } from 'node:crypto'
import { isIP } from 'node:net'
import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { type Catalogue, openCatalogue } from '../contract/catalogue.ts'
import { CatalogueError } from '../contract/catalogue-faults.ts'
import type { RedisTls } from '../journal/redis.ts'
import { hasHashTag, NEEDS_HASH_TAG, redisUrlFault, splitRedisUrl } from '../journal/redis-url.ts'
import type { ProxySettings } from '../outgoing/outgoing.ts'
import { readRedisTls } from './redis-tls.ts'
import { readStagesFile } from './stages-file.ts'
import { type TracingSettings, tracingFaults, tracingOf } from './tracing-env.ts'

const Count = (fallback: number, minimum = 0, maximum = 2_147_483_647) =>
  Type.Integer({ default: fallback, minimum, maximum })
const Text = (fallback?: string) => Type.String(fallback === undefined ? {} : { default: fallback })
const Maybe = Type.Optional(Type.String())

const Environment = Type.Object({
  NODE_ENV: Text('production'),
  HOST: Text('127.0.0.1'),
  PORT: Count(3001, 0, 65_535),
  WORKER_HEALTH_PORT: Count(0, 0, 65_535),
  ADMIN_HOST: Text('127.0.0.1'),
  ADMIN_PORT: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  REDIS_URL: Text(),
  REDIS_TLS_CA: Maybe,
  REDIS_TLS_CERT: Maybe,
  REDIS_TLS_KEY: Maybe,
  REDIS_PREFIX: Type.String({ default: 'bull', pattern: '^[^:\\s]+$' }),
  QUEUE_ID: Maybe,
  WORKER_URL: Maybe,
  STAGES_FILE: Maybe,
  ARTIFACT_REDIRECT_HOSTS: Maybe,
  HTTPS_PROXY: Maybe,
  HTTP_PROXY: Maybe,
  NO_PROXY: Maybe,
  JWT_SECRET: Maybe,
  JWT_PUBLIC_KEY: Maybe,
  JWT_JWKS_URL: Maybe,
  JWT_ISSUER: Maybe,
  JWT_AUDIENCE: Maybe,
  ALLOW_MOCK_AUTH: Type.Boolean({ default: false }),
  STAGE_WORKER_CONCURRENCY: Count(2, 1, 10_000),
  STAGE_JOB_ATTEMPTS: Count(3, 1, 1000),
  STAGE_JOB_BACKOFF_MS: Count(5000),
  STAGE_KEEP_COMPLETED: Count(100),
  STAGE_KEEP_FAILED: Count(50),
  RESULT_TTL_SECONDS: Count(86_400, 1),
  WORKFLOW_TTL_SECONDS: Count(2_592_000, 1),
  SIGN_OFF_SCOPE: Type.Optional(Type.String({ pattern: '^[\\u0021\\u0023-\\u005b\\u005d-\\u007e]+$' })),
  STAGE_TIMEOUT_MS: Count(1_800_000, 1),
  STAGE_HEARTBEAT_TIMEOUT_MS: Count(60_000, 1),
  STAGE_MAX_RESULT_BYTES: Count(1_048_576, 1),
  BREAKER_FAILURES: Count(5, 1),
  BREAKER_RESET_MS: Count(30_000, 1),
  WORKER_LOCK_MS: Count(30_000, 100),
  WORKER_STALLED_CHECK_MS: Count(15_000, 50),
  SHUTDOWN_GRACE_MS: Count(10_000, 1),
  RATE_LIMIT_PER_MINUTE: Count(600),
  MAX_WAITING_PER_USER: Count(0),
  LONG_POLL_MAX_SECONDS: Count(30, 1, 300),
  SSE_HEARTBEAT_MS: Count(15_000, 50, 15_000),
  SSE_LIFETIME_SECONDS: Count(600, 0, 1_000_000),
  SSE_MAX_CONNECTIONS: Count(20_000),
  SSE_MAX_PER_USER: Count(200),
  SSE_MAX_PER_JOB: Count(0),
  TICKET_TTL_SECONDS: Count(3600, 1, 31_536_000),
  BODY_LIMIT_BYTES: Count(262_144, 1024, 104_857_600),
  CORS_ORIGINS: Maybe,
  TRUST_PROXY: Maybe,
  LOG_LEVEL: Type.String({ default: 'info', pattern: '^(fatal|error|warn|info|debug|trace|silent)$' }),
  LOG_SERVICE_ERRORS: Type.Boolean({ default: false }),
})

/** Every variable with its parsed value; `CORS_ORIGINS` and `TRUST_PROXY` are split into lists. */
export type Config = Readonly<Static<typeof Environment>> & {
  readonly corsOrigins: readonly string[]
  /** Trusted proxies: all, or these addresses and networks. */
  readonly trustProxy: boolean | readonly string[]
  /** The content of the files that REDIS_TLS_… name. */
  readonly redisTls: RedisTls | undefined
  /** Forward proxies for calls to services, files and the key set. */
  readonly proxy: ProxySettings
  /** The stages and their services. */
  readonly catalogue: Catalogue
  /** Settings from OpenTelemetry's standard variables; null without them. */
  readonly tracing: TracingSettings | null
}

/** Most programs spell these in lower case too. */
const PROXIES: ReadonlySet<string> = new Set(['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'])

/** Names of all variables, so that a test can check that the documentation lists them. */
export const VARIABLES = Object.keys(Environment.properties)

/** All faults of an environment, one per line. */
export class ConfigError extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(`The configuration cannot be used:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/**
 * Reads `env`; throws a `ConfigError` if anything in it is wrong. An empty variable counts as unset. A worker does not verify
 * tokens, so it needs no key.
 */
export function loadConfig(env: NodeJS.ProcessEnv, role: 'api' | 'worker' = 'api'): Config {
  const given = Object.fromEntries(
    Object.entries<TSchema>(Environment.properties).flatMap(([name, { type }]) => {
      const text = env[name] || (PROXIES.has(name) && env[name.toLowerCase()])
      return text ? [[name, parse(type, text)]] : []
    }),
  )
  const value = Value.Default(Environment, given) as Static<typeof Environment>
  const faults = [...shapeFaults(Environment, value)]
  const named = new Set(faults.map(nameOf))
  // Check the meaning of a value only if its form is valid.
  faults.push(...[...meaningFaults(value, role)].filter((fault) => !named.has(nameOf(fault))))
  faults.push(...tracingFaults(env))
  const redisTls = readRedisTls(value)
  faults.push(...redisTls.faults)
  const stages = loadCatalogue(value, env)
  if ('faults' in stages) faults.push(...stages.faults)
  if ('faults' in stages || faults.length > 0) throw new ConfigError(faults)
  return Object.freeze({
    ...value,
    redisTls: redisTls.tls,
    corsOrigins: Object.freeze(split(value.CORS_ORIGINS)),
    trustProxy: isFlag(value.TRUST_PROXY)
      ? value.TRUST_PROXY === 'true'
      : Object.freeze(split(value.TRUST_PROXY)),
    proxy: Object.freeze({
      http: value.HTTP_PROXY && proxyUrl(value.HTTP_PROXY),
      https: value.HTTPS_PROXY && proxyUrl(value.HTTPS_PROXY),
      none: value.NO_PROXY,
    }),
    catalogue: stages.catalogue,
    tracing: tracingOf(env),
  })
}

/** Whether only this machine can reach a host name or address. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

/** Parses whole numbers, `true` and `false`; leaves anything else as text, which the schema rejects. */
function parse(type: string, text: string): unknown {
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  return text
}

const isProduction = (nodeEnv: string) => nodeEnv !== 'development' && nodeEnv !== 'test'
const nameOf = (fault: string) => fault.split(' ', 1)[0]
const split = (list = '') => list.split(',').flatMap((item) => item.trim() || [])
const isFlag = (text = '') => text === 'true' || text === 'false'

function* shapeFaults(schema: TObject, value: unknown): Generator<string> {
  const seen = new Set<string>()
  for (const { path } of Value.Errors(schema, value)) {
    const name = path.slice(1).split('/')[0] as string
    if (seen.has(name)) continue
    seen.add(name)
    yield `${name} ${rule(schema.properties[name] as TSchema, (value as Record<string, unknown>)[name], name)}`
  }
}

function rule(schema: TSchema, got: unknown, name: string): string {
  if (got === undefined) return missing(name)
  const shown = `got ${JSON.stringify(got)}`
  if (schema.anyOf)
    return `must be one of ${schema.anyOf.map((one: TSchema) => one.const).join(', ')}, ${shown}`
  if (schema.type === 'boolean') return `must be true or false, ${shown}`
  if (schema.type === 'integer')
    return `must be a whole number from ${schema.minimum} to ${schema.maximum}, ${shown}`
  return `must match ${schema.pattern}, ${shown}`
}

function missing(name: string): string {
  const what =
    name === 'REDIS_URL'
      ? 'the address of Redis, e.g. redis://127.0.0.1:6379'
      : 'the URL of the stage service'
  return `is required: ${what} (npm run dev starts its own)`
}

/** Placeholder for an unset default service, until it is known whether a stage needs it. */
const UNSET = 'http://unset.invalid'

/** Faults of WORKER_URL are reported under its own name. */
function baseOf(url: string | undefined): string {
  const { origin = 'null', pathname } = url && URL.canParse(url) ? new URL(url) : {}
  return origin === 'null' ? UNSET : `${origin}${pathname}`
}

function loadCatalogue(
  { STAGES_FILE: path, WORKER_URL: url, NODE_ENV }: Static<typeof Environment>,
  env: NodeJS.ProcessEnv,
): { catalogue: Catalogue } | { faults: string[] } {
  const file = path === undefined ? undefined : readStagesFile(path)
  if (file && 'fault' in file) return { faults: [`STAGES_FILE ${file.fault}`] }
  try {
    const catalogue = openCatalogue({
      file: file?.value,
      services: { default: baseOf(url) },
      env: (name) => env[name],
    })
    const faults = [...catalogue.services].flatMap(([name, service]) =>
      service.url === UNSET || name === 'default'
        ? []
        : [...httpFaults(`STAGES_FILE /services/${name}/url`, service.url, isProduction(NODE_ENV))],
    )
    const isUsed = catalogue.stages.some(({ stage }) => catalogue.serviceOf(stage)?.url === UNSET)
    if (isUsed && url === undefined) faults.push(`WORKER_URL ${missing('WORKER_URL')}`)
    return faults.length > 0 ? { faults } : { catalogue }
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error
    return { faults: error.faults.map((fault) => `STAGES_FILE ${fault}`) }
  }
}

function* meaningFaults(env: Static<typeof Environment>, role: 'api' | 'worker'): Generator<string> {
  const production = isProduction(env.NODE_ENV)
  yield* redisFaults(env)
  if (env.WORKER_URL) yield* httpFaults('WORKER_URL', env.WORKER_URL, production)
  if (env.JWT_JWKS_URL) yield* httpFaults('JWT_JWKS_URL', env.JWT_JWKS_URL, production)
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY'] as const)
    if (env[name] && !isProxyUrl(env[name]))
      // Never quote it: it may contain a password.
      yield `${name} must be the http or https address of a proxy, e.g. http://proxy.example.org:3128`
  if (env.JWT_SECRET && Buffer.byteLength(env.JWT_SECRET) < 32)
    yield 'JWT_SECRET must be at least 32 bytes long: generate one with `openssl rand -base64 48`'
  if (env.JWT_PUBLIC_KEY && !isUsableKey(env.JWT_PUBLIC_KEY))
    yield 'JWT_PUBLIC_KEY must be a public key in PEM form (-----BEGIN PUBLIC KEY-----), RSA or on the curve P-256'
  const sources = [env.JWT_SECRET, env.JWT_PUBLIC_KEY, env.JWT_JWKS_URL].filter(Boolean).length
  if (sources > 1) yield 'JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL exclude each other: set one'
  if (sources === 0 && !env.ALLOW_MOCK_AUTH && role === 'api')
    yield 'JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL is required: tokens cannot be checked without a key'
  if (env.ALLOW_MOCK_AUTH && production)
    yield `ALLOW_MOCK_AUTH works only with NODE_ENV development or test, got ${JSON.stringify(env.NODE_ENV)}`
  if (env.ALLOW_MOCK_AUTH && !isLoopback(env.HOST))
    yield `ALLOW_MOCK_AUTH works only with HOST on loopback, got ${JSON.stringify(env.HOST)}`
  for (const origin of split(env.CORS_ORIGINS)) {
    // Check the origin without the wildcard: `*` is not valid in a host name.
    const bare = origin.replace('://*.', '://')
    if (!URL.canParse(bare) || new URL(bare).origin !== bare || bare.includes('*'))
      yield `CORS_ORIGINS must list origins like https://app.example.org or https://*.example.org, got ${JSON.stringify(origin)}`
  }
  for (const one of isFlag(env.TRUST_PROXY) ? [] : split(env.TRUST_PROXY))
    if (!isNetwork(one))
      yield `TRUST_PROXY must be true, or list addresses and networks like 10.0.0.7 or 10.0.0.0/8, got ${JSON.stringify(one)}`
}

/** Other programs accept a proxy without a scheme too. */
function proxyUrl(text: string): string {
  return text.includes('://') ? text : `http://${text}`
}

function isProxyUrl(text: string): boolean {
  const url = proxyUrl(text)
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}

/** Whether `text` is an address or a network (CIDR). `1`, a number of hops in other software, is neither. */
function isNetwork(text: string): boolean {
  const [address = '', bits = '1', ...more] = text.split('/')
  const longest = isIP(address) === 4 ? 32 : 128
  const isRange = /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= longest
  return isIP(address) !== 0 && isRange && more.length === 0
}

/** Whether a key can verify RS256 or ES256. Rejects private keys, which do not belong here. */
function isUsableKey(pem: string): boolean {
  if (!/^-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem.trim())) return false
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem)
    return asymmetricKeyType === 'rsa' || asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}

function* redisFaults({ REDIS_URL, REDIS_PREFIX }: Partial<Static<typeof Environment>>): Generator<string> {
  if (!REDIS_URL) return
  const urls = splitRedisUrl(REDIS_URL)
  const protocols = urls.length > 1 ? ['redis:', 'rediss:'] : ['redis:', 'rediss:', 'unix:']
  if (!urls.every((url) => URL.canParse(url) && protocols.includes(new URL(url).protocol)))
    yield 'REDIS_URL must be an address that begins with redis://, rediss:// or unix://; or the comma-separated nodes of a Redis Cluster'
  else {
    for (const url of urls) {
      const fault = redisUrlFault(url)
      if (fault) yield `REDIS_URL ${fault}`
    }
    if (urls.length > 1 && !hasHashTag(REDIS_PREFIX ?? '')) yield NEEDS_HASH_TAG
  }
}

/** Allows plain http only to hosts that outsiders cannot own: loopback, or a single-label private name. */
function* httpFaults(name: string, value: string, production: boolean): Generator<string> {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol)) yield `${name} must be an http or https URL`
  else if (url.username || url.password) yield `${name} must not contain a user name or password`
  // An IPv6 address has no dot, but it is not a private name either.
  else if (production && url.protocol === 'http:' && !isLoopback(url.hostname) && /[.:]/.test(url.hostname))
    yield `${name} must use https in production, unless its host is loopback or a single-label private name`
}

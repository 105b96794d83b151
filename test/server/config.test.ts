/** The environment: the published defaults, and one line per fault if it is invalid. */
import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { type Config, ConfigError, loadConfig, VARIABLES } from '../../server/config.ts'

const SECRET = 'a secret of thirty-two bytes or more'
const USABLE = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  WORKER_URL: 'http://127.0.0.1:8000',
  JWT_SECRET: SECRET,
}
const MOCK = { ...USABLE, ALLOW_MOCK_AUTH: 'true', NODE_ENV: 'test' }

/** The published defaults; `undefined` = no default. */
const DEFAULTS: Record<string, unknown> = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  PORT: 3001,
  WORKER_HEALTH_PORT: 0,
  ADMIN_HOST: '127.0.0.1',
  ADMIN_PORT: undefined,
  REDIS_URL: undefined,
  REDIS_TLS_CA: undefined,
  REDIS_TLS_CERT: undefined,
  REDIS_TLS_KEY: undefined,
  REDIS_PREFIX: 'bull',
  QUEUE_ID: undefined,
  WORKER_URL: undefined,
  STAGES_FILE: undefined,
  HTTPS_PROXY: undefined,
  HTTP_PROXY: undefined,
  NO_PROXY: undefined,
  JWT_SECRET: undefined,
  JWT_PUBLIC_KEY: undefined,
  JWT_JWKS_URL: undefined,
  JWT_ISSUER: undefined,
  JWT_AUDIENCE: undefined,
  ALLOW_MOCK_AUTH: false,
  STAGE_WORKER_CONCURRENCY: 2,
  STAGE_JOB_ATTEMPTS: 3,
  STAGE_JOB_BACKOFF_MS: 5000,
  STAGE_KEEP_COMPLETED: 100,
  STAGE_KEEP_FAILED: 50,
  RESULT_TTL_SECONDS: 86_400,
  WORKFLOW_TTL_SECONDS: 2_592_000,
  SIGN_OFF_SCOPE: undefined,
  STAGE_TIMEOUT_MS: 1_800_000,
  STAGE_HEARTBEAT_TIMEOUT_MS: 60_000,
  STAGE_MAX_RESULT_BYTES: 1_048_576,
  BREAKER_FAILURES: 5,
  BREAKER_RESET_MS: 30_000,
  WORKER_LOCK_MS: 30_000,
  WORKER_STALLED_CHECK_MS: 15_000,
  SHUTDOWN_GRACE_MS: 10_000,
  RATE_LIMIT_PER_MINUTE: 600,
  MAX_WAITING_PER_USER: 0,
  LONG_POLL_MAX_SECONDS: 30,
  SSE_HEARTBEAT_MS: 15_000,
  SSE_LIFETIME_SECONDS: 600,
  SSE_MAX_CONNECTIONS: 20_000,
  SSE_MAX_PER_USER: 200,
  SSE_MAX_PER_JOB: 0,
  TICKET_TTL_SECONDS: 3600,
  BODY_LIMIT_BYTES: 262_144,
  CORS_ORIGINS: undefined,
  TRUST_PROXY: undefined,
  ARTIFACT_REDIRECT_HOSTS: undefined,
  LOG_LEVEL: 'info',
  LOG_SERVICE_ERRORS: false,
}

t.test('the defaults are the published ones', async (t) => {
  t.same([...VARIABLES].sort(), Object.keys(DEFAULTS).sort(), 'exactly these variables')
  const config = loadConfig(USABLE) as Config & Record<string, unknown>
  const { REDIS_URL, WORKER_URL, JWT_SECRET, corsOrigins, ...rest } = config
  t.same({ REDIS_URL, WORKER_URL, JWT_SECRET }, USABLE)
  t.same(corsOrigins, [])
  for (const name of Object.keys(DEFAULTS)) {
    if (!(name in USABLE)) t.equal(rest[name], DEFAULTS[name], name)
  }
  t.throws(() => Object.assign(config, { PORT: 1 }), TypeError, 'it is frozen')
})

t.test('an empty variable counts as unset', async (t) => {
  t.equal(loadConfig({ ...USABLE, PORT: '', CORS_ORIGINS: '' }).PORT, 3001)
  faults(t, { ...USABLE, REDIS_URL: '' }, /^REDIS_URL is required/)
})

t.test('each missing required variable is named on a separate line', async (t) => {
  const lines = faults(
    t,
    {},
    /^REDIS_URL is required/,
    /^WORKER_URL is required/,
    /^JWT_SECRET, .* is required/,
  )
  t.equal(lines.length, 3)
})

t.test('small values are legitimate', async (t) => {
  const small = {
    WORKER_LOCK_MS: '2000',
    STAGE_JOB_BACKOFF_MS: '200',
    TICKET_TTL_SECONDS: '2',
    STAGE_WORKER_CONCURRENCY: '1',
    STAGE_JOB_ATTEMPTS: '1',
    STAGE_KEEP_COMPLETED: '0',
    STAGE_KEEP_FAILED: '0',
    RESULT_TTL_SECONDS: '1',
    STAGE_HEARTBEAT_TIMEOUT_MS: '100',
    BREAKER_RESET_MS: '100',
    WORKER_STALLED_CHECK_MS: '100',
    SSE_HEARTBEAT_MS: '100',
    SSE_MAX_CONNECTIONS: '0',
    RATE_LIMIT_PER_MINUTE: '0',
    PORT: '0',
  }
  const config: Record<string, unknown> = { ...loadConfig({ ...USABLE, ...small }) }
  for (const [name, value] of Object.entries(small)) t.equal(config[name], Number(value), name)
})

t.test('only plain whole numbers are accepted as numbers', async (t) => {
  for (const bad of [
    'abc',
    '3.7',
    '1e3',
    '0x10',
    ' 12',
    '12abc',
    'true',
    '-1',
    '65536',
    'NaN',
    '9'.repeat(40),
  ]) {
    faults(t, { ...USABLE, PORT: bad }, /^PORT must be a whole number from 0 to 65535, got /)
  }
  const whole = Object.keys(DEFAULTS).filter((name) => typeof DEFAULTS[name] === 'number')
  const all = Object.fromEntries(whole.map((name) => [name, 'many']))
  const lines = faults(t, { ...USABLE, ...all })
  t.same(lines.map((line) => line.split(' ')[0]).sort(), whole.sort(), 'each variable is checked and named')
})

t.test('a switch is true or false', async (t) => {
  for (const bad of ['yes', '1', 'TRUE', 'on']) {
    faults(t, { ...MOCK, ALLOW_MOCK_AUTH: bad }, /^ALLOW_MOCK_AUTH must be true or false/)
  }
  t.equal(loadConfig({ ...MOCK, ALLOW_MOCK_AUTH: 'false' }).ALLOW_MOCK_AUTH, false)
  t.equal(loadConfig(MOCK).ALLOW_MOCK_AUTH, true)
})

t.test('mock authentication is only accepted in development on loopback', async (t) => {
  const env = { REDIS_URL: USABLE.REDIS_URL, WORKER_URL: USABLE.WORKER_URL, ALLOW_MOCK_AUTH: 'true' }
  for (const NODE_ENV of ['development', 'test']) {
    for (const HOST of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) {
      t.ok(loadConfig({ ...env, NODE_ENV, HOST }).ALLOW_MOCK_AUTH, `${NODE_ENV} on ${HOST}`)
    }
    for (const HOST of [
      '0.0.0.0',
      '::',
      '192.168.1.5',
      '127.0.0.1.example.org',
      'example.org',
      '::ffff:1.2.3.4',
    ]) {
      faults(t, { ...env, NODE_ENV, HOST }, /^ALLOW_MOCK_AUTH works only with HOST on loopback/)
    }
  }
  for (const NODE_ENV of ['production', 'staging', 'Development', 'test ', 'dev', undefined]) {
    faults(t, { ...env, ...(NODE_ENV && { NODE_ENV }) }, /^ALLOW_MOCK_AUTH works only with NODE_ENV/)
  }
})

t.test('exactly one key source is required', async (t) => {
  const pem = publicPem('rsa')
  faults(t, { ...USABLE, JWT_PUBLIC_KEY: pem }, /exclude each other/)
  faults(t, { ...USABLE, JWT_JWKS_URL: 'https://id.example.org/keys' }, /exclude each other/)
  faults(t, { ...USABLE, JWT_SECRET: 'x'.repeat(31) }, /^JWT_SECRET must be at least 32 bytes/)
  t.ok(loadConfig({ ...USABLE, JWT_SECRET: 'ü'.repeat(16) }), '32 bytes, not 32 characters')
})

t.test('a public key that cannot verify tokens is refused', async (t) => {
  const env = { REDIS_URL: USABLE.REDIS_URL, WORKER_URL: USABLE.WORKER_URL }
  t.ok(loadConfig({ ...env, JWT_PUBLIC_KEY: publicPem('rsa') }))
  t.ok(loadConfig({ ...env, JWT_PUBLIC_KEY: publicPem('P-256') }))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const bad = [
    'not a key',
    '-----BEGIN PUBLIC KEY-----\nbm90IGEga2V5\n-----END PUBLIC KEY-----',
    publicPem('P-384'),
    String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  ]
  for (const key of bad) {
    const [line = ''] = faults(
      t,
      { ...env, JWT_PUBLIC_KEY: key },
      /^JWT_PUBLIC_KEY must be a public key in PEM form/,
    )
    t.notMatch(line, key.split('\n')[1] ?? key, 'the key is not shown')
  }
})

t.test('a Redis Cluster: several nodes, and a prefix with a hash tag', async (t) => {
  const REDIS_URL = 'redis://:a,b@h:7000,redis://h:7001'
  t.equal(loadConfig({ ...USABLE, REDIS_URL, REDIS_PREFIX: '{wf}' }).REDIS_URL, REDIS_URL)
  for (const REDIS_PREFIX of ['bull', 'wf{}', '}wf{'])
    faults(t, { ...USABLE, REDIS_URL, REDIS_PREFIX }, /^REDIS_PREFIX must contain a hash tag/)
})

t.test('addresses', async (t) => {
  for (const REDIS_URL of ['rediss://h:1', 'unix:///tmp/r.sock']) {
    t.equal(loadConfig({ ...USABLE, REDIS_URL }).REDIS_URL, REDIS_URL)
  }
  for (const bad of ['127.0.0.1:6379', 'http://h', 'redis://h:99999999', 'redis://a:1,unix:///b']) {
    faults(t, { ...USABLE, REDIS_URL: bad }, /^REDIS_URL must be an address/)
  }
  for (const good of [
    'http://127.0.0.1:1',
    'http://localhost:1/base',
    'http://[::1]:1',
    'http://stage:8000',
    'https://a.b',
  ]) {
    t.equal(loadConfig({ ...USABLE, WORKER_URL: good }).WORKER_URL, good, `in production: ${good}`)
  }
  faults(t, { ...USABLE, WORKER_URL: 'http://stage.example.org' }, /^WORKER_URL must use https in production/)
  t.ok(loadConfig({ ...USABLE, NODE_ENV: 'test', WORKER_URL: 'http://stage.example.org' }))
  faults(t, { ...USABLE, WORKER_URL: 'ftp://h' }, /^WORKER_URL must be an http or https URL/)
  const keys = { ...USABLE, JWT_SECRET: '' }
  t.ok(
    loadConfig({ ...keys, JWT_JWKS_URL: 'http://127.0.0.1:5/keys' }),
    'plain http on loopback in production',
  )
  faults(t, { ...keys, JWT_JWKS_URL: 'http://id.example.org/keys' }, /^JWT_JWKS_URL must use https/)
  faults(t, { ...keys, JWT_JWKS_URL: 'keys' }, /^JWT_JWKS_URL must be an http or https URL/)
  t.same(loadConfig({ ...USABLE, CORS_ORIGINS: 'https://a.example , http://localhost:5173,' }).corsOrigins, [
    'https://a.example',
    'http://localhost:5173',
  ])
  for (const bad of ['*', 'a.example', 'https://a.example/', 'https://a.example/path', 'null']) {
    faults(t, { ...USABLE, CORS_ORIGINS: bad }, /^CORS_ORIGINS must list origins/)
  }
  const trusted = (TRUST_PROXY: string) => loadConfig({ ...USABLE, TRUST_PROXY }).trustProxy
  t.same([trusted(''), trusted('false'), trusted('true')], [[], false, true])
  t.same(trusted('127.0.0.1, 10.0.0.0/8 ,fd00::/8'), ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'])
  for (const bad of [
    '1',
    'yes',
    'proxy.example',
    '10.0.0.0/33',
    '0.0.0.0/0',
    '10.0.0.1/8/8',
    'true,10.0.0.1',
  ])
    faults(t, { ...USABLE, TRUST_PROXY: bad }, /^TRUST_PROXY must be true, or list addresses/)
  faults(t, { ...USABLE, REDIS_PREFIX: 'a:b' }, /^REDIS_PREFIX must match/)
  t.equal(loadConfig({ ...USABLE, REDIS_PREFIX: '{wf}' }).REDIS_PREFIX, '{wf}')
  faults(t, { ...USABLE, LOG_LEVEL: 'verbose' }, /^LOG_LEVEL must match/)
})

t.test('all faults at once, one line each, and no secret in any', async (t) => {
  const error = refusal({
    REDIS_URL: 'ftp://user:canary-one@h',
    WORKER_URL: 'http://user:canary-two@h',
    JWT_SECRET: 'canary-three',
    JWT_PUBLIC_KEY: 'canary-four',
    JWT_JWKS_URL: 'http://user:canary-five@id.example.org/keys',
    PORT: '-1',
    LOG_LEVEL: 'loud',
    ALLOW_MOCK_AUTH: 'perhaps',
  })
  const [head, ...lines] = error.message.split('\n')
  t.equal(head, 'The configuration cannot be used:')
  t.same(
    lines.map((line) => /^ {2}(\w+)/.exec(line)?.[1]).sort(),
    [
      'ALLOW_MOCK_AUTH',
      'JWT_JWKS_URL',
      'JWT_PUBLIC_KEY',
      'JWT_SECRET',
      'JWT_SECRET',
      'LOG_LEVEL',
      'PORT',
      'REDIS_URL',
      'WORKER_URL',
    ].sort(),
  )
  t.notMatch(error.message, /canary/)
})

/** Requires a ConfigError in which each pattern matches a line; returns the lines. */
function faults(t: Test, env: NodeJS.ProcessEnv, ...patterns: RegExp[]): readonly string[] {
  const { faults } = refusal(env)
  for (const pattern of patterns) {
    t.ok(
      faults.some((line) => pattern.test(line)),
      `${pattern} in ${JSON.stringify(faults)}`,
    )
  }
  return faults
}

function refusal(env: NodeJS.ProcessEnv): ConfigError {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`it was accepted: ${JSON.stringify(env)}`)
}

function publicPem(kind: 'rsa' | 'P-256' | 'P-384'): string {
  const { publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: kind })
  return String(publicKey.export({ type: 'spki', format: 'pem' }))
}

t.test('only the standard variables enable tracing', async (t) => {
  const wanted = (env: NodeJS.ProcessEnv) => loadConfig({ ...USABLE, ...env }).tracing
  const there = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
  for (const env of [
    {},
    { OTEL_SERVICE_NAME: 'mine' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { ...there, OTEL_TRACES_EXPORTER: 'none' },
    { ...there, OTEL_SDK_DISABLED: 'true' },
    { OTEL_TRACES_EXPORTER: 'zipkin', OTEL_SDK_DISABLED: 'true' },
  ])
    t.equal(wanted(env), null, JSON.stringify(env))
  t.same(wanted(there), { exporter: 'otlp', protocol: 'http/protobuf' })
  const json = { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' }
  const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://a.example/v1/traces' }
  t.same(wanted({ ...traces, ...json }), { exporter: 'otlp', protocol: 'http/json' })
  t.same(wanted({ OTEL_TRACES_EXPORTER: 'console' }), { exporter: 'console', protocol: 'http/protobuf' })
  for (const [name, env] of [
    ['OTEL_TRACES_EXPORTER', { OTEL_TRACES_EXPORTER: 'zipkin' }],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', { ...there, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4317' }],
  ] as const)
    t.throws(() => wanted(env), new RegExp(`\\n  ${name} must [^\\n]*$`), name)
})

t.test('an IPv6 address is not a private name for plain http', async (t) => {
  for (const host of ['[2001:db8::1]', '[::ffff:10.0.0.1]'])
    t.throws(
      () => loadConfig({ ...USABLE, WORKER_URL: `http://${host}:8000` }),
      /WORKER_URL must use https/,
      host,
    )
  for (const url of ['http://[::1]:8000', 'http://stage-service:8000', 'https://[2001:db8::1]'])
    t.doesNotThrow(() => loadConfig({ ...USABLE, WORKER_URL: url }), url)
})

t.test('every part of REDIS_URL is checked', async (t) => {
  for (const url of ['redis://h/x', 'redis://h/1/2', 'redis://:p%of@h', 'redis://u%:p@h/1'])
    t.throws(() => loadConfig({ ...USABLE, REDIS_URL: url }), /REDIS_URL must (end|have)/, url)
  for (const url of ['redis://h', 'redis://h/', 'redis://u:p%25of@h/15', 'unix:///tmp/redis.sock'])
    t.doesNotThrow(() => loadConfig({ ...USABLE, REDIS_URL: url }), url)
})

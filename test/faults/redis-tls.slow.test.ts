/** A Redis that requires client certificates. */

import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { loadConfig } from '../../server/config.ts'
import stagecast from '../../stagecast.ts'
import { type Env, enqueue, startDoor, testEnv } from '../helpers/app.ts'
import { authority } from '../helpers/certificates.ts'
import { freePort } from '../helpers/free-port.ts'
import { finished } from '../helpers/jobs.ts'
import { adminOf } from '../helpers/outage.ts'
import { logLine } from '../helpers/processes.ts'
import { privateRedis } from '../helpers/redis.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const { url, certificates, missing } = await encryptedRedis(t)

t.test('API and worker show their certificate', { skip: missing }, async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { REDIS_URL: url, ...certificates, WORKER_URL: service.url })
  const api = await startDoor(t, 'server/api.ts', env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  for (const door of [api, worker])
    await eventually('ready', async () => (await fetch(`${door.url}/health/ready`)).status === 200)
  t.match(await finished(api.url, await enqueue(api.url)), { status: 'completed' })
})

t.test('the plugin takes the contents of the files', { skip: missing }, async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const read = (name: string) => readFileSync(certificates[name] as string)
  await app.register(stagecast, {
    redisUrl: url,
    redisTls: { ca: read('REDIS_TLS_CA'), cert: read('REDIS_TLS_CERT'), key: read('REDIS_TLS_KEY') },
    services: { default: 'http://127.0.0.1:9' },
    jwt: { secret: 'a test secret that is longer than thirty-two bytes' },
    consoleFiles: null,
  })
  // The event reader may connect a moment later.
  await eventually('ready', async () => (await app.inject('/health/ready')).statusCode === 200)
  const wrong = Fastify()
  t.teardown(() => wrong.close())
  wrong.register(stagecast, { redisUrl: 'redis://127.0.0.1', redisTls: {}, jwt: { secret: 'x'.repeat(32) } })
  await t.rejects(
    async () => void (await wrong.ready()),
    /redisTls is for a redisUrl that begins with rediss/,
  )
})

t.test(
  'without a certificate or the CA, neither process is ready, and the log says why',
  { skip: missing },
  async (t) => {
    const { REDIS_TLS_CA = '', ...own } = certificates
    for (const [env, why] of [
      [{ REDIS_TLS_CA }, /certificate required|closed|ECONNRESET/i],
      [own, /self-signed certificate|unable to (verify|get)/],
    ] as [Env, RegExp][]) {
      const door = await startDoor(t, 'server/api.ts', await testEnv(t, { REDIS_URL: url, ...env }))
      t.equal((await fetch(`${door.url}/health/ready`)).status, 503)
      t.match(await logLine(door, 'redis connection error'), why)
    }
  },
)

t.test('certificates for Redis: each fault names its variable, and no file is quoted', async (t) => {
  const { caFile, issue } = authority(t)
  const [one, other] = [issue('a'), issue('b')]
  const base = { REDIS_URL: 'rediss://h', WORKER_URL: 'http://localhost', JWT_SECRET: 'x'.repeat(32) }
  const faultsOf = (env: Record<string, string>) => {
    try {
      loadConfig({ ...base, ...env })
      return ''
    } catch (error) {
      return (error as Error).message.replace(/^.*\n/, '')
    }
  }
  const whole = { REDIS_TLS_CA: caFile, REDIS_TLS_CERT: one.certFile, REDIS_TLS_KEY: one.keyFile }
  const { redisTls } = loadConfig({ ...base, ...whole })
  t.same(redisTls, { ca: readFileSync(caFile), cert: one.cert, key: one.key })
  t.equal(loadConfig(base).redisTls, undefined)
  t.doesNotThrow(() => loadConfig({ ...base, REDIS_TLS_CA: caFile }))
  for (const [env, fault] of [
    [
      { ...whole, REDIS_TLS_CA: '/nowhere.pem' },
      /^ {2}REDIS_TLS_CA names a file that cannot be read: "\/nowhere.pem" \(ENOENT\)$/,
    ],
    [{ ...whole, REDIS_TLS_CERT: one.keyFile }, /^ {2}REDIS_TLS_CERT must name a PEM file: [^\n]+$/],
    [{ ...whole, REDIS_TLS_KEY: other.keyFile }, /^ {2}REDIS_TLS_KEY must be the private key of/],
    [{ REDIS_TLS_CERT: one.certFile }, /^ {2}REDIS_TLS_CERT requires REDIS_TLS_KEY$/],
    [{ REDIS_TLS_KEY: one.keyFile }, /^ {2}REDIS_TLS_KEY requires REDIS_TLS_CERT$/],
    [
      { ...whole, REDIS_URL: 'redis://h' },
      /^ {2}REDIS_TLS_CA is for an encrypted connection: REDIS_URL must begin/,
    ],
  ] as const) {
    const said = faultsOf(env)
    t.match(said, fault)
    t.notMatch(said, 'BEGIN')
  }
})

/** A Redis that also listens with TLS, as an operator would set it up. `missing`: why this Redis cannot. */
async function encryptedRedis(t: Test) {
  const redis = await privateRedis(t)
  const admin = adminOf(t, redis)
  const ca = authority(t)
  const [server, client] = [ca.issue('127.0.0.1'), ca.issue('stagecast')]
  const port = await freePort()
  const settings = {
    'tls-ca-cert-file': ca.caFile,
    'tls-cert-file': server.certFile,
    'tls-key-file': server.keyFile,
    'tls-auth-clients': 'yes',
    'tls-port': port,
  }
  const certificates: Env = {
    REDIS_TLS_CA: ca.caFile,
    REDIS_TLS_CERT: client.certFile,
    REDIS_TLS_KEY: client.keyFile,
  }
  const url = `rediss://127.0.0.1:${port}`
  const error = await admin.config('SET', ...Object.entries(settings).flat()).catch((error: Error) => error)
  if (!(error instanceof Error)) return { url, certificates, missing: false as const }
  if (process.env.REQUIRE_ALL_TESTS === '1' || !/Unknown option/i.test(error.message)) throw error
  return { url, certificates, missing: `this Redis has no TLS: ${error.message}` }
}

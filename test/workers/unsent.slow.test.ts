/** A call that was never sent uses up no attempt: TLS servers with invalid certificates, and failed connections. */
import { once } from 'node:events'
import { createServer as createHttps, type Server } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { enqueue, startApi, startDoor, startWorker, testEnv } from '../helpers/app.ts'
import { authority, type Certificate } from '../helpers/certificates.ts'
import { assertWhole, finished, statusWhen, watch } from '../helpers/jobs.ts'
import { logLine } from '../helpers/processes.ts'
import { call, callAt } from '../helpers/stage-call.ts'
import { FakeStageService, succeed } from '../helpers/stage-service.ts'

const UNSENT = { code: 'STAGE_UNREACHABLE', retryable: true, ill: true, unmet: 'unsent' }

async function listen(server: Server | ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

t.test('an invalid certificate, and TLS that fails', async (t) => {
  const ca = authority(t)
  const seen: Record<string, [Certificate, RegExp]> = {
    'unknown issuer': [
      ca.issue('127.0.0.1'),
      /certificate is not accepted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/,
    ],
    expired: [ca.issue('127.0.0.1', -1), /certificate is not accepted \([A-Z_]+\)/],
    'another name': [ca.issue('elsewhere.example'), /certificate is not accepted \([A-Z_]+\)/],
  }
  for (const [name, [certificate, message]] of Object.entries(seen)) {
    const server = createHttps(certificate, () => t.fail('a request came through'))
    const port = await listen(server)
    t.teardown(() => server.close())
    t.match((await callAt(t, `https://127.0.0.1:${port}`, {})).failure, { ...UNSENT, message }, name)
  }
})

t.test('a connection that breaks before the request is written', async (t) => {
  const reset = createServer((socket) => void socket.once('data', () => socket.resetAndDestroy()))
  const port = await listen(reset)
  t.teardown(() => reset.close())
  t.match((await callAt(t, `https://127.0.0.1:${port}`, {})).failure, UNSENT, 'reset within the handshake')
  const plain = createServer(
    (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 no\r\n\r\n')),
  )
  const other = await listen(plain)
  t.teardown(() => plain.close())
  const spoken = await callAt(t, `https://127.0.0.1:${other}`, {})
  t.match(spoken.failure, { ...UNSENT, message: /TLS failed|ECONNRESET/ }, 'plain HTTP instead of TLS')
  for (const nowhere of ['http://255.255.255.255'])
    t.match((await callAt(t, nowhere, {})).failure, UNSENT, nowhere)
  const sent = await call(t, ({ response }) => void response.socket?.resetAndDestroy())
  t.match(
    sent.failure,
    { code: 'STAGE_UNREACHABLE', unmet: undefined },
    'a request that was sent may have started the stage',
  )
})

t.test('if a certificate is renewed in time, jobs complete without using up attempts', async (t) => {
  const ca = authority(t)
  const server = createHttps(ca.issue('localhost', -1), (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"success":true}')
  })
  const port = await listen(server)
  t.teardown(() => server.close())
  const env = await testEnv(t, {
    WORKER_URL: `https://localhost:${port}`,
    STAGE_JOB_ATTEMPTS: '1',
    STAGE_JOB_BACKOFF_MS: '20',
    BREAKER_RESET_MS: '100',
  })
  const { url } = await startApi(t, env)
  const worker = await startDoor(t, 'server/worker.ts', { ...env, NODE_EXTRA_CA_CERTS: ca.caFile })
  const job = await enqueue(url)
  await logLine(worker, '"state":"half-open"')
  const state = await statusWhen(url, job, ({ status }) => status === 'retrying')
  t.match(state, { error: { code: 'STAGE_UNREACHABLE', message: /CERT_HAS_EXPIRED/ } })
  t.equal(Number(state.max_attempts) - Number(state.attempt), 1, 'the one attempt is left')
  server.setSecureContext(ca.issue('localhost'))
  t.match(await finished(url, job), { status: 'completed' })
  assertWhole(t, await (await watch(url, job)).rest())
  const line = JSON.parse(await logLine(worker, 'attempt ended'))
  t.match(line, {
    ...{ jobId: job.job_id, stage: 2, attempt: 1, kind: 'retry', code: 'STAGE_UNREACHABLE', delayMs: 20 },
    reason: /its certificate is not accepted \(CERT_HAS_EXPIRED\)/,
  })
})

t.test('a gateway without its service uses up no attempt, but not for ever', async (t) => {
  const service = new FakeStageService(({ response }) => {
    response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502 Bad Gateway</h1>')
  })
  await service.open()
  t.teardown(() => service.close())
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    STAGE_JOB_ATTEMPTS: '1',
    STAGE_JOB_BACKOFF_MS: '1',
    BREAKER_FAILURES: '1000',
  })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const job = await enqueue(url)
  await service.call(3)
  service.answer = succeed()
  t.match(await finished(url, job), { status: 'completed' })
  service.calls.length = 0
  service.answer = ({ response }) => {
    response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502 Bad Gateway</h1>')
  }
  t.match(await finished(url, await enqueue(url)), { status: 'failed', error: { code: 'STAGE_SERVICE_502' } })
  t.equal(service.calls.length, 21)
})

/** Calls to other servers go through the forward proxy, except to hosts in NO_PROXY. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'
import t from 'tap'
import { openFetch } from '../../outgoing/outgoing.ts'
import { authorization, enqueue, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { type ForwardProxy, forwardProxy } from '../helpers/forward-proxy.ts'
import { finished } from '../helpers/jobs.ts'
import { callAt } from '../helpers/stage-call.ts'
import { fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

t.test('stage calls, versions, the listing and files', async (t) => {
  const proxy = await forwardProxy(t)
  const service = await fakeStageService(t, succeed({ artifacts: ['a.txt'] }))
  service.onGet = (url, response) => {
    if (url.endsWith('/stages')) response.setHeader('content-type', 'application/json')
    response.end(url.endsWith('/stages') ? '[{"stage":2,"version":"7"}]' : 'the file')
  }
  // Only the proxy can resolve this host name.
  const base = `http://stages.example:${service.port}`
  const env = await testEnv(t, { WORKER_URL: base, HTTP_PROXY: withPassword(proxy) })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  const job = await enqueue(url)
  t.match(await finished(url, job), { status: 'completed', result: { version: '7' } })
  const files = `/api/workflow/stages/2/jobs/${job.job_id}/artifacts`
  const file = await fetch(`${url}${files}/a.txt`, { headers: authorization() })
  t.equal(await file.text(), 'the file')
  const removed = await fetch(`${url}/api/workflow/stages/2/jobs/${job.job_id}`, {
    method: 'DELETE',
    headers: authorization(),
  })
  t.equal(removed.status, 204)
  const at = `${base}/api/workflow`
  for (const seen of [
    `POST ${at}/stages/2/execute`,
    `GET ${at}/stages`,
    `GET ${at}/jobs/${job.job_id}/artifacts/a.txt`,
    `DELETE ${at}/jobs/${job.job_id}`,
  ])
    t.ok(proxy.seen.includes(seen), seen)
  t.equal(proxy.credentials, `Basic ${Buffer.from('me:p@ss').toString('base64')}`)
  t.notOk(service.calls[0]?.headers['proxy-authorization'], 'the password is for the proxy')
})

t.test('the key set of the issuer', async (t) => {
  const proxy = await forwardProxy(t)
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...(await exportJWK(publicKey)), kid: '1', alg: 'RS256' }
  const issuer = createServer((_, response) => void response.end(JSON.stringify({ keys: [key] })))
  issuer.listen(0, '127.0.0.1')
  await once(issuer, 'listening')
  t.teardown(() => issuer.close())
  const env = await testEnv(t, {
    JWT_SECRET: '',
    JWT_JWKS_URL: `http://keys.example:${(issuer.address() as AddressInfo).port}/jwks`,
    // Lower case, and without a scheme.
    http_proxy: proxy.url.replace('http://', ''),
  })
  const { url } = await startApi(t, env)
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'RS256', kid: '1' })
    .setSubject('alice')
    .setExpirationTime('1h')
    .sign(privateKey)
  const headers = { authorization: `Bearer ${token}` }
  t.equal((await fetch(`${url}/api/workflow/jobs`, { headers })).status, 200)
  t.same(proxy.seen, [`GET ${env.JWT_JWKS_URL}`])
})

t.test('direct calls: loopback, and hosts in NO_PROXY', async (t) => {
  const proxy = await forwardProxy(t)
  const service = await fakeStageService(t)
  const call = async (url: string, none?: string | undefined) =>
    (await callAt(t, url, { proxy: { http: proxy.url, none } })).failure?.code ?? 'answered'
  t.equal(await call(service.url), 'answered')
  t.equal(await call(service.url.replace('127.0.0.1', 'localhost')), 'answered')
  t.same(proxy.seen, [], 'loopback')
  const far = `http://a.stages.example:${service.port}`
  for (const none of ['stages.example', '.stages.example', '*', 'x.example, a.stages.example'])
    t.equal(await call(far, none), 'STAGE_UNREACHABLE', `${none}: nobody finds the host`)
  t.same(proxy.seen, [])
  for (const none of [undefined, '', 'b.stages.example', 'ages.example'])
    t.equal(await call(far, none), 'answered', `${none}`)
  t.equal(proxy.seen.length, 4)
})

t.test('direct calls: addresses in networks of NO_PROXY', async (t) => {
  const proxy = await forwardProxy(t)
  // These addresses are reserved for documentation and never answer, so direct calls fail.
  const viaProxy = async (url: string, none: string, withinMs: number) => {
    const { fetch, close } = openFetch({ http: proxy.url, none })
    const before = proxy.seen.length
    await fetch(url, { signal: AbortSignal.timeout(withinMs) }).catch(() => {})
    await close()
    return proxy.seen.length > before
  }
  proxy.refusal = 502
  const none = '192.0.2.0/24, 2001:db8::/32, 10.0.0.0/33'
  for (const [host, isThrough] of [
    ['192.0.2.7', false],
    ['[2001:db8::1]', false],
    ['192.0.3.7', true],
    ['[2001:db9::1]', true],
    ['192.0.2.7.example', true],
  ] as const)
    t.equal(await viaProxy(`http://${host}:8009/`, none, isThrough ? 60_000 : 300), isThrough, host)
})

t.test('a proxy that refuses or is down; a cancel through a proxy', async (t) => {
  const proxy = await forwardProxy(t)
  const service = await fakeStageService(t, silence)
  const url = `http://stages.example:${service.port}`
  const away = await callAt(t, url, { proxy: { http: 'http://127.0.0.1:9' } })
  t.match(away.failure, { code: 'STAGE_UNREACHABLE', unmet: 'unsent' })
  const abort = new AbortController()
  const called = callAt(t, url, { proxy: { http: proxy.url }, signal: abort.signal })
  const { hungUp } = await service.call(0)
  abort.abort('cancel')
  t.equal((await called).thrown, 'cancel')
  await hungUp
  proxy.refusal = 407
  for (const scheme of ['http', 'https']) {
    const to = url.replace('http:', `${scheme}:`)
    const { failure } = await callAt(t, to, { proxy: { http: proxy.url } })
    t.match(failure, { unmet: 'unsent', retryable: true, message: /proxy/i }, scheme)
    t.match(failure?.message, /407/)
  }
  t.equal(service.calls.length, 1)
})

t.test('without the proxy setting, the environment of the process is ignored', async (t) => {
  const proxy = await forwardProxy(t)
  process.env.http_proxy = proxy.url
  t.teardown(() => delete process.env.http_proxy)
  const { fetch, close } = openFetch({ https: proxy.url })
  t.teardown(close)
  await t.rejects(fetch('http://stages.example:9/'), 'the name is looked up here')
  t.same(proxy.seen, [])
})

function withPassword({ url }: ForwardProxy): string {
  return url.replace('http://', 'http://me:p%40ss@')
}

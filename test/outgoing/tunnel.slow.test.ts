/** https through a forward proxy uses a tunnel: the client checks the certificate, and the proxy can read nothing. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { authorization, enqueue, startDoor, testEnv } from '../helpers/app.ts'
import { authority } from '../helpers/certificates.ts'
import { forwardProxy } from '../helpers/forward-proxy.ts'
import { finished, statusWhen } from '../helpers/jobs.ts'

t.test('a job, its file and its deletion go through CONNECT', async (t) => {
  const ca = authority(t)
  const asked: string[] = []
  const server = createServer(ca.issue('stages.example'), async (request, response) => {
    asked.push(`${request.method} ${request.headers.host}`)
    for await (const _ of request);
    if (request.method === 'POST')
      response
        .setHeader('content-type', 'application/json')
        .end('{"success":true,"artifacts":["a.txt"],"results":{"by":"tunnel"}}')
    else response.end('the file')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const proxy = await forwardProxy(t)
  const env = await testEnv(t, {
    WORKER_URL: `https://stages.example:${port}`,
    HTTPS_PROXY: proxy.url.replace('http://', 'http://me:secret@'),
    NODE_EXTRA_CA_CERTS: ca.caFile,
  })
  const api = await startDoor(t, 'server/api.ts', env)
  await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(api.url)
  t.match(await finished(api.url, job), { status: 'completed', result: { results: { by: 'tunnel' } } })
  const file = await fetch(`${api.url}/api/workflow/stages/2/jobs/${job.job_id}/artifacts/a.txt`, {
    headers: authorization(),
  })
  t.equal(await file.text(), 'the file')
  t.ok(proxy.seen.length >= 2, 'API and worker')
  t.same([...new Set(proxy.seen)], [`CONNECT stages.example:${port}`], 'the proxy sees nothing else')
  t.equal(proxy.credentials, `Basic ${Buffer.from('me:secret').toString('base64')}`)
  t.ok(asked.includes(`POST stages.example:${port}`) && asked.includes(`GET stages.example:${port}`))
})

t.test('a certificate from an unknown authority is refused inside the tunnel too', async (t) => {
  const server = createServer(authority(t).issue('stages.example'), () => t.fail('a request came through'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const proxy = await forwardProxy(t)
  const { port } = server.address() as AddressInfo
  const env = await testEnv(t, { WORKER_URL: `https://stages.example:${port}`, HTTPS_PROXY: proxy.url })
  const api = await startDoor(t, 'server/api.ts', env)
  await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(api.url)
  const state = await statusWhen(api.url, job, ({ error }) => error !== null)
  t.match(state.error, { code: 'STAGE_UNREACHABLE', message: /certificate is not accepted/ })
  t.ok(proxy.seen.includes(`CONNECT stages.example:${port}`))
})

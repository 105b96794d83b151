/** nginx and HAProxy with TLS in front of the API, configured as docs/proxies.md shows it. */

import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { get, type RequestOptions } from 'node:https'
import { join } from 'node:path'
import t from 'tap'
import { enqueue, startApi, testEnv } from '../helpers/app.ts'
import { authority } from '../helpers/certificates.ts'
import { documentedProxy, lacks, type ProxyKind } from '../helpers/documented-proxy.ts'
import { freePort } from '../helpers/free-port.ts'
import { closeQuickly } from '../helpers/quick-close.ts'

for (const kind of ['nginx', 'haproxy'] as ProxyKind[]) {
  t.test(kind, { skip: lacks(kind) }, async (t) => {
    const ca = authority(t)
    const { certFile, keyFile } = ca.issue('api.example.org')
    const both = join(ca.dir, 'both.pem')
    writeFileSync(both, readFileSync(certFile, 'utf8') + readFileSync(keyFile, 'utf8'))
    const port = await freePort()
    const api = closeQuickly(t, await startApi(t, await testEnv(t, { TRUST_PROXY: '127.0.0.1' })))
    const change = (text: string) =>
      text
        .replace('listen 443', `listen 127.0.0.1:${port}`)
        .replace('127.0.0.1:8443', `127.0.0.1:${port}`)
        .replace('/etc/ssl/api.example.org.key', keyFile)
        .replace('/etc/ssl/api.example.org.pem', kind === 'nginx' ? certFile : both)
    const plain = await documentedProxy(t, kind, api.url, change, { block: `${kind}-tls` })
    const options = {
      ...{ host: '127.0.0.1', port, servername: 'api.example.org', ca: readFileSync(ca.caFile) },
      headers: { host: 'api.example.org', 'x-forwarded-for': '203.0.113.1', 'x-request-id': 'mine' },
    }
    const secure = await ask({ ...options, path: '/health/live' })
    t.equal(secure.statusCode, 200)
    t.match(secure.headers['strict-transport-security'], /max-age=/)
    t.notOk(
      (await fetch(`${plain}/health/live`)).headers.has('strict-transport-security'),
      'not over plain http',
    )

    const job = await enqueue(api.url)
    const stream = await ask({ ...options, path: job.urls.events })
    stream.setEncoding('utf8')
    let text = ''
    while (!text.includes('event: queued')) text += (await once(stream, 'data'))[0]
    t.pass('the first event comes at once')
    stream.destroy()
    const lines = api.logs.map((line) => JSON.parse(line))
    const { reqId, req } = lines.find((line) => line.req?.path?.endsWith('/events'))
    t.equal(req.remoteAddress, '127.0.0.1', 'what a client says of itself does not count')
    t.equal(reqId === 'mine', kind === 'haproxy', 'nginx names each request')
    t.equal(stream.headers['x-request-id'], reqId)
  })
}

async function ask(options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => get({ ...options, agent: false }, resolve).on('error', reject))
}

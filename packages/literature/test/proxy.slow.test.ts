/** The sources through a forward proxy. */
import t from 'tap'
import { forwardProxy } from '../../../test/helpers/forward-proxy.ts'
import { OFFLINE } from '../literature-settings.ts'
import { readSettings } from '../settings.ts'
import { buildBuiltInService } from '../start.ts'
import { imitate } from './imitation.ts'
import { stageRequest } from './service-client.ts'

t.test('calls to a source go through the proxy, unless NO_PROXY lists its host', async (t) => {
  const proxy = await forwardProxy(t)
  const imitation = await imitate(t)
  // Only the proxy can resolve this host name.
  const address = imitation.url('europepmc').replace('127.0.0.1', 'sources.example')
  const search = async (env: Record<string, string>) => {
    const settings = readSettings(env)
    if ('faults' in settings) throw new Error(settings.faults.join())
    const app = await buildBuiltInService({
      dataDir: t.testdir(),
      heartbeatMs: 10_000,
      literature: {
        ...OFFLINE,
        urls: { europepmc: address },
        deadlineMs: 2000,
        proxy: settings.literature.proxy,
      },
    })
    t.teardown(() => app.close())
    const payload = stageRequest({ inputs: { sources: ['europepmc'] } })
    const answer = await app.inject({ method: 'POST', url: '/api/workflow/stages/2/execute', payload })
    return answer.statusCode
  }
  t.equal(await search({ http_proxy: proxy.url.replace('http://', '') }), 200)
  t.ok(proxy.seen.length > 0)
  t.ok(proxy.seen.every((seen) => seen.startsWith(`GET ${address}/`)))
  const before = proxy.seen.length
  t.not(await search({ HTTP_PROXY: proxy.url, NO_PROXY: '.example' }), 200, 'nobody else finds the host')
  t.equal(proxy.seen.length, before)
})

t.test('an invalid proxy is a fault that does not quote the password', async (t) => {
  const read = readSettings({ HTTPS_PROXY: 'socks5://me:secret@h' })
  t.same(read, {
    faults: ['HTTPS_PROXY must be the http or https address of a proxy, e.g. http://proxy.example.org:3128'],
  })
  t.match(readSettings({ HTTPS_PROXY: 'h:3128' }), {
    literature: { proxy: { https: 'http://h:3128', http: '' } },
  })
})

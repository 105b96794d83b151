/** The client behind the proxies of docs/proxies.md, configured as documented. */
import t from 'tap'
import { Stagecast } from '../../packages/client/index.ts'
import { authorization, get, startApi, testEnv, token } from '../helpers/app.ts'
import { documentedProxy, lacks } from '../helpers/documented-proxy.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { RawClient } from '../helpers/raw-socket.ts'
import { runningJob } from '../helpers/scripted-job.ts'

for (const kind of ['nginx', 'haproxy', 'caddy'] as const) {
  t.test(
    `${kind}: streams are not buffered, and clients can see an interruption`,
    { skip: lacks(kind) },
    async (t) => {
      const env = await testEnv(t, { SSE_LIFETIME_SECONDS: '1', SSE_HEARTBEAT_MS: '200' })
      const api = closeQuickly(t, await startApi(t, env))
      const url = await documentedProxy(t, kind, api.url)
      const job = await runningJob(api)
      const raw = new RawClient(t, url + job.urls.events, {
        ...{ 'accept-encoding': 'gzip', connection: 'close' },
      }).read()
      await raw.closed
      t.notMatch(raw.text, /^content-encoding:/im, 'the stream is not compressed')
      t.match(raw.body, /event: reconnect\ndata: \{\}\n\n$/)
      const isWhole = raw.text.endsWith('\r\n0\r\n\r\n')
      // Caddy 2.6 ends the stream cleanly, as docs/proxies.md says; the client recognises the `reconnect` event.
      if (kind !== 'caddy') t.notOk(isWhole, 'the proxy does not complete the response')

      const transports: string[] = []
      const options = { onTransport: (one: string) => void transports.push(one) }
      const source = new Stagecast({ baseUrl: url, token: token() }).watch(
        { stage: 2, job_id: job.id },
        options,
      )
      const ids: (string | null | undefined)[] = []
      for (let i = 0; i < job.ids.length; i += 1) ids.push((await source.next()).value?.id)
      const rest = (async () => {
        for await (const { id } of source) ids.push(id)
      })()
      await new Promise((resolve) => setTimeout(resolve, 2000))
      await job.steps(3)
      await job.complete()
      await rest
      t.same(ids, job.ids, 'over several connections, nothing is missed or repeated')
      t.same(transports, ['sse'])

      const over = new RawClient(t, url + job.urls.events, { connection: 'close' }).read()
      await over.closed
      t.match(over.body, /event: completed\n/)
      t.ok(over.text.endsWith('\r\n0\r\n\r\n'), 'the stream of an ended job ends cleanly')
    },
  )

  // Caddy has no time limit by default.
  if (kind === 'caddy') continue
  t.test(`${kind}: a long poll with a shorter limit`, { skip: lacks(kind) }, async (t) => {
    const shorter = (text: string) =>
      text.replace(/(proxy_read_timeout|timeout server) 60s/, (_, name) => `${name} 3s`)
    const api = closeQuickly(t, await startApi(t, await testEnv(t)))
    const low = closeQuickly(t, await startApi(t, await testEnv(t, { LONG_POLL_MAX_SECONDS: '1' })))
    for (const [one, status] of [
      [api, 504],
      [low, 200],
    ] as const) {
      const url = await documentedProxy(t, kind, one.url, shorter)
      const job = await runningJob(one)
      const { cursor } = await get<{ cursor: string }>(url + job.urls.status)
      const answer = await fetch(`${url}${job.urls.status}?after=${cursor}&wait=20`, {
        headers: authorization(),
      })
      t.equal(answer.status, status)
    }
  })
}

/** The log lines of a request: user, route, job and request ID. */
import t from 'tap'
import { digest } from '../../journal/ids.ts'
import { authorization, enqueue, startApi, testEnv } from '../helpers/app.ts'
import { openStream } from '../helpers/sse.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/

const linesOf = (logs: string[]) => logs.map((line) => JSON.parse(line))
const endOf = (logs: string[], id: string) =>
  linesOf(logs).find(({ msg, reqId }) => msg === 'request completed' && reqId === id)

t.test('a request: method, route, status, job, and a digest of its user', async (t) => {
  const { url, logs } = await startApi(t, await testEnv(t))
  const job = await enqueue(url, { headers: { 'x-request-id': 'first' } })
  t.match(endOf(logs, 'first'), {
    res: {
      ...{ statusCode: 202, method: 'POST', route: '/api/workflow/stages/2/execute' },
      ...{ jobId: job.job_id, user: digest('alice') },
    },
    responseTime: Number,
  })
  const path = `${url}/api/workflow/stages/2/jobs/${job.job_id}`
  for (const [id, at, headers, statusCode, user] of [
    ['own', '/status', authorization(), 200, 'alice'],
    ['foreign', '/status', authorization('bob'), 404, 'bob'],
    ['nobody', '/status', {}, 401, undefined],
  ] as const) {
    const answer = await fetch(path + at, { headers: { ...headers, 'x-request-id': id } })
    t.equal(answer.status, statusCode)
    t.equal(answer.headers.get('x-request-id'), id)
    const route = '/api/workflow/stages/:stage/jobs/:job_id/status'
    const { res } = endOf(logs, id)
    t.match(res, { statusCode, method: 'GET', route, jobId: job.job_id })
    t.equal(res.user, user && digest(user))
  }
  const events = `${url}${job.urls.events}`
  await fetch(`${path}/cancel`, { method: 'POST', headers: authorization() })
  await (await openStream(events)).rest()
  t.notOk(
    logs.some((line) => /alice|bob|ticket=/.test(line)),
    'no user by name, no ticket',
  )
})

t.test('X-Request-ID is taken if it is harmless, else generated, and always returned', async (t) => {
  const { url, logs } = await startApi(t, await testEnv(t))
  const idOf = async (given?: string, path = '/health/live') => {
    const headers: Record<string, string> = given === undefined ? {} : { 'x-request-id': given }
    return (await fetch(url + path, { headers })).headers.get('x-request-id') as string
  }
  for (const good of [
    'a',
    '4bf92f3577b34da6a3ce929d0e0e4736',
    'Root=1-67891233-abcdef012345678912345678',
    'x'.repeat(128),
  ])
    t.equal(await idOf(good), good)
  for (const bad of [undefined, '', 'two words', '"quoted"', '<b>', 'x'.repeat(129)])
    t.match(await idOf(bad), UUID, `${bad}`)
  const [one, other] = [await idOf(), await idOf()]
  t.not(one, other)
  const missing = await idOf('not-there', '/nowhere')
  t.equal(missing, 'not-there', 'errors have it too')
  t.ok(linesOf(logs).some(({ reqId }) => reqId === 'not-there'))
})

t.test("only a trusted proxy sets the client's address and whether it used TLS", async (t) => {
  const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'x-request-id': 'one' }
  for (const trusted of [true, false]) {
    const { url, logs } = await startApi(t, await testEnv(t, trusted ? { TRUST_PROXY: '127.0.0.0/8' } : {}))
    const answer = await fetch(`${url}/api/workflow/stages`, { headers: { ...headers, ...authorization() } })
    const { req } = linesOf(logs).find(({ msg }) => msg === 'incoming request')
    t.equal(req.remoteAddress, trusted ? '203.0.113.9' : '127.0.0.1')
    t.equal(answer.headers.has('strict-transport-security'), trusted)
    const plain = await fetch(`${url}/health/live`)
    t.notOk(plain.headers.has('strict-transport-security'), 'not over plain http')
    t.equal(plain.headers.get('x-content-type-options'), 'nosniff', 'the other headers are always sent')
  }
})

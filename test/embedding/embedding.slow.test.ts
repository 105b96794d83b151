/** Stagecast twice in a host application, which keeps its own decorators, hooks and errors. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { extname } from 'node:path'
import t from 'tap'
import { startStageWorker } from '../../stagecast.ts'
import { QUESTION } from '../helpers/app.ts'
import { sharedRedis } from '../helpers/redis.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { type Host, startHost } from './host.ts'

const body = () => JSON.stringify({ workflow_id: randomUUID(), research_question: QUESTION })
const json = { 'content-type': 'application/json' }

t.test('two registrations have separate callers and jobs', async (t) => {
  const service = await fakeStageService(t)
  const host = await startHost(t)
  for (const redisPrefix of Object.values(host.prefixes)) {
    const services = { default: { url: service.url } }
    const worker = startStageWorker({ redis: host.redis, redisPrefix, services, log: host.app.log })
    t.teardown(() => worker.close(500))
  }

  const left = await post(host, '/left/api/workflow/stages/2/execute', { 'x-user': 'ann' })
  t.equal(left.status, 202)
  const job = (await left.json()) as { job_id: string; urls: Record<string, string> }
  const path = `/api/workflow/stages/2/jobs/${job.job_id}`
  t.equal(left.headers.get('location'), `/left${path}/status`)
  t.match(job.urls, {
    status: `/left${path}/status`,
    events: new RegExp(`^/left${path}/events\\?ticket=`),
    cancel: `/left${path}/cancel`,
  })
  const stream = await openStream(host.url + job.urls.events)
  const events: string[] = []
  for await (const { event } of stream) events.push(String(event))
  t.equal(events.at(-1), 'completed', 'its own worker runs it, and the ticket in the URL opens its events')

  const ann = { headers: { 'x-user': 'ann', 'x-right': 'ann' } }
  t.equal((await fetch(`${host.url}/left${path}/status`, ann)).status, 200)
  t.equal(
    (await fetch(`${host.url}/right${path}/status`, ann)).status,
    404,
    'unknown to the other registration',
  )
  const ticket = (job.urls.events as string).split('?')[1]
  t.equal((await fetch(`${host.url}/right${path}/events?${ticket}`)).status, 401, 'and so is its ticket')
  t.equal((await fetch(`${host.url}/left${path}/status`, { headers: { 'x-user': 'bob' } })).status, 404)

  const right = await post(host, '/right/api/workflow/stages/2/execute', { 'x-right': 'ann' })
  const other = ((await right.json()) as { urls: Record<string, string> }).urls
  t.match(
    await (await fetch(host.url + other.events)).text(),
    /^event: completed$/m,
    'the other registration runs its own job',
  )
  t.match(await (await fetch(host.url + other.status, ann)).json(), { data: { user_id: 'ann' } })
  const across = (other.status as string).replace(/^\/right/, '/left')
  t.equal((await fetch(host.url + across, ann)).status, 404, 'unknown to this registration')
  t.equal(service.calls.length, 2, 'each job was called once')

  const state = (await (await fetch(`${host.url}/left${path}/status`, ann)).json()) as Record<string, unknown>
  t.match(state, { status: 'completed', data: { user_id: 'left:ann' } }, 'the name is the host’s')
  t.equal(host.redis.status, 'ready', 'the given instance still works')
  t.same(await host.redis.keys('host:*'), [], 'nothing was written through it')
})

t.test('the application decides who may call', async (t) => {
  const host = await startHost(t)
  for (const side of ['/left', '/right']) {
    const answer = await fetch(`${host.url}${side}/api/workflow/jobs`)
    t.equal(answer.status, 401, `${side}: null and an error thrown are 401`)
    t.match(await answer.json(), { code: 'UNAUTHENTICATED' })
  }
  const as = (name: string) => ({ headers: { 'x-right': name } })
  t.equal((await fetch(`${host.url}/right/api/admin/overview`, as('ann'))).status, 403)
  t.equal((await fetch(`${host.url}/right/api/admin/overview`, as('root'))).status, 200, 'by its scopes')
  const empty = await fetch(`${host.url}/right/api/workflow/jobs`, as(''))
  t.equal(empty.status, 500, 'an identity without an id is a fault of the application')
  t.match(host.logs.join(''), 'authenticate must return null or { id, scopes? }')
})

t.test('the application keeps its own decorators and errors', async (t) => {
  const host = await startHost(t)
  const own = await fetch(`${host.url}/own`, { headers: { 'x-user': 'ann' } })
  t.same(await own.json(), { user: { name: 'ann' } }, 'its `user`')
  const broken = await fetch(`${host.url}/broken`)
  t.equal(broken.status, 418)
  t.same(await broken.json(), { host: 'broken in the host' }, 'its errors')
  t.same(await (await fetch(`${host.url}/nowhere`)).json(), { host: 'nothing here' }, 'its 404')
  t.equal(own.headers.get('content-security-policy'), null, 'its headers')
  const mark = 'redis of the host, queue of the host, redis of the host'
  t.equal(own.headers.get('x-host'), mark)
  const inside = await fetch(`${host.url}/left/api/workflow/stages`, { headers: { 'x-user': 'ann' } })
  t.equal(inside.headers.get('x-host'), mark, 'also in hooks of the host that run for our routes')
  t.match(
    await inside.json(),
    { stages: [{ stage: 1 }] },
    "the host's serializers are not used for our routes",
  )

  const document = (await host.app.inject('/own')) && host.app.swagger()
  t.same(Object.keys(document.paths ?? {}).sort(), ['/broken', '/own'], 'its OpenAPI document')
  t.same(Object.keys((document as { components?: { schemas?: object } }).components?.schemas ?? {}).length, 2)
})

t.test('below the prefix, errors and pages are ours', async (t) => {
  const host = await startHost(t)
  const get = async (path: string) => fetch(`${host.url}${path}`, { headers: { 'x-user': 'ann' } })
  t.match(await (await get('/left/nowhere')).json(), { code: 'NOT_FOUND' })
  const wrong = await get('/left/api/workflow/stages/2/execute')
  t.equal(wrong.status, 405)
  t.equal(wrong.headers.get('allow'), 'POST')
  const bad = await post(
    host,
    '/left/api/workflow/stages/2/execute',
    { 'x-user': 'ann' },
    '{"workflow_id":7}',
  )
  t.match(await bad.json(), { code: 'VALIDATION_FAILED' }, 'our validation, not that of the host')
  const plain = await post(host, '/left/api/workflow/stages/2/execute', {
    'x-user': 'ann',
    'content-type': 'text/plain',
  })
  t.equal(plain.status, 415, 'and our parsers')

  const document = (await (await get('/left/openapi.json')).json()) as {
    servers: object
    paths: object
    components: { schemas: Record<string, { properties?: object }> }
  }
  t.same(document.servers, [{ url: '/left' }])
  t.ok('/api/workflow/stages' in document.paths, 'paths begin at the server')
  t.notOk('mine' in (document.components.schemas.Problem?.properties ?? {}), 'our own Problem')
  t.notOk(JSON.stringify(document).includes('/own'), 'nothing of the host')
  const page = await (await get('/left/docs')).text()
  for (const [, src] of page.matchAll(/(?:src|href)="([^"]+)"/g))
    t.equal((await fetch(new URL(src as string, `${host.url}/left/docs`))).status, 200, String(src))
  t.equal((await get('/left/docs/json')).status, 200)
})

t.test("the application's log contains no ticket", async (t) => {
  const host = await startHost(t)
  const answer = await post(host, '/left/api/workflow/stages/2/execute', { 'x-user': 'ann' })
  const { urls } = (await answer.json()) as { urls: { events: string } }
  const stream = await openStream(host.url + urls.events)
  stream.close()
  t.match(host.logs.join(''), '/events', 'the request is logged')
  t.notMatch(host.logs.join(''), urls.events.split('ticket=')[1], 'without its ticket')
})

t.test("the application's OpenAPI document contains our routes only if it asks for them", async (t) => {
  const { app } = await startHost(t, { openapi: true })
  const paths = Object.keys(app.swagger().paths ?? {})
  t.ok(paths.includes('/left/api/workflow/jobs'), 'of one')
  t.ok(paths.includes('/right/api/workflow/jobs'), 'and of the other')
})

t.test('once the application is closed, the process exits', async (t) => {
  const file = new URL(`./close-process${extname(import.meta.url)}`, import.meta.url).pathname
  const env = { ...process.env, TEST_REDIS_URL: await sharedRedis(t) }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let late: NodeJS.Timeout | undefined
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
    if (said.endsWith('closed\n')) late = setTimeout(() => child.kill('SIGKILL'), 3000)
  })
  const [code] = await once(child, 'exit')
  clearTimeout(late)
  t.equal(said, 'open\nclosed\n')
  t.equal(code, 0, 'the process exits by itself')
})

t.test('invalid options throw a clear error', async (t) => {
  const services = { default: { url: 'http://127.0.0.1:9' } }
  const stagecast = (await import('../../stagecast.ts')).default
  const { default: Fastify } = await import('fastify')
  const register = async (options: object) => {
    await Fastify().register(stagecast as never, options as never)
  }
  await t.rejects(register({ services, redisUrl: 'redis://127.0.0.1:1' }), /authenticate.*or jwt/)
  const authenticate = () => null
  await t.rejects(register({ services, authenticate }), /set either redisUrl/)
  await t.rejects(register({ redisUrl: 'redis://x', authenticate }), /default/)
})

function post(host: Host, path: string, headers: Record<string, string>, payload = body()) {
  return fetch(host.url + path, { method: 'POST', headers: { ...json, ...headers }, body: payload })
}

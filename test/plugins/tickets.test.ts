/** A ticket opens the events of one job, at any process, until it expires, and nothing else. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { authorization, enqueue, get, startApi, startWorker, testEnv } from '../helpers/app.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService } from '../helpers/stage-service.ts'
import { makeToken } from '../helpers/tokens.ts'

interface Ticket {
  ticket: string
  events_url: string
  expires_at: number
}

t.test('a ticket opens the events of its own job and nothing else', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const other = await enqueue(api.url)
  const { ticket, events_url, expires_at } = await makeTicket(api.url, job.urls.status)
  t.ok(Math.abs(expires_at - Date.now() - 3_600_000) < 60_000, 'it lasts an hour by default')
  t.equal(events_url, `/api/workflow/stages/2/jobs/${job.job_id}/events?ticket=${ticket}`)

  const ask = (path: string, init?: RequestInit) => answered(fetch(api.url + path, init))
  const page = { headers: { accept: 'application/json' } }
  for (const url of [events_url, events_url, job.urls.events]) {
    const { status, text } = await ask(url, page)
    t.equal(status, 200, 'again and again')
    t.equal(JSON.parse(text).events[0].data.job_id, job.job_id)
  }
  const query = `?ticket=${ticket}`
  const otherEvents = `/api/workflow/stages/2/jobs/${other.job_id}/events`
  isProblem(t, await ask(otherEvents + query), 'INVALID_TICKET', 'the events of another job')
  const nowhere = `/api/workflow/stages/2/jobs/${randomUUID()}/events${query}`
  isProblem(t, await ask(nowhere), 'INVALID_TICKET', 'the events of no job')
  const otherStage = `/api/workflow/stages/3/jobs/${job.job_id}/events${query}`
  isProblem(t, await ask(otherStage), 'JOB_NOT_FOUND', 'another stage')
  const base = `/api/workflow/stages/2/jobs/${job.job_id}`
  for (const [method, path] of [
    ['GET', `${base}/status`],
    ['POST', `${base}/cancel`],
    ['POST', `${base}/tickets`],
    ['GET', `${base}/artifacts/a.json`],
    ['GET', '/api/workflow/stages'],
  ] as const) {
    isProblem(t, await ask(path + query, { method }), 'UNAUTHENTICATED', `${method} ${path}`)
    const headers = { authorization: `Bearer ${ticket}` }
    isProblem(t, await ask(path, { method, headers }), 'INVALID_TOKEN', `${method} ${path} as a bearer`)
  }
  t.equal((await get(api.url + job.urls.status)).status, 'queued', 'nothing was cancelled')
})

t.test('a ticket with any byte changed is invalid', async (t) => {
  const api = await startApi(t, await testEnv(t))
  const job = await enqueue(api.url)
  const { ticket } = await makeTicket(api.url, job.urls.status)
  const bytes = Buffer.from(ticket, 'base64url')
  const forged = [...bytes].map((byte, i) => {
    const copy = Buffer.from(bytes)
    copy[i] = byte ^ 1
    return copy.toString('base64url')
  })
  forged.push(ticket.slice(0, -1), ticket.slice(1), `${ticket}A`, `${ticket}=`, ` ${ticket}`, '', 'x', 'é')
  // The same bytes in base64 instead of base64url, or with unused bits set, are not the same ticket.
  forged.push(`${ticket.slice(0, -1)}${String.fromCharCode(ticket.charCodeAt(ticket.length - 1) + 1)}`)
  forged.push(bytes.subarray(0, 22).toString('base64url'), Buffer.alloc(38).toString('base64url'))
  for (const one of forged) {
    const url = `/api/workflow/stages/2/jobs/${job.job_id}/events?ticket=${encodeURIComponent(one)}`
    const { statusCode, body } = await api.app.inject({ url, headers: { accept: 'application/json' } })
    t.equal(statusCode, 401, `${one}: ${body.slice(0, 100)}`)
    t.equal(JSON.parse(body).code, 'INVALID_TICKET')
  }
  const twice = `/api/workflow/stages/2/jobs/${job.job_id}/events?ticket=${ticket}&ticket=${ticket}`
  t.equal((await api.app.inject(twice)).statusCode, 401, 'two at once')
  // A valid token counts, whatever ticket is next to it.
  const headers = { ...authorization(), accept: 'application/json' }
  const both = await api.app.inject({ url: `${job.urls.events}x`, headers })
  t.equal(both.statusCode, 200)
})

t.test('every process on the same Redis accepts the ticket, but none with another prefix', async (t) => {
  const env = await testEnv(t)
  const [one, two, stranger] = await Promise.all([
    startApi(t, env),
    startApi(t, env),
    testEnv(t).then((other) => startApi(t, other)),
  ])
  const job = await enqueue(one.url)
  const page = { headers: { accept: 'application/json' } }
  t.equal((await fetch(two.url + job.urls.events, page)).status, 200)
  const { events_url } = await makeTicket(two.url, job.urls.status)
  t.equal((await fetch(one.url + events_url, page)).status, 200)
  isProblem(t, await answered(fetch(stranger.url + events_url, page)), 'INVALID_TICKET')
})

t.test('a ticket expires, and its stream ends then', async (t) => {
  const env = await testEnv(t, { TICKET_TTL_SECONDS: '1', SSE_HEARTBEAT_MS: '500' })
  const api = await startApi(t, env)
  const job = await enqueue(api.url)
  const { events_url, expires_at } = await makeTicket(api.url, job.urls.status)
  t.ok(expires_at - Date.now() <= 1000)

  const stream = await openStream(api.url + events_url)
  t.equal(stream.response.status, 200)
  const frames = await stream.rest()
  const endedAt = Date.now()
  t.match(frames, [{ event: 'queued' }], 'the stream ends although the job has not')
  t.ok(endedAt >= expires_at - 500 && endedAt < expires_at + 1000, `${endedAt - expires_at} ms after its end`)
  // The stream may end a moment before the ticket expires.
  await delay(Math.max(0, expires_at - Date.now()) + 10)
  isProblem(t, await answered(fetch(api.url + events_url)), 'TICKET_EXPIRED')
})

t.test('when a token expires, its stream ends too', async (t) => {
  const api = await startApi(t, await testEnv(t, { SSE_HEARTBEAT_MS: '500' }))
  const job = await enqueue(api.url)
  const exp = Math.floor(Date.now() / 1000) + 2
  const headers = { authorization: `Bearer ${makeToken({ claims: { exp } })}` }
  const stream = await openStream(`${api.url}${job.urls.events.split('?')[0]}`, { headers })
  t.equal(stream.response.status, 200)
  await stream.rest()
  t.ok(
    Date.now() >= exp * 1000 - 500 && Date.now() < exp * 1000 + 1000,
    `${Date.now() - exp * 1000} ms after its end`,
  )
})

t.test('a ticket for a finished job can be used repeatedly', async (t) => {
  const service = await fakeStageService(t)
  const env = await testEnv(t, { WORKER_URL: service.url })
  const api = await startApi(t, env)
  startWorker(t, env)
  const job = await enqueue(api.url)
  const first = await (await openStream(api.url + job.urls.events)).rest()
  const again = await (await openStream(api.url + job.urls.events)).rest()
  t.equal(again.at(-1)?.event, 'completed')
  t.same(again, first, 'EventSource repeats its URL and gets the same events')
})

async function makeTicket(url: string, statusUrl: string): Promise<Ticket> {
  const response = await fetch(url + statusUrl.replace(/status$/, 'tickets'), {
    method: 'POST',
    headers: authorization(),
  })
  if (response.status !== 201) throw new Error(`tickets answered ${response.status}`)
  return (await response.json()) as Ticket
}

/** Clients can distinguish an end from an interruption: only the end of a job ends its stream cleanly. */
import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { authorization, type Env, get, startApi, testEnv, token } from '../helpers/app.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { RawClient } from '../helpers/raw-socket.ts'
import { runningJob, type ScriptedJob } from '../helpers/scripted-job.ts'
import { openStream } from '../helpers/sse.ts'

/** The last chunk of a complete response. */
const LAST_CHUNK = '\r\n0\r\n\r\n'
const RECONNECT = /\n\nretry: \d+\n(: [^\n]+\n)?event: reconnect\ndata: \{\}\n\n$/

const noPython = spawnSync('python3', ['-V']).status === 0 ? false : 'there is no Python here'

async function start(t: Test, overrides: Env = {}) {
  return closeQuickly(t, await startApi(t, await testEnv(t, overrides)))
}

/** The bytes of a stream until the connection is closed. */
async function wire(t: Test, url: string, headers = {}): Promise<{ text: string; body: string }> {
  const client = new RawClient(t, url, headers).read()
  await client.closed
  return client
}

function isUnfinished(t: Test, { text, body }: { text: string; body: string }, about: string): void {
  t.match(body, RECONNECT, `${about}: says that more events follow`)
  t.notOk(text.endsWith(LAST_CHUNK), `${about}: the response is not complete`)
  t.notMatch(body.slice(body.indexOf('event: reconnect')), /^id:/m, 'it has no id to resume from')
}

const bare = (job: ScriptedJob) => job.events.split('?')[0] as string

t.test('a lifetime', async (t) => {
  const api = await start(t, { SSE_LIFETIME_SECONDS: '1', SSE_HEARTBEAT_MS: '200' })
  const job = await runningJob(api)
  const told = await wire(t, job.events)
  isUnfinished(t, told, 'lifetime')
  t.match(told.body, `id: ${job.head}\n`, 'all known events are there')
  const workflow = await get<{ workflow_id: string }>(api.url + job.urls.status)
  const url = `${api.url}/api/workflow/workflows/${workflow.workflow_id}/events`
  isUnfinished(t, await wire(t, url, authorization()), 'workflow')
  const old = await wire(t, job.events, { connection: 'close' })
  isUnfinished(t, old, 'a connection that would be closed anyway')
})

t.test('the end of a token', async (t) => {
  const api = await start(t, { SSE_HEARTBEAT_MS: '200', SSE_LIFETIME_SECONDS: '0' })
  const job = await runningJob(api)
  const exp = Math.ceil(Date.now() / 1000) + 1
  isUnfinished(t, await wire(t, bare(job), { authorization: `Bearer ${token('alice', { exp })}` }), 'token')
})

t.test('a shutdown', async (t) => {
  const api = await start(t)
  const job = await runningJob(api)
  const client = new RawClient(t, job.events).read()
  await client.until(new RegExp(`id: ${job.head}\n`))
  await api.app.close()
  await client.closed
  isUnfinished(t, client, 'shutdown')
})

t.test('a cap', async (t) => {
  const api = await start(t, { SSE_MAX_PER_JOB: '1' })
  const job = await runningJob(api)
  const first = await openStream(job.events)
  const told = await wire(t, job.events, { accept: 'text/event-stream' })
  t.match(told.body, /^retry: 30000\n: .+\nevent: reconnect\ndata: \{\}\n\n$/)
  t.notOk(told.text.endsWith(LAST_CHUNK))
  first.close()
})

t.test('the end of the job', async (t) => {
  const api = await start(t)
  const job = await runningJob(api)
  const client = new RawClient(t, job.events, { connection: 'close' }).read()
  await client.until(/: connected/)
  await job.complete()
  await client.closed
  t.match(client.body, /event: completed\ndata: .*\n\n$/)
  t.notMatch(client.body, 'reconnect')
  t.ok(client.text.endsWith(LAST_CHUNK), 'the response is complete')
})

t.test('no text makes a line reader split a frame', { skip: noPython }, async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 0)
  const message = 'a\u2028b\u2029c\u0085d\u000be\u001cf\ud800g\ud83d\ude00'
  await job.write([{ type: 'progress', message }])
  const client = new RawClient(t, job.events).read()
  await client.until(/event: progress\ndata: .*\n\n/)
  // httpx and requests use this function.
  const split = 'import json, sys; print(json.dumps(sys.stdin.buffer.read().decode().splitlines()))'
  const lines: string[] = JSON.parse(
    spawnSync('python3', ['-c', split], { input: client.text, encoding: 'utf8' }).stdout,
  )
  const data = lines.find((line) => line.startsWith('data: ') && line.includes('"message":"a\\u2028')) ?? '{}'
  t.equal(JSON.parse(data.slice(6)).message, message.replace('\ud800', '\ufffd'))
  client.socket.destroy()
})

t.test('the page of events has a separate route', async (t) => {
  const api = await start(t, { LONG_POLL_MAX_SECONDS: '1' })
  const job = await runningJob(api)
  const json = { ...authorization(), accept: 'application/json' }
  const ask = (url: string, headers: Record<string, string> = {}) => fetch(url, { headers })
  const { workflow_id } = await get<{ workflow_id: string }>(api.url + job.urls.status)
  for (const url of [bare(job), `${api.url}/api/workflow/workflows/${workflow_id}/events`]) {
    const page = await ask(`${url}/page`, authorization())
    t.match(page.headers.get('content-type'), /^application\/json/, 'whatever is accepted')
    const told = (await page.json()) as { events: { id: string }[]; cursor: string }
    t.same(told, await (await ask(url, json)).json(), 'the same as by negotiation')
    const rest = (await (await ask(`${url}/page?after=${told.events[0]?.id}`, json)).json()) as typeof told
    t.same(rest.events, told.events.slice(1))
    const askedAt = performance.now()
    t.match(await (await ask(`${url}/page?after=${told.cursor}&wait=20`, json)).json(), { events: [] })
    const waited = performance.now() - askedAt
    t.ok(waited > 900 && waited < 10_000, `held back for LONG_POLL_MAX_SECONDS: ${waited}`)
    t.equal((await ask(`${url}/page`)).status, 401)
    t.equal((await ask(`${url}/page`, authorization('mallory'))).status, 404)
    t.equal((await ask(`${url}/page?lastEventId=1`, json)).status, 400)
  }
  t.equal((await ask(job.events.replace('/events', '/events/page'))).status, 200, 'a ticket opens it')
  const state = await get<{ cursor: string }>(api.url + job.urls.status)
  const askedAt = performance.now()
  await get(`${api.url}${job.urls.status}?after=${state.cursor}&wait=30`)
  t.ok(performance.now() - askedAt < 10_000, 'the status too')
})

/** The events of a job over HTTP, for log entries that the tests write themselves. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { authorization, type Env, get, startApi, testEnv, token } from '../helpers/app.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { RawClient } from '../helpers/raw-socket.ts'
import { runningJob, type ScriptedJob, scriptJob } from '../helpers/scripted-job.ts'
import { openStream } from '../helpers/sse.ts'
import { eventually, idsOf, take } from '../helpers/waiting.ts'

interface Page {
  events: { id: string; event: string; data: Record<string, unknown> }[]
  cursor: string
  gap?: Record<string, unknown>
}

async function start(t: Test, overrides: Env = {}) {
  return closeQuickly(t, await startApi(t, await testEnv(t, overrides)))
}

/** The events URL without its ticket. */
const bare = (job: ScriptedJob) => job.events.split('?')[0] as string
const page = (job: ScriptedJob, query = '') =>
  fetch(bare(job) + query, { headers: { ...authorization(), accept: 'application/json' } })

t.test('the head and the first bytes', async (t) => {
  const api = await start(t)
  const job = await scriptJob(api)
  const client = new RawClient(t, job.events, { accept: 'text/event-stream' }).read()
  const text = await client.until(/queued"/)
  const head = text.slice(0, text.indexOf('\r\n\r\n')).toLowerCase()
  t.match(head, /^http\/1\.1 200 ok/)
  t.match(head, /\r\ncontent-type: text\/event-stream; charset=utf-8/)
  t.match(head, /\r\ncache-control: no-cache, no-transform/)
  t.match(head, /\r\nx-accel-buffering: no/)
  t.match(head, /\r\nvary: [^\r]*accept/)
  t.notMatch(head, /content-encoding|content-length/)
  t.match(
    client.body,
    /^retry: \d+\n: connected\n\nid: 000000000000\nevent: queued\ndata: \{"job_id".*\}\n\n$/,
  )

  const retries = new Set<number | undefined>()
  for (let i = 0; i < 8; i += 1) {
    const stream = await openStream(job.events)
    for await (const { retry } of stream) {
      retries.add(retry)
      break
    }
    stream.close()
  }
  t.ok(retries.size > 1, 'retry is jittered')
  for (const retry of retries) t.ok(Number(retry) >= 1000 && Number(retry) <= 3000, `retry ${retry}`)
})

t.test('the first bytes arrive at once, even without events', async (t) => {
  const api = await start(t)
  const job = await scriptJob(api)
  const client = new RawClient(t, `${job.events}&after=000000000000`).read()
  await client.until(/: connected\n\n/)
  t.notMatch(client.text, /event:/)
  await job.begin()
  await client.until(/event: active/)
  t.notMatch(client.text, /event: queued/)
})

t.test('content negotiation', async (t) => {
  const api = await start(t)
  const job = await scriptJob(api)
  const sse = 'text/event-stream; charset=utf-8'
  const json = 'application/json; charset=utf-8'
  const cases: [string | undefined, number, string][] = [
    [undefined, 200, sse],
    ['*/*', 200, sse],
    ['text/event-stream', 200, sse],
    ['text/*', 200, sse],
    ['TEXT/Event-Stream', 200, sse],
    ['application/json', 200, json],
    ['application/*', 200, json],
    ['application/json, text/event-stream;q=0.5', 200, json],
    ['application/json;q=0.5, text/event-stream', 200, sse],
    ['text/event-stream;charset=utf-8', 200, sse],
    ['application/json, text/plain, */*', 200, json],
    ['application/json, text/event-stream', 200, sse],
    ['text/html, application/json;q=0.1', 200, json],
    ['text/event-stream;q=0, application/json', 200, json],
    ['image/png', 406, 'application/problem+json'],
    ['text/event-stream;q=0', 406, 'application/problem+json'],
  ]
  for (const [accept, status, type] of cases) {
    const client = new RawClient(t, bare(job), { ...authorization(), ...(accept && { accept }) }).read()
    const text = await client.until(/\r\n\r\n/)
    t.match(text, `HTTP/1.1 ${status} `, `Accept: ${accept}`)
    t.equal(/content-type: (.*)\r/i.exec(text)?.[1], type, `Accept: ${accept}`)
    t.match(text.toLowerCase(), /\r\nvary: [^\r]*accept/)
    client.socket.destroy()
  }
  const refused = await fetch(job.events, { headers: { accept: 'image/png' } })
  t.match(await refused.json(), { code: 'NOT_ACCEPTABLE', status: 406 })

  const head = await fetch(job.events, { method: 'HEAD' })
  t.equal(head.status, 405)
  t.match(head.headers.get('allow'), /GET/)
})

t.test('the JSON page', async (t) => {
  const api = await start(t)
  const job = await runningJob(api)
  const response = await page(job)
  t.equal(response.status, 200)
  const all = (await response.json()) as Page
  t.same(Object.keys(all), ['events', 'cursor', 'finished'])
  t.same(idsOf(all.events), job.ids)
  t.equal(all.cursor, job.head)
  t.same(Object.keys(all.events[1] ?? {}), ['id', 'event', 'data'])
  const { workflow_id } = (await get<{ workflow_id: string }>(api.url + job.urls.status)) ?? {}
  t.match(all.events[1], {
    event: 'active',
    data: { job_id: job.id, stage: 2, workflow_id, status: 'active', progress: 0, attempt: 1, at: Number },
  })
  for (const [i, id] of job.ids.entries()) {
    const rest = (await (await page(job, `?after=${id}`)).json()) as Page
    t.same(rest, { events: all.events.slice(i + 1), cursor: job.head, finished: false }, `after ${id}`)
  }
  t.equal((await page(job, '?after=garbage')).status, 400)

  const ahead = (await (await page(job, '?after=000900000000')).json()) as Page
  t.match(ahead, {
    events: [],
    cursor: job.head,
    gap: { job_id: job.id, cursor: job.head, status: 'active' },
  })

  await job.complete({ papers: 3 })
  const last = (await (await page(job, `?after=${ahead.cursor}`)).json()) as Page
  t.match(last.events, [
    { event: 'completed', data: { status: 'completed', result: { results: { papers: 3 } } } },
  ])
  t.same(await (await page(job, `?after=${last.cursor}&wait=30`)).json(), {
    events: [],
    cursor: job.head,
    finished: true,
  })
  t.equal((await page(job, '?wait=31')).status, 400)
})

t.test('resuming', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 4)
  const watching = openStream(job.events).then((stream) => stream.rest())
  await job.fail()
  const { events } = (await (await page(job)).json()) as Page
  t.match(events.at(-1), { event: 'failed', data: { error: { code: 'BROKEN', attempt: 1 } } })
  t.same(await watching, events, 'the stream ends after the terminal event')

  for (const [i, id] of job.ids.slice(0, -1).entries()) {
    const byHeader = await openStream(job.events, { lastEventId: id })
    t.same(await byHeader.rest(), events.slice(i + 1), `Last-Event-ID ${id}`)
    const byQuery = await openStream(`${job.events}&after=${id}`)
    t.same(await byQuery.rest(), events.slice(i + 1), `after ${id}`)
  }
  const both = await openStream(`${job.events}&after=${job.ids[1]}`, { lastEventId: job.ids[3] })
  t.same(await both.rest(), events.slice(4), 'Last-Event-ID wins over after')

  for (const options of [{ lastEventId: job.head }, { headers: authorization() }]) {
    const url = options.lastEventId ? job.events : `${bare(job)}?after=${job.head}`
    const done = await openStream(url, options)
    t.equal(done.response.status, 204, 'after the terminal event')
    t.equal(await done.response.text(), '')
  }
})

t.test('an unknown position', async (t) => {
  const api = await start(t)
  const positions = ['garbage', '!', '0', '00000001', '9999', '000900000000', '00010000001', 'a'.repeat(5000)]
  const job = await runningJob(api, 2)
  const watching = positions.map(async (lastEventId) => {
    const stream = await openStream(job.events, { lastEventId })
    return [...(await take(stream, 1)), ...(await take(stream, 2))]
  })
  await eventually('all are told', () => api.app.stagecast.streams.size === positions.length)
  const seen = job.head
  await job.steps(1)
  await job.complete()
  for (const [i, frames] of (await Promise.all(watching)).entries()) {
    t.equal(frames[0]?.event, 'gap', `${positions[i]?.slice(0, 20)} gets a gap`)
    t.match(frames[0]?.data, { job_id: job.id, status: 'active', data: { research_question: String } })
    // A late client may get a gap that already reaches the newest event.
    const rest = job.ids.filter((id) => id > (frames[0]?.id ?? ''))
    t.ok((frames[0]?.id ?? '') >= seen)
    t.same(idsOf(frames.slice(1)), rest.slice(0, 2), 'and continues from there')
    t.equal(frames[0]?.data.cursor, frames[0]?.id)
  }

  for (const lastEventId of positions) {
    const frames = await (await openStream(job.events, { lastEventId })).rest()
    t.match(frames[0], { event: 'gap', id: job.ids.at(-2), data: { status: 'completed', progress: 100 } })
    t.same(idsOf(frames.slice(1)), [job.head], "a finished job's end is a separate event after the gap")
  }
})

t.test(
  'an event ID from another process causes no gap, even if this process does not know it yet',
  async (t) => {
    const env = await testEnv(t)
    const [ahead, behind] = await Promise.all([startApi(t, env), startApi(t, env)])
    for (const api of [ahead, behind]) closeQuickly(t, api)
    const job = await runningJob(ahead, 2)
    const here = behind.url + job.urls.events
    const slow = await openStream(here)
    t.same(idsOf(await take(slow, job.ids.length)), job.ids)
    // An entry that is announced on another stream is in the journal, but this process hears no announcement.
    const { keys } = ahead.app.stagecast.journal
    const { events } = keys
    keys.events = `${events}:unheard`
    await job.steps(2)
    keys.events = events
    const known = job.head
    const quick = await openStream(here, { lastEventId: known })
    await eventually('both are there', () => behind.app.stagecast.streams.size === 2)
    await job.steps(1)
    await job.complete()
    t.same(idsOf(await quick.rest()), job.ids.slice(-2))
    t.same(idsOf(await slow.rest()), job.ids.slice(-4), 'the others get the missing event')
  },
)

t.test('heartbeats', async (t) => {
  const api = await start(t, { SSE_HEARTBEAT_MS: '50' })
  const job = await runningJob(api)
  const stream = await openStream(job.events)
  const startedAt = performance.now()
  let beats = 0
  for await (const { comment } of stream) {
    if (comment === '') beats += 1
    if (beats === 20) break
  }
  const took = performance.now() - startedAt
  t.ok(took < 20 * 50 * 2, `20 comments took ${Math.round(took)} ms, at 50 ms each`)
  stream.close()
})

t.test('a stream ends when its credentials expire', async (t) => {
  const api = await start(t, { TICKET_TTL_SECONDS: '1', SSE_HEARTBEAT_MS: '100' })
  const job = await runningJob(api)
  const ticket = await fetch(`${api.url}/api/workflow/stages/2/jobs/${job.id}/tickets`, {
    method: 'POST',
    headers: authorization(),
  })
  const { events_url, expires_at } = (await ticket.json()) as { events_url: string; expires_at: number }
  const exp = Math.ceil(Date.now() / 1000) + 1
  const bearer = { authorization: `Bearer ${token('alice', { exp })}` }
  const lives: [string, Record<string, string>, number][] = [
    [api.url + events_url, {}, expires_at],
    [bare(job), bearer, exp * 1000],
  ]
  await Promise.all(
    lives.map(async ([url, headers, until]) => {
      const stream = await openStream(url, { headers })
      const frames = []
      for await (const frame of stream) frames.push(frame)
      const early = until - Date.now()
      t.ok(early > -150 && early < 400, `ended ${early} ms before the credentials do`)
      t.ok(frames.at(-1)?.retry, 'the client is told to reconnect')
      await eventually('the credentials end', () => Date.now() > until)
      t.equal((await fetch(url, { headers })).status, 401)
    }),
  )
  t.equal(api.app.stagecast.streams.size, 0)
  const late = (await fetch(job.events)) as Response
  t.match(await late.json(), { code: 'TICKET_EXPIRED' })
})

t.test('a job that disappears while it is watched', async (t) => {
  const api = await start(t)
  const job = await scriptJob(api)
  const stream = await openStream(job.events)
  t.same(idsOf(await take(stream, 1)), job.ids)
  await api.app.stagecast.queue.discard(job.id)
  t.same(await stream.rest(), [{ event: 'gone', data: { job_id: job.id } }])
  t.equal((await fetch(job.events)).status, 404)
  t.equal((await page(job)).status, 404)
  t.equal(api.app.stagecast.progress.watched, 0)
})

t.test('a page without events waits for one', async (t) => {
  const api = await start(t)
  const job = await runningJob(api)
  const { head } = job
  const held = page(job, `?after=${head}&wait=30`)
  await eventually('it is watched', () => api.app.stagecast.progress.watched === 1)
  await job.steps(1)
  const news = (await (await held).json()) as Page
  t.same(idsOf(news.events), [job.head])
  t.match(await (await page(job, `?after=${job.head}&wait=0.1`)).json(), { events: [], finished: false })
})

t.test('a log that has dropped its start', async (t) => {
  const api = await start(t)
  const job = await scriptJob(api)
  await job.begin()
  for (let i = 0; i < 6; i += 1)
    await job.write(Array.from({ length: 100 }, () => ({ type: 'progress' as const, message: 'chatter' })))
  const kept = job.ids.slice(-512)
  const late = await openStream(job.events)
  const [gap] = await take(late, 1)
  t.match(gap, { event: 'gap', id: job.head, data: { cursor: job.head, status: 'active' } })
  const early = await openStream(job.events, { lastEventId: job.ids[50] })
  t.match(await take(early, 1), [{ event: 'gap', id: job.head }], 'this position is too old')
  const inTime = await openStream(job.events, { lastEventId: job.ids.at(-513) })
  t.same(
    idsOf(await take(inTime, 512)),
    kept,
    'the position right before the first kept entry is recent enough',
  )
  t.match(await (await page(job)).json(), { events: [], cursor: job.head, gap: { cursor: job.head } })
  const kin = (await (await page(job, `?after=${kept[0]}`)).json()) as Page
  t.same(idsOf(kin.events), kept.slice(1))

  await job.complete()
  for (const stream of [late, early, inTime]) t.same(idsOf(await stream.rest()), [job.head])
})

t.test('caps', async (t) => {
  for (const [name, code, status] of [
    ['SSE_MAX_CONNECTIONS', 'STREAMS_FULL', 503],
    ['SSE_MAX_PER_USER', 'TOO_MANY_STREAMS', 429],
    ['SSE_MAX_PER_JOB', 'TOO_MANY_STREAMS', 429],
  ] as const) {
    const api = await start(t, { [name]: '2' })
    const job = await runningJob(api)
    const open = [await openStream(job.events), await openStream(bare(job), { headers: authorization() })]

    const turnedAway = await openStream(job.events)
    t.equal(turnedAway.response.status, 200, 'a native EventSource keeps reconnecting')
    t.match(turnedAway.response.headers.get('content-type'), 'text/event-stream')
    const frames = []
    for await (const frame of turnedAway) frames.push(frame)
    t.match(
      frames,
      [{ retry: 30_000, comment: /event streams$/ }],
      'the client is told to wait, and the stream ends',
    )

    const refused = await fetch(bare(job), { headers: authorization() })
    t.equal(refused.status, status)
    t.match(await refused.json(), { code })
    t.equal(refused.headers.get('retry-after'), '30')

    const bob = await runningJob(api, 1, { user: 'bob' })
    const other = await fetch(bare(bob), { headers: authorization('bob') })
    t.equal(other.status, name === 'SSE_MAX_CONNECTIONS' ? 503 : 200, `another user, another job: ${name}`)
    await other.body?.cancel()

    for (const stream of open) stream.close()
    await eventually('the places are free again', () => api.app.stagecast.streams.size === 0)
    const again = await openStream(bare(job), { headers: authorization() })
    t.equal(again.response.status, 200)
    again.close()
    t.equal((await page(job)).status, 200, 'a page is not a stream')
  }
})

t.test('without a cap, closed streams leave nothing behind', async (t) => {
  const caps = { SSE_MAX_CONNECTIONS: '0', SSE_MAX_PER_USER: '0', SSE_MAX_PER_JOB: '0' }
  const api = await start(t, caps)
  const job = await runningJob(api)
  const streams = await Promise.all(Array.from({ length: 250 }, () => openStream(job.events)))
  t.ok(streams.every(({ response }) => response.status === 200))
  t.equal(api.app.stagecast.streams.size, 250)
  t.equal(api.app.stagecast.progress.watched, 1)
  for (const stream of streams.slice(50)) stream.close()
  await eventually('the closed ones are gone', () => api.app.stagecast.streams.size === 50)
  await job.complete()
  await Promise.all(streams.slice(0, 50).map((stream) => stream.rest()))
  await eventually('so are the ended ones', () => api.app.stagecast.streams.size === 0)
  t.equal(api.app.stagecast.progress.watched, 0)
})

t.test('a client that disconnects while its job is read leaves nothing behind', async (t) => {
  const api = await start(t)
  const job = await runningJob(api)
  const { records } = api.app.stagecast.journal
  const connected = once(api.app.server, 'connection')
  const client = new RawClient(t, job.events).read()
  const [socket] = (await connected) as [Socket]
  const hungUp = once(socket, 'close')
  const found = new Promise((resolve) => {
    api.app.stagecast.journal.records = async (...args) => {
      client.socket.destroy()
      await hungUp
      const found = await records(...args)
      // Wait until after the turn in which the response would have started.
      setImmediate(() => setImmediate(resolve))
      return found
    }
  })
  await found
  api.app.stagecast.journal.records = records
  t.equal(api.app.stagecast.streams.size, 0)
  t.equal(api.app.stagecast.progress.watched, 0)
})

t.test('closing ends every stream and does not wait for clients that do not read', async (t) => {
  const api = await start(t)
  const job = await runningJob(api)
  const streams = await Promise.all(Array.from({ length: 5 }, () => openStream(job.events)))
  for (const stream of streams) await take(stream, job.ids.length)
  const deaf = new RawClient(t, job.events)
  await eventually('all are there', () => api.app.stagecast.streams.size === 6)
  // Send more than socket buffers hold, so that the client that does not read is behind.
  const message = 'x'.repeat(200_000)
  const received = Promise.all(streams.map((stream) => take(stream, 60)))
  await job.steps(60, message)
  await received
  const lastFrames = streams.map(async (stream) => {
    const frames = []
    for await (const frame of stream) frames.push(frame)
    return frames.at(-1)
  })
  const startedAt = performance.now()
  await api.app.close()
  const took = performance.now() - startedAt
  t.ok(took < 2500, `closed in ${Math.round(took)} ms`)
  for (const frame of await Promise.all(lastFrames)) t.match(frame, { event: 'reconnect', retry: Number })
  deaf.read()
  await deaf.closed
  t.equal(api.app.stagecast.streams.size, 0)
})

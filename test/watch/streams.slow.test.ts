/** Open streams: slow clients, many clients, and how a stream handles its events. */
import { EventEmitter, once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mock } from 'node:test'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { JobSnapshot } from '../../contract/job.ts'
import type { JobEvent } from '../../contract/job-event.ts'
import { isReplayable } from '../../journal/snapshot.ts'
import type { Feed } from '../../watch/feed.ts'
import { JobFeed } from '../../watch/job-feed.ts'
import { BLOCKED_MS, Stream } from '../../watch/stream.ts'
import { startApi, testEnv } from '../helpers/app.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { RawClient } from '../helpers/raw-socket.ts'
import { privateRedis } from '../helpers/redis.ts'
import { runningJob } from '../helpers/scripted-job.ts'
import { openStream } from '../helpers/sse.ts'
import { eventually, idsOf, take } from '../helpers/waiting.ts'

t.test('a client that does not read costs bounded memory and gets everything once it does', async (t) => {
  const api = closeQuickly(t, await startApi(t, await testEnv(t, { SSE_HEARTBEAT_MS: '50' })))
  const job = await runningJob(api, 1)
  const asked = once(api.app.server, 'request')
  const slow = new RawClient(t, job.events, { connection: 'close' })
  const [, response] = (await asked) as [unknown, ServerResponse]
  const quick = await openStream(job.events)
  await take(quick, job.ids.length)

  const size = 100_000
  let most = 0
  for (let i = 0; i < 15; i += 1) {
    const lines = Array.from({ length: 20 }, () => ({ type: 'progress' as const, message: 'x'.repeat(size) }))
    await job.write(lines)
    // Once the fast client has everything, both streams have been given everything.
    await take(quick, 20)
    most = Math.max(most, response.writableLength)
  }
  t.ok(most > 0, 'it is behind')
  t.ok(most < 2 * size, `at most ${most} bytes wait for it, of ${300 * size} that it has not read`)

  slow.read()
  await job.complete()
  await slow.closed
  const ids = [...slow.text.matchAll(/^id: (\d+)\r?\n/gm)].map(([, id]) => id)
  t.same(ids, job.ids, 'in order, nothing is missing or repeated')
  t.same(idsOf(await quick.rest()), [job.head])
})

t.test('one reader for all, and a bounded number of commands', async (t) => {
  const redis = await privateRedis(t)
  const env = await testEnv(t, { REDIS_URL: redis.url, SSE_MAX_PER_USER: '0' })
  const api = closeQuickly(t, await startApi(t, env))
  const jobs = await Promise.all(Array.from({ length: 50 }, () => runningJob(api, 1)))
  const connections = await connectionsOf(api.app.stagecast.redis)
  const streams = await Promise.all(
    Array.from({ length: 500 }, (_, i) => openStream(jobs[i % 50]?.events as string)),
  )
  await Promise.all(streams.map((stream) => take(stream, 3)))
  t.equal(api.app.stagecast.streams.size, 500)
  t.equal(api.app.stagecast.progress.watched, 50)
  t.equal(await connectionsOf(api.app.stagecast.redis), connections, 'no further connection')

  const before = await commandsOf(api.app.stagecast.redis)
  const received = Promise.all(streams.map((stream) => take(stream, 10)))
  for (const job of jobs) await job.steps(10)
  const frames = await received
  t.ok(frames.every(({ length }) => length === 10))
  const after = await commandsOf(api.app.stagecast.redis)
  const used = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
  t.equal(used('eval') + used('evalsha'), 500, '500 events for 5,000 deliveries')
  t.ok(used('xread') <= 500 + 20, `${used('xread')} reads of the stream, one per event at most`)
  t.equal(used('lrange'), 0, 'no read of a log')
  // Allow for an occasional command of a timer.
  for (const name of ['hmget', 'get'])
    t.ok(used(name) >= 500 && used(name) <= 510, `${used(name)} ${name}: by the script that writes`)

  const ended = Promise.all(streams.map((stream) => stream.rest()))
  for (const job of jobs) await job.complete()
  await ended
  const end = await commandsOf(api.app.stagecast.redis)
  const reads = (end.get('lrange') ?? 0) - (after.get('lrange') ?? 0)
  t.equal(reads, 50, 'the end of each job is read once')
  await eventually('all are gone', () => api.app.stagecast.streams.size === 0)
  t.equal(api.app.stagecast.progress.watched, 0)
})

t.test('a blocked client is disconnected', async (t) => {
  const { stream, response, client } = await openRaw(t, { deadline: Number.POSITIVE_INFINITY })
  const events = Array.from({ length: 300 }, (_, i) => event(i, 'x'.repeat(100_000)))
  stream.changed(feedOf(events))
  t.ok(response.writableNeedDrain, 'the socket is full')
  const full = response.writableLength
  const now = Date.now()
  mock.timers.enable({ apis: ['Date'], now })
  t.teardown(() => mock.timers.reset())
  mock.timers.setTime(now + BLOCKED_MS - 1000)
  t.ok(stream.tick() <= 1000, 'it asks to be called when the time limit ends')
  t.equal(response.writableLength, full, 'no heartbeat is added to unsent data')
  t.notOk(response.destroyed)
  mock.timers.setTime(now + BLOCKED_MS)
  stream.tick()
  t.ok(response.destroyed)
  client.read()
  await client.closed
})

t.test('a client that does not read the end', async (t) => {
  for (const reason of ['terminal event', 'deadline'] as const) {
    const now = Date.now()
    const { stream, response, client } = await openRaw(t, { deadline: now + 5000 })
    const events = [
      event(0),
      event(1, 'x'.repeat(20_000_000), reason === 'deadline' ? 'progress' : 'completed'),
    ]
    stream.changed(feedOf(events))
    t.equal(response.writableEnded, reason === 'terminal event')
    mock.timers.enable({ apis: ['Date'], now })
    mock.timers.setTime(now + 6000)
    const wait = stream.tick()
    t.ok(wait > 0 && wait <= BLOCKED_MS, `called again in ${wait} ms`)
    // The last frame is written in this turn; the connection ends in the next one.
    await new Promise(setImmediate)
    t.ok(response.writableEnded || response.socket?.writableEnded, `ended by its ${reason}`)
    t.doesNotThrow(() => stream.tick(), 'a heartbeat is not written behind the end')
    t.notOk(response.destroyed)
    mock.timers.setTime(now + 6000 + BLOCKED_MS)
    stream.tick()
    t.ok(response.destroyed)
    mock.timers.reset()
    client.read()
    await client.closed
  }
})

t.test('events during a full socket are sent when it drains', async (t) => {
  const { stream, response } = open()
  const feed = feedOf([event(0)])
  stream.changed(feed)
  response.full = true
  stream.tick()
  t.equal(response.frames.at(-1), ':')
  feed.events.push(event(1), event(2))
  stream.changed(feed)
  t.equal(response.frames.at(-1), ':', 'nothing is written to a full socket')
  response.drain()
  t.same(response.ids, [event(0).id, event(1).id, event(2).id])
})

t.test('a gap is sent only if the journal confirms it', async (t) => {
  const known = [event(0), event(1), event(2)]
  const later = [...known, event(3), event(4)]
  const refreshed: Feed[] = []

  const { stream, response } = open({ cursor: event(3).id, refresh: (feed) => void refreshed.push(feed) })
  const feed = feedOf(known)
  stream.changed(feed)
  t.equal(refreshed.length, 1, 'this process may know less than the client')
  // A read that had already started and an announced event prove nothing.
  stream.changed(feed)
  feed.events = [...known]
  stream.changed(feed)
  t.same(response.ids, [])
  t.equal(refreshed.length, 1)
  Object.assign(feed, feedOf(later), { asOf: performance.now() })
  stream.changed(feed)
  t.same(response.ids, [event(4).id], 'there was none')

  const lost = open({ cursor: event(9).id, refresh: (feed) => void refreshed.push(feed) })
  lost.stream.changed(feed)
  t.equal(refreshed.length, 2)
  Object.assign(feed, { asOf: performance.now() })
  lost.stream.changed(feed)
  t.match(
    lost.response.frames.at(-1),
    new RegExp(`^id: ${event(4).id}\nevent: gap\ndata: {.*"cursor":"${event(4).id}"`),
  )
  feed.events.push(event(5))
  lost.stream.changed(feed)
  t.same(lost.response.ids, [event(4).id, event(5).id], 'and it continues from there')

  // The client was blocked for so long that the feed has dropped its next events.
  lost.response.full = true
  lost.stream.tick()
  Object.assign(feed, feedOf([event(20), event(21)]))
  lost.stream.changed(feed)
  lost.response.drain()
  t.equal(refreshed.length, 3, 'each suspected gap causes a read')
  Object.assign(feed, { asOf: performance.now() })
  lost.stream.changed(feed)
  t.equal(lost.response.ids.at(-1), event(21).id)
})

t.test('a client that already has the end, before this process knows it, is told to reconnect', async (t) => {
  const end = event(2, 'done', 'completed')
  const { stream, response } = open({ cursor: end.id })
  const feed = feedOf([event(0), event(1)])
  stream.changed(feed)
  t.notOk(response.writableEnded, 'this process may not know the end yet')
  Object.assign(feed, feedOf([event(0), event(1), end]), { asOf: performance.now() })
  stream.changed(feed)
  t.ok(response.writableEnded)
  t.same(response.ids, [], 'and gets nothing twice')
})

t.test('which positions can be replayed', async (t) => {
  const whole = [event(0), event(1), event(2)]
  const cut = [event(5), event(6)]
  const cases: [string, JobEvent[], boolean][] = [
    ['', [], true],
    ['', whole, true],
    ['', cut, false],
    [event(0).id, whole, true],
    [event(2).id, whole, true],
    [event(3).id, whole, false],
    [event(4).id, cut, true],
    [event(3).id, cut, false],
    [`${event(4).id.slice(0, -1)}1`, cut, true],
    ['000200000010', cut, false],
    ['!', whole, false],
    ['garbage', whole, false],
    ['00000000001', whole, false],
  ]
  for (const [cursor, events, expected] of cases)
    t.equal(isReplayable(cursor, events), expected, `'${cursor}' in ${idsOf(events)}`)
})

/** The nth event of a job: `queued`, then the entries of the first attempt. */
function event(n: number, message = `event ${n}`, type: JobEvent['event'] = 'progress'): JobEvent {
  const id = n === 0 ? '000000000000' : `0001${String(n).padStart(7, '0')}0`
  return { id, event: n === 0 ? 'queued' : type, data: { message } } as JobEvent
}

function feedOf(events: JobEvent[]): JobFeed {
  const head = events.at(-1) as JobEvent
  const snapshot = { status: 'active', cursor: head.id } as JobSnapshot
  return Object.assign(new JobFeed('job'), { snapshot, events })
}

class FakeResponse extends EventEmitter {
  full = false
  writableEnded = false
  writableLength = 0
  private text = ''

  end(text: string | Buffer): void {
    this.write(text)
    this.writableEnded = true
  }

  write(text: string | Buffer): boolean {
    this.text += text
    return !this.full
  }

  drain(): void {
    this.full = false
    this.emit('drain')
  }

  get frames(): string[] {
    return this.text.split('\n\n').slice(0, -1)
  }

  get ids(): string[] {
    return this.frames.flatMap((frame) => /^id: (\d+)$/m.exec(frame)?.[1] ?? [])
  }
}

function open({ cursor = '', refresh = (_: Feed) => {} } = {}) {
  const response = new FakeResponse()
  const counts = { events: 0, replays: 0, gaps: 0, dropped: 0 }
  const owner = { feeds: { refresh }, counts }
  const stream = new Stream(response as unknown as ServerResponse, owner, cursor, Number.POSITIVE_INFINITY)
  return { stream, response, counts }
}

/** A stream to a client on a real socket that does not read. */
async function openRaw(t: Test, { deadline }: { deadline: number }) {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const asked = once(server, 'request')
  const client = new RawClient(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const [, response] = (await asked) as [unknown, ServerResponse]
  response.writeHead(200)
  const counts = { events: 0, replays: 0, gaps: 0, dropped: 0 }
  const stream = new Stream(response, { feeds: { refresh: () => {} }, counts }, '', deadline)
  return { stream, response, client, counts }
}

async function connectionsOf(redis: Redis): Promise<number> {
  return ((await redis.client('LIST')) as string).trim().split('\n').length
}

async function commandsOf(redis: Redis): Promise<Map<string, number>> {
  const info = await redis.info('commandstats')
  return new Map(
    [...info.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)].map(([, name, calls]) => [
      name as string,
      Number(calls),
    ]),
  )
}

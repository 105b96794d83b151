/** The timeouts of watching, against servers that answer each request as a test sets. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Http } from '../../packages/client/http.ts'
import { ConnectionError, Stagecast, StagecastError, type WatchOptions } from '../../packages/client/index.ts'
import { PATIENCE, type Patience } from '../../packages/client/patience.ts'
import { watch } from '../../packages/client/watch.ts'
import { eventually } from '../helpers/waiting.ts'

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** The nth request gets the nth answer; all later ones get the last answer. */
async function scripted(t: Test, ...answers: Answer[]) {
  const requests: { at: number; accept: string; url: string }[] = []
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)]
    requests.push({ at: performance.now(), accept: request.headers.accept ?? '', url: request.url ?? '' })
    answer?.(response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const HOURS = 3_600_000
/** Only the timeouts that a test sets are short; the others never expire. */
const LONG: Patience = {
  ...PATIENCE,
  ...{ firstBytes: HOURS, silence: HOURS, pageSpare: HOURS, polling: HOURS, longestPolling: HOURS },
  ...{ backoff: 1, emptyPage: 1 },
}

const data = (n: number) => ({ job_id: 'j', message: `event ${n}` })
const id = (n: number) => String(n).padStart(12, '0')
const frame = (n: number, event = 'progress') =>
  `id: ${id(n)}\nevent: ${event}\ndata: ${JSON.stringify(data(n))}\n\n`
const HEAD = { 'content-type': 'text/event-stream' }
const opens =
  (...texts: string[]): Answer =>
  (response) =>
    void response.writeHead(200, HEAD).write(`: connected\n\n${texts.join('')}`)
const streams =
  (...texts: string[]): Answer =>
  (response) =>
    response.writeHead(200, HEAD).end(`: connected\n\n${texts.join('')}`)
const pages =
  (numbers: number[], rest: object = {}): Answer =>
  (response) => {
    const events = numbers.map((n) => ({ id: id(n), event: 'progress', data: data(n) }))
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ events, cursor: id(numbers.at(-1) ?? 0), finished: false, ...rest }))
  }
const problem =
  (status: number, code: string, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers })
    response.end(JSON.stringify({ type: 'about:blank', title: code, status, detail: '', code }))
  }
const silent: Answer = () => {}
const ends = streams(frame(9, 'completed'))

function gather(url: string, patience: Partial<Patience> = {}, options: WatchOptions = {}, endless = false) {
  const seen: (string | null)[] = []
  const transports: string[] = []
  const onTransport = (one: string) => void transports.push(one)
  const http = new Http({ baseUrl: url })
  const done = (async () => {
    const source = watch(
      http,
      '/events',
      { onTransport, ...options },
      { endless, patience: { ...LONG, ...patience } },
    )
    for await (const event of source) seen.push(event.id)
  })()
  done.catch(() => {})
  return { seen, transports, done }
}

t.test('a stream that falls silent once is reopened after the last event', async (t) => {
  const { url, requests } = await scripted(t, opens(frame(1)), ends)
  const { seen, transports, done } = gather(url, { silence: 300 })
  await done
  t.same(seen, [id(1), id(9)])
  t.same(transports, ['sse', 'waiting', 'sse'])
  t.match(requests[1], { accept: 'text/event-stream', url: `/events?after=${id(1)}` })
})

t.test('after a second silence the client polls for a while, then tries a stream again', async (t) => {
  const { url, requests } = await scripted(
    t,
    ...[opens(frame(1)), opens(frame(2)), pages([3]), pages([4]), silent],
  )
  const stop = new AbortController()
  const { seen, transports, done } = gather(url, { silence: 300, polling: 600 }, { signal: stop.signal })
  await eventually('both pages', () => seen.length === 4)
  t.same(seen, [1, 2, 3, 4].map(id))
  t.same(transports, ['sse', 'waiting', 'sse', 'polling'])
  t.same(requests[2], { ...requests[2], accept: 'application/json', url: `/events?after=${id(2)}&wait=25` })
  stop.abort(new Error('enough'))
  await t.rejects(done, { message: 'enough' })
})

t.test('the client returns from polling to a stream after the set time', async (t) => {
  const { url, requests } = await scripted(t, (response, request) => {
    if (requests.length === 1) return silent(response, request)
    if (request.headers.accept === 'application/json') return pages([1], { events: [] })(response, request)
    return ends(response, request)
  })
  const { transports, done } = gather(url, { firstBytes: 200, polling: 300, emptyPage: 20 })
  await done
  t.same(transports, ['polling', 'sse'])
  t.equal(requests.at(-1)?.accept, 'text/event-stream')
})

t.test('a page that does not arrive either is requested again', async (t) => {
  const { url, requests } = await scripted(t, silent, silent, pages([1]), pages([2], { finished: true }))
  const { seen, transports, done } = gather(url, { firstBytes: 200, pageWait: 0, pageSpare: 200 })
  await done
  t.same(seen, [id(1), id(2)])
  t.same(transports, ['waiting', 'polling'])
  t.same(
    requests.map(({ accept }) => accept),
    ['text/event-stream', 'application/json', 'application/json', 'application/json'],
  )
})

t.test('Retry-After is obeyed, in seconds and as a date', async (t) => {
  const date: Answer = (response, request) => {
    // Dates have whole seconds.
    const headers = { 'retry-after': new Date(Date.now() + 2000).toUTCString() }
    problem(503, 'QUEUE_UNAVAILABLE', headers)(response, request)
  }
  const { url, requests } = await scripted(
    t,
    problem(503, 'QUEUE_UNAVAILABLE', { 'retry-after': '1' }),
    date,
    ends,
  )
  const { transports, done } = gather(url)
  await done
  const [first = 0, second = 0, third = 0] = requests.map(({ at }) => at)
  t.ok(second - first >= 990, `${second - first} ms`)
  t.ok(third - second >= 990, `${third - second} ms`)
  t.same(transports, ['waiting', 'sse'])
})

t.test('`retry:` is obeyed after an end and after a break, however long', async (t) => {
  const breaks: Answer = (response) => {
    response.writeHead(200, HEAD).write('retry: 400\n\n')
    setImmediate(() => response.destroy())
  }
  const { url, requests } = await scripted(
    t,
    ...[streams('retry: 500\n\n'), breaks, streams('retry: 9999999999999\n\n', frame(1))],
  )
  const stop = new AbortController()
  const { seen, done } = gather(url, {}, { signal: stop.signal })
  await eventually('the event', () => seen.length === 1)
  const [first = 0, second = 0, third = 0] = requests.map(({ at }) => at)
  t.ok(second - first >= 490, `${second - first} ms after an end`)
  t.ok(third - second >= 190, `${third - second} ms after a break, spread`)
  await new Promise(setImmediate)
  t.equal(requests.length, 3, 'no timer exceeds the maximum delay')
  stop.abort(new Error('enough'))
  await t.rejects(done, { message: 'enough' })
})

t.test('the client resumes after the cursor of an empty page', async (t) => {
  const { url, requests } = await scripted(
    t,
    ...[problem(429, 'TOO_MANY_STREAMS'), pages([], { cursor: id(5), more: true }), pages([6]), silent],
  )
  const stop = new AbortController()
  const { seen, done } = gather(url, { emptyPage: HOURS }, { signal: stop.signal }, true)
  await eventually('the event', () => seen.length === 1)
  t.equal(requests[2]?.url, `/events?after=${id(5)}&wait=25`)
  stop.abort(new Error('enough'))
  await t.rejects(done, { message: 'enough' })
})

t.test('the client waits for an unreachable server', async (t) => {
  const { url, requests } = await scripted(t, ends)
  let away = 3
  const http = new Http({
    baseUrl: url,
    fetch: (...request) => fetch(away-- > 0 ? 'http://127.0.0.1:9' : (request[0] as string), request[1]),
  })
  const transports: string[] = []
  const onTransport = (one: string) => void transports.push(one)
  for await (const { id: last } of watch(http, '/events', { onTransport }, { patience: LONG }))
    t.equal(last, id(9))
  t.same(transports, ['waiting', 'sse'])
  t.equal(requests.length, 1)
  const refused = await new Stagecast({ baseUrl: 'http://127.0.0.1:9' }).stages().catch((error) => error)
  t.type(refused, ConnectionError)
  t.ok(refused instanceof TypeError, 'as what `fetch` throws')
})

t.test(
  'a page from another server: the client waits if it has reached the API before, else it throws',
  async (t) => {
    const portal: Answer = (response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome to our hotel</h1>')
    const known = await scripted(t, opens(frame(1)), portal, portal, ends)
    const { seen, done } = gather(known.url, { silence: 300, polling: 10 })
    await done
    t.same(seen, [id(1), id(9)])
    const stranger = gather((await scripted(t, portal)).url)
    await t.rejects(stranger.done, { code: 'HTTP_200', status: 200, message: /did not come from the API/ })
    const stages = new Stagecast({ baseUrl: (await scripted(t, portal)).url }).stages()
    await t.rejects(stages, StagecastError)
  },
)

t.test('an error that a retry cannot fix is thrown at once', async (t) => {
  t.throws(() => new Stagecast({ baseUrl: 'localhost:3001' }), /baseUrl must be like https:/)
  t.throws(() => new Stagecast({ baseUrl: '/api' }), /baseUrl must be like https:/)
  const { url, requests } = await scripted(t, ends)
  const mistake = () => {
    throw new TypeError('a mistake')
  }
  const job = { stage: 2, job_id: 'j' }
  const watched = new Stagecast({ baseUrl: url, token: mistake }).watch(job)
  await t.rejects(watched.next(), { message: 'a mistake' })
  const executed = new Stagecast({ baseUrl: url, token: mistake }).execute(2, { workflow_id: 'w' })
  await t.rejects(executed, { message: 'a mistake' })
  t.equal(requests.length, 0)
  await t.rejects(gather(url, {}, { onTransport: mistake }).done, { message: 'a mistake' })
  t.equal(requests.length, 1)
})

t.test('a slow token function is not mistaken for a buffering proxy', async (t) => {
  const { url } = await scripted(t, ends)
  const token = () => new Promise<string>((resolve) => setTimeout(() => resolve('a'), 300))
  const transports: string[] = []
  const onTransport = (one: string) => void transports.push(one)
  const source = watch(
    new Http({ baseUrl: url, token }),
    '/events',
    { onTransport },
    { patience: { ...LONG, firstBytes: 250 } },
  )
  t.equal((await source.next()).value?.id, id(9))
  t.same(transports, ['sse'])
})

const dated = (n: number, ago: number) => frame(n).replace('"message"', `"at":${Date.now() - ago},"message"`)

t.test('if events arrive in blocks, the client polls', async (t) => {
  const { url, requests } = await scripted(
    t,
    async (response) => {
      response.writeHead(200, HEAD).write(`: connected\n\n${dated(1, 60_000)}`)
      // Heartbeats arrive all the time, then all events at once.
      for (let i = 0; i < 4; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 150))
        response.write(':\n\n')
      }
      response.write(dated(2, 500) + dated(3, 200) + dated(4, 0))
    },
    pages([5]),
    problem(404, 'JOB_NOT_FOUND'),
  )
  const { seen, transports, done } = gather(url, { late: 300 })
  await t.rejects(done, StagecastError)
  t.same(seen, [1, 2, 3, 4, 5].map(id), 'nothing is missed or repeated')
  t.same(transports, ['sse', 'polling'])
  t.match(requests[1], { accept: 'application/json', url: `/events?after=${id(4)}&wait=25` })
})

t.test('old events, and other clocks, do not mean that the stream is blocked', async (t) => {
  const clock = -7_000_000
  const { url } = await scripted(t, async (response) => {
    const replay = [1, 2, 3].map((n) => dated(n, clock + 10_000 * (4 - n))).join('')
    response.writeHead(200, HEAD).write(`: connected\n\n${replay}`)
    for (let n = 4; n < 8; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 150))
      response.write(dated(n, clock))
    }
    response.end(frame(9, 'completed'))
  })
  const { transports, done } = gather(url, { late: 300 })
  await done
  t.same(transports, ['sse'])
})

t.test('events that a slow reader has not read yet do not count as late', async (t) => {
  const { url } = await scripted(t, async (response) => {
    response.writeHead(200, HEAD).write(`: connected\n\n${dated(1, 0)}`)
    for (let n = 2; n < 8; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      response.write(dated(n, 0))
    }
    response.end(frame(9, 'completed'))
  })
  const transports: string[] = []
  const options = { onTransport: (one: string) => void transports.push(one) }
  const source = watch(new Http({ baseUrl: url }), '/events', options, { patience: { ...LONG, late: 300 } })
  for await (const event of source)
    if (event.id === id(1)) await new Promise((resolve) => setTimeout(resolve, 700))
  t.same(transports, ['sse'])
})

t.test('after `reconnect` the client opens another stream after the time that the server sets', async (t) => {
  const { url, requests } = await scripted(
    t,
    (response) => {
      response.writeHead(200, HEAD).write(`${frame(1)}retry: 300\nevent: reconnect\ndata: {}\n\n`)
      setImmediate(() => response.socket?.destroySoon())
    },
    ends,
  )
  const { seen, transports, done } = gather(url)
  await done
  t.same(seen, [id(1), id(9)], 'reconnect is not yielded as an event')
  t.same(transports, ['sse'], 'nothing was lost')
  t.ok((requests[1]?.at ?? 0) - (requests[0]?.at ?? 0) >= 300)
  t.equal(requests[1]?.url, `/events?after=${id(1)}`)
})

t.test('waits become shorter if a proxy ends long polls', async (t) => {
  const html: Answer = (response) =>
    response.writeHead(504, { 'content-type': 'text/html' }).end('<h1>504</h1>')
  const { url, requests } = await scripted(t, silent, html, html, pages([1], { finished: true }))
  const { seen, transports, done } = gather(url, { firstBytes: 200 })
  await done
  t.same(seen, [id(1)])
  t.same(transports, ['polling'], 'nothing is reported')
  t.same(
    requests.slice(1).map(({ url }) => url),
    ['/events?wait=25', '/events?wait=12.5', '/events?wait=6.25'],
  )
})

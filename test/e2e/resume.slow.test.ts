/** A client watches at one API process. The process is killed, and the client resumes at another. */
import t from 'tap'
import { enqueue, get, startApi, startDoor, startWorker, testEnv } from '../helpers/app.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { openStream } from '../helpers/sse.ts'
import { fakeStageService, success } from '../helpers/stage-service.ts'
import { idsOf, take } from '../helpers/waiting.ts'

t.test('a client resumes at another process with its last event ID', async (t) => {
  const service = await fakeStageService(t, () => {})
  const env = await testEnv(t, { WORKER_URL: service.url, LOG_LEVEL: 'info' })
  const [a, b] = await Promise.all([startDoor(t, 'server/api.ts', env), startApi(t, env)])
  closeQuickly(t, b)
  startWorker(t, env)

  const job = await enqueue(a.url)
  const call = await service.call(0)
  const tell = (line: unknown) => call.response.write(`${JSON.stringify(line)}\n`)
  call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  for (const percent of [10, 20, 30]) tell({ type: 'progress', percent, message: `${percent}` })

  const first = await openStream(a.url + job.urls.events)
  const before = await take(first, 7)
  t.equal(before.at(-1)?.data.message, '30')
  a.child.kill('SIGKILL')
  t.equal(await a.exited, 'SIGKILL')
  t.same(await first.rest(), [], 'the connection breaks')
  // These events happen while no client is connected.
  for (const percent of [40, 50]) tell({ type: 'progress', percent, message: `${percent}` })

  const second = await openStream(b.url + job.urls.events, { lastEventId: before.at(-1)?.id })
  const between = await take(second, 2)
  t.same(
    between.map(({ data }) => data.message),
    ['40', '50'],
  )
  call.response.end(`${JSON.stringify({ type: 'result', ...success(call, { artifacts: ['a.json'] }) })}\n`)
  const seen = [...before, ...between, ...(await second.rest())]
  t.match(seen.at(-1), { event: 'completed', data: { result: { artifacts: ['a.json'] } } })

  const response = await fetch(b.url + job.urls.events, { headers: { accept: 'application/json' } })
  const { events } = (await response.json()) as { events: { id: string }[] }
  t.same(seen, events, 'no event is missing, repeated or out of order')
  t.same(idsOf(seen), [...new Set(idsOf(seen))].sort())
  t.equal((await get(b.url + job.urls.status)).cursor, seen.at(-1)?.id)
  const third = await openStream(b.url + job.urls.events, { lastEventId: seen.at(-1)?.id })
  t.equal(third.response.status, 204)
})

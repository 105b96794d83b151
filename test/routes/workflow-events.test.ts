/** The events of all jobs of a workflow over one connection, for log entries that the tests write themselves. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { ORDER_CAPACITY, workflowName } from '../../journal/order.ts'
import { authorization, type Env, startApi, testEnv, token } from '../helpers/app.ts'
import { operatorQueue, queuedJob } from '../helpers/jobs.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { openStream } from '../helpers/sse.ts'
import { eventually, idsOf, take } from '../helpers/waiting.ts'
import { lines, ScriptedWorkflow } from '../helpers/workflow.ts'

async function start(t: Test, overrides: Env = {}) {
  const env = await testEnv(t, overrides)
  const api = closeQuickly(t, await startApi(t, env))
  await eventually('the reader stands in the stream', () => api.app.stagecast.tail.connected)
  return { ...api, env }
}

t.test('the events of several jobs have the same order live and afterwards', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const one = await workflow.running(1)
  const live = await workflow.watch()
  t.equal(live.response.status, 200)
  t.match(live.response.headers.get('content-type'), /^text\/event-stream/)
  const two = await workflow.queued(5)
  await two.begin()
  await one.steps(1)
  await two.steps(2)
  await one.complete({ papers: 3 })
  const three = await workflow.queued(6)
  await two.fail()
  await api.app.stagecast.journal.cancel({
    job_id: three.id,
    stage: 6,
    workflow_id: workflow.id,
    user_id: 'alice',
  })
  const frames = await take(live, 12)
  t.same(
    frames.map(({ event, data }) => [data.stage, event]),
    [
      [2, 'queued'],
      [2, 'active'],
      [2, 'progress'],
      [5, 'queued'],
      [5, 'active'],
      [2, 'progress'],
      [5, 'progress'],
      [5, 'progress'],
      [2, 'completed'],
      [6, 'queued'],
      [5, 'failed'],
      [6, 'cancelled'],
    ],
  )
  t.match(frames[8]?.data, { job_id: one.id, workflow_id: workflow.id, result: { results: { papers: 3 } } })
  t.match(frames[10]?.data, { job_id: two.id, error: { code: 'BROKEN' } })
  t.match(frames[11]?.data, { job_id: three.id, error: { code: 'CANCELLED' } })
  const ids = idsOf(frames)
  t.same([...new Set(ids)].sort(), ids, 'ids strictly increase')
  t.ok(
    ids.every((id) => /^[0-9]{16}$/.test(id ?? '')),
    'and are positions',
  )

  const page = await workflow.page()
  t.same(
    page.events.map(({ id, event, data }) => ({ id, event, data })),
    frames.map(({ id, event, data }) => ({ id, event, data })),
    'the page has the same events',
  )
  t.equal(page.cursor, ids.at(-1))
  t.equal(page.more, false)
  t.same(await take(await workflow.watch(), 12), frames, 'a later client gets the same events')
  for (const at of [0, 4, 8, 10]) {
    t.same(await take(await workflow.watch(ids[at]), 11 - at), frames.slice(at + 1), `behind event ${at}`)
    t.same((await workflow.page(ids[at])).events.length, 11 - at)
  }
  t.same(await workflow.page(ids[11]), { events: [], cursor: ids[11], more: false })
})

t.test('twenty stages over one connection', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const first = await workflow.queued(1)
  const stream = await workflow.watch()
  const rest = await Promise.all(Array.from({ length: 19 }, (_, i) => workflow.queued(i + 2)))
  const jobs = [first, ...rest]
  await Promise.all(
    jobs.map(async (job) => {
      await job.begin()
      await job.steps(2)
      await job.complete()
    }),
  )
  const frames = await take(stream, 100)
  t.equal(api.app.stagecast.streams.size, 1)
  t.equal(api.app.stagecast.workflows.watched, 1)
  t.equal(api.app.stagecast.progress.watched, 0)
  const ids = idsOf(frames)
  t.same([...new Set(ids)].sort(), ids)
  for (const [i, job] of jobs.entries()) {
    const own = frames.filter(({ data }) => data.job_id === job.id)
    t.same(
      own.map(({ event }) => event),
      ['queued', 'active', 'progress', 'progress', 'completed'],
      `stage ${i + 1}`,
    )
    t.ok(own.every(({ data }) => data.stage === i + 1))
  }
})

t.test('all clients see the same order, at every process', async (t) => {
  const api = await start(t)
  const other = closeQuickly(t, await startApi(t, api.env))
  const workflow = new ScriptedWorkflow(api)
  const early = await workflow.running(2)
  const streams = await Promise.all([workflow.watch(), workflow.watch(undefined, other.url)])
  const jobs = [early, ...(await Promise.all([3, 4, 5].map((stage) => workflow.running(1, stage))))]
  await Promise.all(jobs.map((job) => job.steps(10)))
  const [one, two] = await Promise.all(streams.map((stream) => take(stream, 4 * 3 + 1 + 40)))
  t.equal(one?.length, 53)
  t.same(two, one)
  t.same(lines((await workflow.page('', other.url)).events), lines(one ?? []))
})

t.test("another user's workflow is not visible", async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const mine = await workflow.queued()
  const json = { accept: 'application/json' }
  for (const headers of [json, { accept: 'text/event-stream' }])
    for (const [user, id] of [
      ['bob', workflow.id],
      ['alice', randomUUID()],
      ['alice', 'x'],
    ]) {
      const url = `${api.url}/api/workflow/workflows/${id}`
      const ask = (path: string, method = 'GET') =>
        answered(fetch(url + path, { method, headers: { ...headers, ...authorization(user) } }))
      const texts = new Set([(await ask('/events')).text, (await ask('/tickets', 'POST')).text])
      t.equal(texts.size, 1, 'all clients get the same bytes')
      isProblem(t, await ask('/events'), 'WORKFLOW_NOT_FOUND', `${user} ${id}`)
    }
  // Bob has a workflow with the same ID.
  const theirs = Object.assign(new ScriptedWorkflow(api, 'bob'), { id: workflow.id, path: workflow.path })
  const job = await theirs.queued()
  t.same(
    (await theirs.page()).events.map(({ data }) => data.job_id),
    [job.id],
  )
  t.same(
    (await workflow.page()).events.map(({ data }) => data.job_id),
    [mine.id],
  )
  const capitals = `${api.url}/api/workflow/workflows/${workflow.id.toUpperCase()}/events`
  const page = await fetch(capitals, { headers: { ...json, ...authorization() } })
  t.equal(page.status, 200, 'case does not matter in IDs')
  isProblem(t, await answered(fetch(capitals)), 'UNAUTHENTICATED')
  const picture = fetch(capitals, { headers: { accept: 'image/png', ...authorization() } })
  isProblem(t, await answered(picture), 'NOT_ACCEPTABLE')
  const bad = fetch(`${capitals}?after=7`, { headers: authorization() })
  isProblem(t, await answered(bad), 'VALIDATION_FAILED')
})

t.test('a ticket opens this workflow of this user and nothing else', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const another = new ScriptedWorkflow(api)
  const job = await workflow.queued()
  await another.queued()
  const made = await fetch(`${api.url}${workflow.path}/tickets`, {
    method: 'POST',
    headers: authorization(),
  })
  t.equal(made.status, 201)
  const { ticket, events_url, expires_at } = (await made.json()) as Record<string, string>
  t.equal(events_url, `${workflow.path}/events?ticket=${ticket}`)
  t.ok(Number(expires_at) > Date.now())
  t.match(await take(await openStream(api.url + events_url), 1), [{ data: { job_id: job.id } }])
  const ask = (path: string) => answered(fetch(`${api.url}${path}?ticket=${ticket}`))
  isProblem(t, await ask(`${another.path}/events`), 'INVALID_TICKET', 'another workflow')
  isProblem(t, await ask(`/api/workflow/stages/2/jobs/${job.id}/events`), 'INVALID_TICKET', 'a job')
  isProblem(
    t,
    await ask(`/api/workflow/stages/2/jobs/${workflow.id}/events`),
    'INVALID_TICKET',
    'its id as a job',
  )
  isProblem(t, await ask('/api/workflow/jobs'), 'UNAUTHENTICATED', 'the list')
  const bytes = Buffer.from(ticket ?? '', 'base64url')
  t.match(bytes.toString('utf8', 38), 'alice')
  for (const at of bytes.keys()) {
    const forged = Buffer.from(bytes)
    forged[at] = (bytes[at] as number) ^ 1
    const { statusCode } = await api.app.inject(
      `${workflow.path}/events?ticket=${forged.toString('base64url')}`,
    )
    if (statusCode !== 401) t.fail(`byte ${at} may be changed`)
  }
  const ofJob = job.events.split('ticket=')[1]
  isProblem(t, await answered(fetch(`${api.url}${workflow.path}/events?ticket=${ofJob}`)), 'INVALID_TICKET')
})

t.test('a requested cancel gets one place', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const live = await workflow.running(1).then(async (job) => {
    const stream = await workflow.watch()
    const origin = { job_id: job.id, stage: 2, workflow_id: workflow.id, user_id: 'alice' }
    t.equal(await api.app.stagecast.journal.cancel(origin), 'cancelling')
    t.equal(await api.app.stagecast.journal.cancel(origin), 'cancelling')
    // The worker dies, and the cancel is requested again, so the API ends the job.
    await api.app.stagecast.redis.del(job.keys.lock(job.id))
    t.equal(await api.app.stagecast.journal.cancel(origin), 'cancelled')
    return stream
  })
  const frames = await take(live, 5)
  t.same(
    frames.map(({ event }) => event),
    ['queued', 'active', 'progress', 'cancelling', 'cancelled'],
  )
  t.same(lines((await workflow.page()).events), lines(frames))
})

t.test('events whose announcement was missed are read', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const one = await workflow.running(1)
  const two = await workflow.running(1)
  const stream = await workflow.watch()
  await take(stream, 6)
  const { keys } = api.app.stagecast.journal
  const { events } = keys
  keys.events = `${events}:unheard`
  await one.steps(100)
  await two.steps(1)
  await one.complete()
  keys.events = events
  await two.steps(1)
  const frames = await take(stream, 103)
  t.same(lines(frames), lines((await workflow.page()).events.slice(6)))
  t.equal(frames.at(-1)?.data.job_id, two.id)
})

t.test('unwatched workflows cost no read, and neither do steps of a watched one', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const job = await workflow.running(1)
  const stream = await workflow.watch()
  await take(stream, 3)
  let reads = 0
  const { records } = api.app.stagecast.journal
  api.app.stagecast.journal.records = (ids) => {
    reads += 1
    return records(ids)
  }
  const unwatched = await new ScriptedWorkflow(api).running(20)
  await unwatched.complete()
  await job.steps(20)
  await take(stream, 20)
  t.equal(reads, 0)
  await job.complete()
  await take(stream, 1)
  t.equal(reads, 1, 'a result is read')
})

t.test('an expired job leaves only its positions', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const gone = await workflow.running(1)
  const kept = await workflow.running(1)
  await gone.complete()
  const ids = (await workflow.page()).events.map(({ id }) => id)
  const { keys } = gone
  await api.app.stagecast.redis.del(
    keys.job(gone.id),
    keys.end(gone.id),
    keys.log(gone.id),
    keys.summary(gone.id),
  )
  const page = await workflow.page()
  t.same(
    page.events.map(({ data }) => data.job_id),
    [kept.id, kept.id, kept.id],
  )
  t.equal(page.cursor, ids.at(-1), 'the cursor is after it all the same')
  t.same(idsOf(await take(await workflow.watch(), 3)), ids.slice(3, 6))
  const late = await workflow.watch(ids[6])
  await kept.steps(1)
  t.match(
    await take(late, 1),
    [{ event: 'progress', data: { job_id: kept.id } }],
    'a client at this position continues',
  )
})

t.test('a position that cannot be replayed leads to a gap with the states of the jobs', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const one = await workflow.running(1)
  const two = await workflow.running(1, 7)
  await one.complete()
  const { cursor } = await workflow.page()
  // The position belongs to a history that Redis has lost.
  for (const lost of ['0000000000000001', '9999999999999999']) {
    t.match(await workflow.page(lost), { events: [], cursor, gap: { jobs: [{}, {}] } })
    const [gap] = await take(await workflow.watch(lost), 1)
    t.match(gap, { event: 'gap', id: cursor })
    const states = gap?.data.jobs.map((job: { job_id: string; status: string }) => [job.job_id, job.status])
    t.same(Object.fromEntries(states), { [one.id]: 'completed', [two.id]: 'active' })
  }
  const stream = await workflow.watch('0000000000000001')
  await take(stream, 1)
  await two.steps(1)
  t.match(await take(stream, 1), [{ event: 'progress', data: { job_id: two.id } }], 'the stream continues')
})

t.test('an order that has dropped its start', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const job = await workflow.running(1)
  const before = await workflow.page()
  const spent = randomUUID()
  const places: string[] = []
  const now = Date.now() * 1000 + 5e6
  for (let i = 0; i < ORDER_CAPACITY; i += 1) places.push(`${now + i} ${spent} 000100000010`)
  await api.app.stagecast.redis.rpush(workflow.order, ...places)
  await job.steps(1)
  t.equal(await api.app.stagecast.redis.llen(workflow.order), ORDER_CAPACITY)
  t.match(await workflow.page(), { events: [], gap: { jobs: [{ job_id: job.id }] } })
  t.match(await take(await workflow.watch(), 1), [{ event: 'gap' }])
  t.match(await take(await workflow.watch(before.cursor), 1), [{ event: 'gap' }])
  const stream = await workflow.watch(String(now + 7))
  t.match(
    await take(stream, 1),
    [{ event: 'progress', data: { job_id: job.id } }],
    'a client with a newer position continues',
  )
})

t.test('the log of a job has dropped its start', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const chatty = await workflow.running(1)
  const other = await workflow.running(1)
  const seen = (await workflow.page()).cursor
  await chatty.steps(3)
  await api.app.stagecast.redis.ltrim(chatty.keys.log(chatty.id), 3, -1)
  t.match(await workflow.page(), { gap: { jobs: [{}, {}] } })
  t.match(await take(await workflow.watch(), 1), [{ event: 'gap' }])
  t.equal(
    (await workflow.page(seen)).gap?.jobs.length,
    2,
    'the events after this position have been dropped too',
  )
  const { events } = await workflow.page((await workflow.page()).cursor)
  t.same(events, [])
  await other.steps(1)
  const positions = (await api.app.stagecast.redis.lrange(workflow.order, 0, -1)).map(
    (line) => line.split(' ')[0],
  )
  t.equal((await workflow.page(positions.at(-4))).events.length, 3, 'not after a later event')
  t.equal((await take(await workflow.watch(positions.at(-4)), 3)).length, 3)
})

t.test('the end of a job by an operator gets one place, whichever process notices it', async (t) => {
  const api = await start(t)
  const other = closeQuickly(t, await startApi(t, api.env))
  const queue = operatorQueue(t, api.env)
  const workflow = new ScriptedWorkflow(api)
  const job = await workflow.queued()
  const kept = await workflow.queued()
  const streams = await Promise.all([workflow.watch(), workflow.watch(undefined, other.url)])
  await Promise.all(streams.map((stream) => take(stream, 2)))
  await (await queuedJob(queue, job.id)).moveToFailed(new Error('by hand'), '0', false).catch(() => {})
  // Leave the job as BullMQ does.
  await api.app.stagecast.redis.hset(job.keys.job(job.id), 'finishedOn', Date.now())
  await api.app.stagecast.redis.xadd(job.keys.events, '*', 'event', 'failed', 'jobId', job.id)
  const [one, two] = await Promise.all(streams.map((stream) => take(stream, 1)))
  t.match(one, [{ event: 'failed', data: { job_id: job.id, error: { code: 'JOB_ABANDONED' } } }])
  t.same(one, two)
  t.equal((await workflow.page()).events.length, 3)
  await kept.begin()
  t.match(await take(streams[0] as never, 1), [{ event: 'active' }])
})

t.test('a job whose queued event was not placed gets that place before its first entry', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const job = await workflow.queued()
  // Leave the job as if it was added but could not be placed.
  await api.app.stagecast.redis.del(workflow.order)
  await api.app.stagecast.redis.hdel(job.keys.job(job.id), 'placed')
  t.equal(
    (await answered(fetch(`${api.url}${workflow.path}/events`, { headers: authorization() }))).status,
    404,
  )
  await job.begin()
  await job.steps(1)
  t.same(
    (await workflow.page()).events.map(({ event }) => event),
    ['queued', 'active', 'progress'],
  )
})

t.test('a workflow that disappears while it is watched', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  await workflow.queued()
  const stream = await workflow.watch()
  await take(stream, 1)
  await api.app.stagecast.redis.del(workflow.order)
  const feed = api.app.stagecast.workflows.get(workflowName('alice', workflow.id))
  if (!feed) throw new Error('it is not watched')
  api.app.stagecast.workflows.catchUp(feed)
  t.match(await stream.rest(), [{ event: 'gone', data: { workflow_id: workflow.id } }])
  await eventually('the feed is dropped', () => api.app.stagecast.workflows.watched === 0)
})

t.test('caps count workflows like jobs; an EventSource is told to reconnect', async (t) => {
  const api = await start(t, { SSE_MAX_PER_JOB: '1' })
  const workflow = new ScriptedWorkflow(api)
  await workflow.queued()
  const stream = await workflow.watch()
  await take(stream, 1)
  const headers = authorization()
  isProblem(t, await answered(fetch(`${api.url}${workflow.path}/events`, { headers })), 'TOO_MANY_STREAMS')
  const { events_url } = (await (
    await fetch(`${api.url}${workflow.path}/tickets`, { method: 'POST', headers })
  ).json()) as { events_url: string }
  const turned = await openStream(api.url + events_url)
  t.equal(turned.response.status, 200)
  const frames = []
  for await (const frame of turned) frames.push(frame)
  t.match(frames, [{ retry: 30_000 }])
  stream.close()
  await eventually('there is room again', () => api.app.stagecast.streams.size === 0)
  t.equal((await take(await workflow.watch(), 1)).length, 1)
})

t.test('an administrator watches the workflow of a user by naming its owner', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  await workflow.running(1)
  const at = `${api.url}/api/workflow/workflows/${workflow.id}`
  const asAdmin = { headers: { authorization: `Bearer ${token('root', { scope: 'admin' })}` } }
  const missing = await answered(fetch(`${at}/events/page`, asAdmin))
  isProblem(t, missing, 'WORKFLOW_NOT_FOUND', 'an id alone does not say whose workflow it is')
  const whole = await fetch(`${at}/events/page?owner=alice`, asAdmin)
  const { events } = (await whole.json()) as { events: { event: string }[] }
  t.same(events.map(({ event }) => event).slice(0, 2), ['queued', 'active'])
  const stream = await openStream(`${at}/events?owner=alice`, asAdmin)
  t.teardown(() => stream.close())
  t.equal((await take(stream, 1))[0]?.event, 'queued')
  const issued = await fetch(`${at}/tickets?owner=alice`, { ...asAdmin, method: 'POST' })
  t.equal(issued.status, 201)
  const { events_url } = (await issued.json()) as { events_url: string }
  const byTicket = await openStream(api.url + events_url)
  t.teardown(() => byTicket.close())
  t.equal((await take(byTicket, 1))[0]?.event, 'queued')
  const foreign = fetch(`${at}/events/page?owner=alice`, { headers: authorization('bob') })
  isProblem(t, await answered(foreign), 'FORBIDDEN')
})

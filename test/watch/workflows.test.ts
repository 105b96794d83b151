/** Feeds of workflows: bounded pages, bounded memory, and announcements during a read. */
import t, { type Test } from 'tap'
import { ORDER_CAPACITY, type Place, workflowName } from '../../journal/order.ts'
import type { JobRecord } from '../../journal/reader.ts'
import { Message } from '../../watch/tail.ts'
import { WorkflowFeed } from '../../watch/workflow-feed.ts'
import { startApi, testEnv } from '../helpers/app.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { eventually } from '../helpers/waiting.ts'
import { lines, ScriptedWorkflow } from '../helpers/workflow.ts'

async function start(t: Test) {
  const api = closeQuickly(t, await startApi(t, await testEnv(t)))
  await eventually('the reader stands in the stream', () => api.app.stagecast.tail.connected)
  return api
}

t.test('a page has a maximum number of events, and says whether there are more', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const job = await workflow.running(0)
  await job.write(
    Array.from({ length: 400 }, (_, i) => ({ type: 'progress' as const, message: `step ${i}` })),
  )
  const first = await workflow.page()
  t.match(first, { more: true })
  t.equal(first.events.length, 250)
  const second = await workflow.page(first.cursor)
  t.match(second, { more: false })
  t.equal(first.events.length + second.events.length, 402)
  t.same(new Set(lines([...first.events, ...second.events])).size, 402)
})

t.test('events announced during a read are neither lost nor repeated', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const one = await workflow.running(1)
  const two = await workflow.running(1)
  const { records } = api.app.stagecast.journal
  const follower = { changed() {} }
  const feed = api.app.stagecast.workflows.follow(workflowName('alice', workflow.id), follower)
  t.teardown(() => api.app.stagecast.workflows.unfollow(feed, follower))
  await eventually('it is read', () => feed.isKnown)
  for (const isWhole of [true, false]) {
    let asked = false
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    api.app.stagecast.journal.records = async (ids) => {
      const old = await records(ids)
      asked = true
      await held
      return old
    }
    if (isWhole) api.app.stagecast.workflows.refresh(feed)
    else {
      const { events } = one.keys
      one.keys.events = `${events}:unheard`
      await one.steps(1)
      one.keys.events = events
      api.app.stagecast.workflows.catchUp(feed)
    }
    await eventually('a read is under way', () => asked)
    await two.steps(3)
    await one.steps(1)
    api.app.stagecast.journal.records = records
    release()
    const { cursor, events } = await workflow.page()
    await eventually('the feed is there', () => feed.head === cursor)
    t.same(lines(feed.events), lines(events))
  }
})

t.test('reads of one workflow are bounded; older events become a gap', async (t) => {
  const api = await start(t)
  const workflow = new ScriptedWorkflow(api)
  const jobs: string[] = []
  for (let i = 0; i < 45; i += 1) jobs.unshift((await workflow.queued()).id)
  const { records } = api.app.stagecast.journal
  api.app.stagecast.journal.records = async (ids) =>
    (await records(ids)).map((record) => record && { ...record, size: 900_000 })
  const follower = { changed() {} }
  const feed = api.app.stagecast.workflows.follow(workflowName('alice', workflow.id), follower)
  t.teardown(() => api.app.stagecast.workflows.unfollow(feed, follower))
  await eventually('it is read', () => feed.isKnown)
  t.equal(feed.events.length, 40)
  t.notOk(feed.isReplayable(''))
  t.match(
    feed.gap(),
    { data: { jobs: jobs.slice(0, 40).map((job_id) => ({ job_id })) } },
    'the newest events',
  )
  api.app.stagecast.journal.records = records
  const job = await workflow.queued()
  await eventually('the feed continues', () => {
    const data = feed.events.at(-1)?.data
    return data && 'job_id' in data && data.job_id === job.id
  })
})

t.test('the size of a job includes all its parts', async (t) => {
  const api = await start(t)
  const job = await new ScriptedWorkflow(api).running(2)
  const [small] = await api.app.stagecast.journal.records([job.id])
  const data = JSON.parse((await api.app.stagecast.redis.hget(job.keys.job(job.id), 'data')) ?? '')
  const inputs = { text: 'x'.repeat(200_000) }
  await api.app.stagecast.redis.hset(job.keys.job(job.id), 'data', JSON.stringify({ ...data, inputs }))
  await job.write([{ type: 'progress', message: 'y'.repeat(10_000) }])
  const [large] = await api.app.stagecast.journal.records([job.id])
  // The newest entry is both in the log and in the hash.
  t.ok((large?.size ?? 0) - (small?.size ?? 0) > 220_000, `${small?.size} to ${large?.size}`)
})

t.test('a workflow that is no longer watched while it is read leaves nothing behind', async (t) => {
  const api = await start(t)
  const [left, kept] = [new ScriptedWorkflow(api), new ScriptedWorkflow(api)]
  for (const workflow of [left, kept]) await workflow.running(1)
  const { records } = api.app.stagecast.journal
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  api.app.stagecast.journal.records = async (ids) => {
    await held
    return records(ids)
  }
  const follower = { changed() {} }
  const [gone, watched] = [left, kept].map(({ id }) =>
    api.app.stagecast.workflows.follow(workflowName('alice', id), follower),
  )
  if (!gone || !watched) throw new Error('two feeds are followed')
  t.teardown(() => api.app.stagecast.workflows.unfollow(watched, follower))
  await eventually('the read is under way', () => !gone.wantsWhole)
  api.app.stagecast.workflows.unfollow(gone, follower)
  release()
  await eventually('it is over', () => watched.isKnown)
  t.notOk(gone.isKnown, 'nothing is stored that would never be removed')
  t.equal(api.app.stagecast.workflows.watched, 1)
})

t.test('a workflow with many events uses bounded memory', async (t) => {
  const feed = new WorkflowFeed('w:alice')
  const position = (i: number) => String(i).padStart(16, '0')
  const snapshot = { job_id: 'j', stage: 2, workflow_id: 'w', status: 'active' } as JobRecord['snapshot']
  const data = { job_id: 'j' }
  const event = { id: '000100000010', event: 'active', data } as JobRecord['events'][0]
  const record: JobRecord = { snapshot, size: 100, events: [event] }
  const places: Place[] = [{ position: position(1), jobId: 'j', eventId: '000100000010' }]
  feed.take({ places, isWhole: true, isCut: false, records: new Map([['j', record]]) }, 1)
  const total = 3 * ORDER_CAPACITY
  for (let i = 2; i <= total; i += 1) {
    const entry = { type: 'progress', attempt: 1, max: 3, seq: i, progress: 20, message: '', at: 1 }
    const fields = ['event', 'progress', 'jobId', 'j', 'data', JSON.stringify({ prev: '', entries: [entry] })]
    const heard = new Message([
      ...fields,
      'workflow',
      'w:alice',
      'places',
      `${position(i - 1)} ${position(i)}`,
    ])
    if (!feed.append(heard)) return t.fail(`event ${i} was not taken`)
  }
  t.ok(feed.events.length <= 2 * ORDER_CAPACITY, `${feed.events.length} events are kept`)
  t.equal(feed.head, position(total))
  const first = Number(feed.events[0]?.id)
  t.ok(feed.isReplayable(position(first)), 'from the first one on')
  t.ok(feed.isReplayable(position(first - 1)), 'and from right before it')
  t.notOk(feed.isReplayable(position(first - 2)), 'but not from further back')
  t.notOk(feed.isReplayable(''))
  t.ok(
    feed.append(new Message(['places', `${position(3)} ${position(4)}`])),
    'a repeated announcement changes nothing',
  )
  t.equal(feed.head, position(total))
})

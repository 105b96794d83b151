/** Feeds of watched jobs: when they read, and that they always get every event. */
import t, { type Test } from 'tap'
import type { Hint } from '../../contract/job.ts'
import type { JobFeed as Feed } from '../../watch/job-feed.ts'
import { type Env, startApi, type TestApi, testEnv } from '../helpers/app.ts'
import { runningJob, scriptJob } from '../helpers/scripted-job.ts'
import { eventually, idsOf } from '../helpers/waiting.ts'

async function start(t: Test, overrides: Env = {}) {
  const api = await startApi(t, await testEnv(t, overrides))
  await eventually('the reader stands in the stream', () => api.app.stagecast.tail.connected)
  return { ...api, reads: spyOnReads(api) }
}

/** The jobs of each read. */
function spyOnReads({ app }: TestApi): string[][] {
  const reads: string[][] = []
  const { records } = app.stagecast.journal
  app.stagecast.journal.records = (ids) => {
    reads.push([...ids])
    return records(ids)
  }
  return reads
}

function follow(t: Test, { app }: TestApi, jobId: string) {
  const follower = {
    told: 0,
    changed() {
      this.told += 1
    },
  }
  const feed = app.stagecast.progress.follow(jobId, follower)
  t.teardown(() => app.stagecast.progress.unfollow(feed, follower))
  return { feed, follower }
}

const reached = (feed: Feed, id: string) => eventually(`event ${id}`, () => feed.events.at(-1)?.id === id)

t.test('an unwatched job costs no read', async (t) => {
  const api = await start(t)
  const watched = await runningJob(api, 1)
  const { feed } = follow(t, api, watched.id)
  await reached(feed, watched.head)
  api.reads.length = 0
  const unwatched = await runningJob(api, 20)
  await unwatched.complete()
  await watched.steps(20)
  // The reader has now seen everything that was announced before this event.
  await reached(feed, watched.head)
  t.same(api.reads, [], 'nor does an event of a watched job')
  await watched.complete()
  await reached(feed, watched.head)
  t.same(api.reads, [[watched.id]], 'its end is read once')
  t.match(feed.events.at(-1), { event: 'completed', data: { result: { success: true } } })
  t.equal(feed.snapshot?.status, 'completed')
})

t.test('many simultaneous followers cause one read', async (t) => {
  const api = await start(t)
  const jobs = [await runningJob(api, 3), await scriptJob(api)]
  // If nothing was watched before, the reader wakes up first and has all feeds read again.
  const other = await scriptJob(api)
  const before = follow(t, api, other.id)
  await eventually('the reader is awake', () => api.reads.length === 2)
  api.reads.length = 0
  const all = jobs.flatMap((job) => Array.from({ length: 50 }, () => follow(t, api, job.id)))
  t.equal(api.app.stagecast.progress.watched, 3)
  await eventually('all are told', () => all.every(({ follower }) => follower.told > 0))
  t.same(api.reads, [jobs.map(({ id }) => id)])
  const late = follow(t, api, jobs[0]?.id ?? '')
  t.equal(late.follower.told, 1, 'a later follower is called at once')
  t.equal(api.reads.length, 1)
  for (const { feed, follower } of [before, ...all, late]) api.app.stagecast.progress.unfollow(feed, follower)
  t.equal(api.app.stagecast.progress.watched, 0)
})

t.test('a change during a read causes another one', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 1)
  const { records } = api.app.stagecast.journal
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  api.app.stagecast.journal.records = async (ids) => {
    const old = await records(ids)
    await held
    return old
  }
  const { feed } = follow(t, api, job.id)
  await eventually('the read is under way', () => api.reads.length === 1)
  const early = performance.now()
  api.app.stagecast.progress.refresh(feed)
  await job.steps(2)
  api.app.stagecast.journal.records = records
  release()
  await reached(feed, job.head)
  await eventually('it is read again', () => feed.asOf > early)
  t.same(idsOf(feed.events), job.ids)
})

t.test('a read that Redis refuses is retried until it succeeds', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 2)
  const { records } = api.app.stagecast.journal
  let refusals = 0
  api.app.stagecast.journal.records = async (ids) => {
    if (refusals === 2) return records(ids)
    refusals += 1
    throw new Error('Redis is away')
  }
  const { feed, follower } = follow(t, api, job.id)
  await reached(feed, job.head)
  t.equal(refusals, 2)
  t.ok(follower.told > 0)
  t.same(idsOf(feed.events), job.ids)
})

t.test('missed announcements are read from the journal', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 1)
  const { feed } = follow(t, api, job.id)
  await reached(feed, job.head)
  const { keys } = api.app.stagecast.journal
  const { events } = keys
  keys.events = `${events}:unheard`
  await job.steps(3)
  keys.events = events
  await job.steps(1)
  await reached(feed, job.head)
  t.same(idsOf(feed.events), job.ids)

  // A repeated or late announcement changes nothing.
  const [, , ...fields] =
    (await api.app.stagecast.redis.xrevrange(events, '+', '-', 'COUNT', 1))[0]?.[1] ?? []
  await api.app.stagecast.redis.xadd(events, '*', 'event', 'progress', ...fields)
  await job.steps(1)
  await reached(feed, job.head)
  t.same(idsOf(feed.events), job.ids)
})

t.test('a job with many events uses bounded memory', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 0)
  const { feed } = follow(t, api, job.id)
  await reached(feed, job.head)
  for (let i = 0; i < 30; i += 1)
    await job.write(Array.from({ length: 100 }, () => ({ type: 'progress' as const, message: 'chatter' })))
  await reached(feed, job.head)
  t.ok(feed.events.length <= 1100 && feed.events.length >= 512, `${feed.events.length} events are kept`)
  t.same(idsOf(feed.events), job.ids.slice(-feed.events.length), 'the newest ones, without a gap')
  api.app.stagecast.progress.refresh(feed)
  const before = feed.asOf
  await eventually('it is read again', () => feed.asOf > before)
  t.same(idsOf(feed.events), job.ids.slice(-feed.events.length), 'also after a read of the journal')
})

t.test('silent jobs are checked from time to time, but not all at once', async (t) => {
  const api = await start(t)
  const jobs = await Promise.all([1, 2, 3].map((steps) => runningJob(api, steps)))
  const feeds = jobs.map((job) => follow(t, api, job.id).feed)
  await eventually('the reader is awake', () => api.reads.length === 2)
  for (const [i, job] of jobs.entries()) await reached(feeds[i] as Feed, job.head)
  const { keys } = api.app.stagecast.journal
  const { events } = keys
  keys.events = `${events}:unheard`
  for (const job of jobs) await job.steps(1)
  keys.events = events
  api.reads.length = 0
  for (const feed of feeds) feed.heardAt = Number.NEGATIVE_INFINITY
  for (const [i, job] of jobs.entries()) await reached(feeds[i] as Feed, job.head)
  t.same(
    api.reads.map((ids) => ids.length),
    [1, 1, 1],
  )
})

t.test('a client that reconnects finds a feed that is still up to date', async (t) => {
  const api = await start(t)
  const { progress } = api.app.stagecast
  const job = await runningJob(api, 2)
  const leave = async () => {
    const { feed, follower } = follow(t, api, job.id)
    await reached(feed, job.head)
    progress.unfollow(feed, follower)
    return feed
  }
  const early = follow(t, api, job.id)
  await eventually('the reader is awake, and has had it read again', () => api.reads.length === 2)
  progress.unfollow(early.feed, early.follower)
  const left = await leave()
  t.equal(progress.watched, 0, 'nobody watches it')
  t.same([...progress.all()], [])
  api.reads.length = 0
  await job.steps(3)
  await reached(left, job.head)
  const back = follow(t, api, job.id)
  t.equal(back.follower.told, 1, 'called at once')
  t.same(idsOf(back.feed.events), job.ids, 'of all that happened meanwhile')
  t.same(api.reads, [], 'without a read')
  progress.unfollow(back.feed, back.follower)

  progress.catchUpAll()
  t.ok(progress.isEmpty, 'a feed that would need a read is dropped')
  await leave()
  await eventually('feeds without a returning client are dropped', () => progress.isEmpty)

  const { feed, follower } = follow(t, api, job.id)
  await job.complete()
  await reached(feed, job.head)
  progress.unfollow(feed, follower)
  t.ok(progress.isEmpty, 'an end, which may come with a large result, is not kept')
})

t.test('which feeds are kept for clients that reconnect', async (t) => {
  const api = await start(t)
  const { progress, tail } = api.app.stagecast
  const [job, silent] = [await runningJob(api, 1), await runningJob(api, 1)]
  const kept = follow(t, api, job.id)
  await eventually('the reader is awake', () => api.reads.length === 2)
  const other = follow(t, api, silent.id)
  await reached(other.feed, silent.head)

  kept.feed.hints.set(job.id, { kind: 'turn' } as unknown as Hint)
  progress.unfollow(kept.feed, kept.follower)
  t.equal(kept.feed.hints.size, 0, 'no outdated hint')

  kept.feed.heardAt = Number.NEGATIVE_INFINITY
  other.feed.heardAt = Number.NEGATIVE_INFINITY
  await eventually('silent jobs were looked at', () => other.feed.heardAt > 0)
  t.equal(progress.get(job.id), kept.feed, 'a silent job as long as another')

  const deaf = follow(t, api, job.id)
  t.equal(deaf.feed, kept.feed)
  Object.defineProperty(tail, 'connected', { value: false })
  progress.unfollow(deaf.feed, deaf.follower)
  t.equal(progress.get(job.id), undefined, 'nothing while the reader is disconnected')
})

t.test('a feed that has ended is not kept without followers', async (t) => {
  const api = await start(t)
  const { progress, journal } = api.app.stagecast
  const job = await runningJob(api, 1)
  const { feed, follower } = follow(t, api, job.id)
  await eventually('the reader is awake', () => api.reads.length === 2)
  await reached(feed, job.head)
  const { records } = journal
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let isAsked = false
  journal.records = async (ids) => {
    isAsked = true
    await held
    return records(ids)
  }
  await job.complete()
  await eventually('the read of the end is under way', () => isAsked)
  progress.unfollow(feed, follower)
  t.notOk(progress.isEmpty, 'the end is not known yet')
  release()
  await eventually('it is read', () => feed.isOver)
  t.ok(progress.isEmpty)
})

t.test('merging known events with those read', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 0)
  const { feed } = follow(t, api, job.id)
  await reached(feed, job.head)
  const { records } = api.app.stagecast.journal
  for (let i = 0; i < 4; i += 1) await job.steps(1)
  await reached(feed, job.head)
  const [whole] = await records([job.id])
  if (!whole) throw new Error('the job is gone')
  const all = whole.events

  const mergeWith = async (known: number[], read: number[]) => {
    feed.events = known.map((i) => all[i]).flatMap((event) => event ?? [])
    const events = read.map((i) => all[i]).flatMap((event) => event ?? [])
    api.app.stagecast.journal.records = async (ids) => ids.map(() => ({ ...whole, events }))
    const before = feed.asOf
    api.app.stagecast.progress.refresh(feed)
    await eventually('it is read', () => feed.asOf > before)
    return feed.events.map(({ id }) => all.findIndex((event) => event.id === id))
  }
  t.same(await mergeWith([], [0, 1, 2]), [0, 1, 2])
  t.same(await mergeWith([0, 1, 2], [0, 1, 2]), [0, 1, 2])
  t.same(await mergeWith([0, 1, 2, 3], [0, 1, 2]), [0, 1, 2, 3], 'a read from before the last announcement')
  t.same(await mergeWith([0, 1, 2], [2, 3, 4]), [0, 1, 2, 3, 4], 'a log that has dropped known events')
  t.same(await mergeWith([0, 1, 2, 3, 4], [2, 3]), [0, 1, 2, 3, 4], 'both')
  t.same(await mergeWith([0, 1], [3, 4]), [3, 4], 'if events are missing, those before are dropped')
  api.app.stagecast.journal.records = records
})

t.test('news', async (t) => {
  const api = await start(t)
  const job = await runningJob(api, 2)
  const { progress } = api.app.stagecast
  const never = new AbortController().signal
  await progress.news(job.id, job.ids[1] ?? '', 30_000, never)
  t.pass('at once when something is newer')

  const waiting = progress.news(job.id, job.head, 30_000, never)
  await job.steps(1)
  await waiting
  t.pass('as soon as something is')

  const startedAt = performance.now()
  await progress.news(job.id, job.head, 50, never)
  t.ok(performance.now() - startedAt >= 45, 'after the time given')
  const stop = new AbortController()
  const stopped = progress.news(job.id, job.head, 30_000, stop.signal)
  stop.abort()
  await stopped
  await progress.news(job.id, job.head, 30_000, AbortSignal.abort())
  t.pass('when the asker is gone')

  const fresh = await scriptJob(api)
  const gone = progress.news(fresh.id, fresh.head, 30_000, never)
  await api.app.stagecast.queue.discard(fresh.id)
  await gone
  t.pass('when the job is gone')
  await eventually('nobody watches any more', () => progress.watched === 0)

  const closing = progress.news(job.id, job.head, 30_000, never)
  await api.app.close()
  await closing
  t.pass('at shutdown')
})

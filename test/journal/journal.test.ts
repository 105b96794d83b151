/** The two scripts, against a real Redis. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { eventId, LOG_CAPACITY, type LogEntry } from '../../contract/events.ts'
import type { JobSnapshot } from '../../contract/job.ts'
import * as scripts from '../../journal/journal.ts'
import { journalKeys, recordCall } from '../../journal/journal.ts'
import { readTally } from '../../journal/tally.ts'
import { testRedis } from '../helpers/jobs.ts'
import { randomPrefix } from '../helpers/redis.ts'

const TOKEN = 'worker-1:0'

interface Record {
  token?: string
  expected?: string
  entries: LogEntry[]
  end?: object
  endTtl?: number
  logTtl?: number
  cancelled?: boolean
}

const line = (seq: number, attempt = 1): LogEntry => ({
  type: 'progress',
  attempt,
  max: 3,
  seq,
  progress: 20,
  message: 'at work',
  at: 1,
})

/** A job that is locked by the worker with `TOKEN`. */
async function heldJob(t: Test) {
  const redis = await testRedis(t)
  const keys = journalKeys(randomPrefix())
  const id = randomUUID()
  await redis.hset(keys.job(id), { timestamp: '1', data: '{}' })
  await redis.set(keys.lock(id), TOKEN)
  const job = { job_id: id, stage: 2, workflow_id: randomUUID(), user_id: 'alice' }
  const order = keys.order('alice', job.workflow_id)
  const record = ({ entries, expected = '', token = TOKEN, end, endTtl = 50, ...given }: Record) =>
    scripts.record.run(
      redis,
      recordCall(keys, {
        journal: { data: job, createdAt: 1, processedAt: null },
        ...{ token, expected, entries, cancelled: given.cancelled },
        end: end && ({ ...end, data: {} } as JobSnapshot),
        ...{ logTtlSeconds: given.logTtl ?? 100, resultTtlSeconds: endTtl },
      }),
    )
  const cancel = (now = 5) => scripts.cancel.run(redis, scripts.cancelCall(keys, job, now, 50))
  /** All data that a refused write must not change. */
  const state = async () => ({
    hash: await redis.hgetall(keys.job(id)),
    log: await redis.lrange(keys.log(id), 0, -1),
    end: await redis.get(keys.end(id)),
    summary: await redis.get(keys.summary(id)),
    order: await redis.lrange(order, 0, -1),
    jobs: await redis.zrange(keys.jobs('alice'), '0', '-1'),
    events: await redis.xlen(keys.events),
  })
  const refuses = async (t: Test, reply: string, write: Record) => {
    const before = await state()
    t.equal(await record(write), reply)
    t.same(await state(), before, `${reply} changes nothing`)
  }
  return { redis, keys, id, record, cancel, refuses, state }
}

t.test('a write appends, moves the cursor, and announces itself once', async (t) => {
  const { redis, keys, id, record, state } = await heldJob(t)
  t.equal(await record({ entries: [line(1), line(2)] }), 'ok')
  const { hash, log, end, events } = await state()
  t.same(
    log.map((one) => JSON.parse(one)),
    [line(1), line(2)],
  )
  t.equal(hash.cursor, '000100000020')
  t.same(JSON.parse(hash.last ?? ''), line(2))
  t.equal(end, null)
  t.equal(events, 1)
  const [[, fields]] = (await redis.xrange(keys.events, '-', '+')) as [[string, string[]]]
  t.same(fields.slice(0, 5), ['event', 'progress', 'jobId', id, 'data'])
  t.same(JSON.parse(fields[5] ?? ''), { prev: '', entries: [line(1), line(2)] })
  const ttl = await redis.ttl(keys.log(id))
  t.ok(ttl > 90 && ttl <= 100, 'the log expires')

  t.equal(await record({ expected: '000100000020', entries: [line(3)], logTtl: 200 }), 'ok')
  t.ok((await redis.ttl(keys.log(id))) > 100, 'an entry renews the expiry')
  t.equal((await state()).events, 2)
})

t.test('only the holder of the lock writes', async (t) => {
  const { redis, keys, id, refuses, record } = await heldJob(t)
  await refuses(t, 'lost', { token: 'worker-2:0', entries: [line(1)] })
  await redis.del(keys.lock(id))
  await refuses(t, 'lost', { entries: [line(1)] })
  t.equal(
    await record({ token: '', entries: [line(1)] }),
    'ok',
    'for a writer without a lock the cursor decides',
  )
  await refuses(t, 'moved:000100000010', { token: '', entries: [line(1)] })
})

t.test('a write is refused if the cursor is not the expected one', async (t) => {
  const { refuses, record } = await heldJob(t)
  await refuses(t, 'moved:', { expected: '000100000010', entries: [line(2)] })
  await record({ entries: [line(1)] })
  await refuses(t, 'moved:000100000010', { entries: [line(1)] })
  await refuses(t, 'moved:000100000010', { expected: '000100000020', entries: [line(3)] })
})

t.test('the outcome is stored once, and no entry follows it', async (t) => {
  const { redis, keys, id, record, refuses, cancel, state } = await heldJob(t)
  t.equal(await record({ entries: [line(1)], end: { status: 'completed' }, logTtl: 50 }), 'ok')
  t.match(JSON.parse((await state()).end ?? ''), { status: 'completed' })
  const ttl = await redis.ttl(keys.end(id))
  t.ok(ttl > 40 && ttl <= 50)
  await refuses(t, 'settled', { expected: '000100000010', entries: [line(2)] })
  await refuses(t, 'settled', { expected: '000100000010', entries: [line(2)], end: { status: 'failed' } })
  await refuses(t, 'settled', { entries: [line(1)], end: { status: 'completed' } })
  const before = await state()
  t.equal(await cancel(), 'settled')
  t.same(await state(), before)
})

t.test('an outcome survives the removal of its job, and a later job with the same id', async (t) => {
  const { redis, keys, id, record, refuses } = await heldJob(t)
  t.equal(await record({ entries: [line(1)], end: { status: 'completed' } }), 'ok')
  await redis.del(keys.end(id))
  await refuses(t, 'settled', { expected: '000100000010', entries: [line(2)] })
  await redis.set(keys.end(id), '{}')
  await redis.del(keys.job(id))
  await refuses(t, 'settled', { expected: '000100000010', entries: [line(2)] })
  await redis.hset(keys.job(id), { timestamp: '1', data: '{}' })
  await refuses(t, 'settled', { entries: [line(1)] })
})

t.test('a cancel request stops every write except the one that carries it out', async (t) => {
  const { redis, keys, id, record, refuses, cancel, state } = await heldJob(t)
  const listener = redis.duplicate()
  t.teardown(() => listener.disconnect())
  const heard: string[] = []
  listener.on('message', (_channel, message) => heard.push(message))
  await listener.subscribe(keys.cancels)

  await record({ entries: [line(1)] })
  t.equal(await cancel(77), 'cancelling')
  t.same(JSON.parse((await state()).hash.cancel ?? ''), { after: '000100000010', at: 77 })
  t.equal(await cancel(99), 'cancelling', 'again')
  t.same(
    JSON.parse((await state()).hash.cancel ?? ''),
    { after: '000100000010', at: 77 },
    'the first request counts',
  )
  const stream = (await redis.xrange(keys.events, '-', '+')).map(([, fields]) => fields[1])
  t.same(stream, ['progress', 'cancelling'], 'one request, one event')
  await listener.ping()
  t.same(heard, [id, id], 'each request notifies the workers')

  await refuses(t, 'cancelling', { expected: '000100000010', entries: [line(2)] })
  await refuses(t, 'cancelling', {
    expected: '000100000010',
    entries: [line(2)],
    end: { status: 'completed' },
  })
  const last = { expected: '000100000010', entries: [line(2)], end: { status: 'cancelled' }, cancelled: true }
  t.equal(await record(last), 'ok')
  t.equal(await cancel(), 'settled')
})

t.test('the caller itself cancels a job that is not locked', async (t) => {
  const { redis, keys, id, cancel, state } = await heldJob(t)
  await redis.del(keys.lock(id))
  const before = await state()
  t.equal(await cancel(), 'free')
  t.same(await state(), before)
})

t.test('between attempts a job counts as free, even if a worker still holds the lock', async (t) => {
  const { record, cancel, state } = await heldJob(t)
  t.equal(await cancel(), 'free', 'taken, but the attempt has not started')
  await record({ entries: [line(1)] })
  await record({ expected: '000100000010', entries: [{ ...line(2), type: 'retrying' }] })
  const before = await state()
  t.equal(await cancel(), 'free', 'an attempt has ended')
  t.same(await state(), before)
})

t.test('a job that is gone', async (t) => {
  const { redis, keys, id, refuses, cancel } = await heldJob(t)
  await redis.hset(keys.job(id), 'finishedOn', '9')
  t.equal(await cancel(), 'settled', 'a job that was ended in the queue without an outcome is not gone')
  await redis.del(keys.job(id))
  await refuses(t, 'gone', { entries: [line(1)] })
  t.equal(await cancel(), 'gone')
  // A late write may recreate the hash with one field, which is not a job.
  await redis.hset(keys.job(id), 'progress', '5')
  await refuses(t, 'gone', { entries: [line(1)] })
  t.equal(await cancel(), 'gone')
})

t.test('the log keeps its newest entries', async (t) => {
  const { redis, keys, id, record } = await heldJob(t)
  const entries = Array.from({ length: LOG_CAPACITY + 3 }, (_, index) => line(index + 1))
  t.equal(await record({ entries: entries.slice(0, -1) }), 'ok')
  const expected = eventId(entries.at(-2) as LogEntry)
  t.equal(await record({ expected, entries: entries.slice(-1) }), 'ok')
  const log = await redis.lrange(keys.log(id), 0, -1)
  t.equal(log.length, LOG_CAPACITY)
  t.same(JSON.parse(log[0] ?? ''), line(4))
  t.same(JSON.parse(log.at(-1) ?? ''), entries.at(-1))
})

t.test('ends are counted by minute, and a reused field starts at zero', async (t) => {
  const { redis, keys } = await heldJob(t)
  const minute = 29_000_000
  const end = async (at: number) => {
    const data = { job_id: randomUUID(), stage: 2, workflow_id: randomUUID(), user_id: 'alice' }
    await redis.hset(keys.job(data.job_id), { timestamp: '1', data: '{}' })
    const reply = await scripts.record.run(
      redis,
      recordCall(keys, {
        journal: { data, createdAt: at - 40, processedAt: at - 15 },
        ...{ token: '', expected: '', entries: [{ ...line(1), type: 'completed' as const, at }] },
        ...{ end: { data: {} } as JobSnapshot, logTtlSeconds: 100, resultTtlSeconds: 100 },
      }),
    )
    t.equal(reply, 'ok')
    return readTally(await redis.hgetall(keys.tally), 2)
  }
  await end(minute * 60_000)
  t.same([...(await end(minute * 60_000 + 59_999)).ended].slice(0, 1), [[minute, 2]])
  const tally = await end((minute + 60) * 60_000)
  t.equal(tally.ended.get(minute), undefined)
  t.equal(tally.ended.get(minute + 60), 1, 'the field is reused')
  t.equal((await end((minute + 60) * 60_000)).ended.get(minute + 60), 2)
  t.match(tally, { completed: 3, duration: { sumMs: 45 } }, 'other counts continue')
})

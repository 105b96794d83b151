import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { eventId, type LogEntry } from '../../contract/events.ts'
import { journalKeys } from '../../journal/journal.ts'
import { closeRedis, connectRedis } from '../../journal/redis.ts'
import type { Journal } from '../../journal/snapshot.ts'
import {
  AlreadySettled,
  CancelRequested,
  JournalWriter,
  LockLost,
  type Step,
} from '../../workers/journal-writer.ts'
import { randomPrefix, sharedRedis } from '../helpers/redis.ts'

const step = (progress: number, type: Step['type'] = 'progress'): Step => ({
  type,
  progress,
  message: `at ${progress}`,
})

async function heldJob(t: Test) {
  const redis = connectRedis(await sharedRedis(t), 'blocking', '')
  t.teardown(() => closeRedis(redis))
  const keys = journalKeys(randomPrefix())
  const id = randomUUID()
  const data = {
    stage: 2,
    job_id: id,
    workflow_id: randomUUID(),
    research_question: 'Does sleep change memory?',
    user_id: 'alice',
    timestamp: 1,
    inputs: {},
  }
  const journal: Journal = {
    data,
    maxAttempts: 3,
    createdAt: 1,
    processedAt: 2,
    last: null,
    cancel: null,
    abandonedAt: null,
  }
  await redis.hset(keys.job(id), { timestamp: '1', data: JSON.stringify(data) })
  const take = async (token: string, last: LogEntry | null = null, over: Redis = redis) => {
    await redis.set(keys.lock(id), token)
    const options = { redis: over, keys, token, logTtlSeconds: 100, resultTtlSeconds: 50 }
    return new JournalWriter({ ...journal, last }, options)
  }
  const log = async () => (await redis.lrange(keys.log(id), 0, -1)).map((line): LogEntry => JSON.parse(line))
  const ids = async () => (await log()).map(eventId)
  const end = async () => JSON.parse((await redis.get(keys.end(id))) ?? 'null')
  /** Restores an earlier state of the journal, as after a fail-over to a replica that lacks the newest writes. */
  const backup = async () => {
    const names = [keys.job(id), keys.log(id), keys.end(id)]
    const dumps = await Promise.all(names.map((name) => redis.dumpBuffer(name)))
    return async () => {
      await redis.del(...names)
      for (const [i, dump] of dumps.entries()) if (dump) await redis.restore(names[i] as string, 0, dump)
    }
  }
  return { redis, keys, id, take, log, ids, end, backup }
}

t.test('an attempt from begin to end', async (t) => {
  const { redis, keys, id, take, log, ids, end } = await heldJob(t)
  const writer = await take('a')
  await writer.begin(1, 3, [], [step(0, 'active'), step(10)])
  // The calls are not awaited one by one; they are sent in order.
  await Promise.all([writer.step(step(20)), writer.step(step(50)), writer.step(step(80))])
  await writer.settle([step(100), step(100, 'completed')], { success: true, artifacts: [], duration_ms: 1 })
  t.same(
    (await log()).map(({ progress }) => progress),
    [0, 10, 20, 50, 80, 100, 100],
  )
  t.same(
    (await log()).map(({ attempt, seq }) => [attempt, seq]),
    [1, 2, 3, 4, 5, 6, 7].map((seq) => [1, seq]),
  )
  t.match(await end(), { status: 'completed', cursor: (await ids()).at(-1), attempt: 1, progress: 100 })
  t.equal(await redis.hget(keys.job(id), 'cursor'), '000100000070')
  t.match(await writer.outcome(), { status: 'completed' })
  await t.rejects(writer.step(step(100)), AlreadySettled)
})

t.test('a zombie cannot write or disturb its successor', async (t) => {
  const { take, ids, end } = await heldJob(t)
  const zombie = await take('a')
  await zombie.begin(1, 3, [], [step(0, 'active'), step(10)])
  const { newest } = zombie
  const successor = await take('b', newest)
  await t.rejects(zombie.step(step(20)), LockLost)
  await t.rejects(zombie.settle([step(100, 'completed')]), LockLost)
  await successor.begin(2, 3, [step(10, 'retrying')], [step(0, 'active')])
  await t.rejects(zombie.step(step(30)), LockLost)
  await t.rejects(
    zombie.settleCancelled(() => step(30, 'cancelled')),
    LockLost,
  )
  await successor.step(step(20))
  t.same(await ids(), ['000100000010', '000100000020', '000100000030', '000200000010', '000200000020'])
  t.equal(await end(), null)
})

t.test('a job that disappeared', async (t) => {
  const { redis, keys, id, take } = await heldJob(t)
  const writer = await take('a')
  await writer.begin(1, 3, [], [step(0, 'active')])
  await redis.del(keys.job(id))
  await t.rejects(writer.step(step(20)), LockLost)
  t.equal(await redis.exists(keys.job(id)), 0, 'is not recreated')
})

t.test('a write that a reconnect sends twice happens once', async (t) => {
  const { redis, take, ids, end, keys } = await heldJob(t)
  const twice = new Proxy(redis, {
    get(target, name) {
      const found = Reflect.get(target, name)
      if (name !== 'stagecast:record') return found
      return async (...args: unknown[]) => {
        await found.apply(target, args)
        return found.apply(target, args)
      }
    },
  })
  const writer = await take('a', null, twice)
  await writer.begin(1, 3, [], [step(0, 'active'), step(10)])
  await writer.step(step(20))
  await writer.settle([step(100), step(100, 'completed')], { success: true, artifacts: [], duration_ms: 1 })
  t.same(await ids(), ['000100000010', '000100000020', '000100000030', '000100000040', '000100000050'])
  t.equal((await end()).status, 'completed')
  t.equal(await redis.xlen(keys.events), 3)
})

t.test('entries that a fail-over lost are written again', async (t) => {
  const { take, log, ids, backup, end } = await heldJob(t)
  const writer = await take('a')
  await writer.begin(1, 3, [], [step(0, 'active'), step(10)])
  const early = await backup()
  await writer.step(step(20))
  await writer.step(step(40))
  const whole = await log()
  await early()
  t.equal((await ids()).length, 2)
  await writer.step(step(60))
  t.same((await log()).slice(0, 4), whole, 'the same entries with the same ids')
  t.equal((await log()).at(-1)?.progress, 60)

  await early()
  await writer.settle([step(100, 'completed')], { success: true, artifacts: [], duration_ms: 1 })
  t.same(
    (await log()).map(({ progress }) => progress),
    [0, 10, 20, 40, 60, 100],
  )
  t.equal((await end()).status, 'completed')
})

t.test('all entries may be lost', async (t) => {
  const { take, ids, backup } = await heldJob(t)
  const empty = await backup()
  const writer = await take('a')
  await writer.begin(1, 3, [], [step(0, 'active'), step(10)])
  await empty()
  await writer.step(step(20))
  t.same(await ids(), ['000100000010', '000100000020', '000100000030'])
})

t.test('a cancel is recorded after the newest stored entry', async (t) => {
  const { redis, keys, id, take, log, ids, end } = await heldJob(t)
  const writer = await take('a')
  await writer.begin(1, 3, [], [step(0, 'active'), step(10)])
  await redis.hset(keys.job(id), 'cancel', JSON.stringify({ after: '000100000020', at: 77 }))
  const refused = [writer.step(step(20)), writer.step(step(50))]
  for (const write of refused) await t.rejects(write, CancelRequested)
  await writer.settleCancelled(({ progress, attempt }) => {
    t.same([progress, attempt], [10, 1], 'refused entries do not exist')
    return step(progress, 'cancelled')
  })
  t.same(await ids(), ['000100000010', '000100000020', '000100000021', '000100000030'])
  t.match((await log())[2], { type: 'cancelling', at: 77, progress: 10 })
  t.match(await end(), { status: 'cancelled', cursor: '000100000030' })
})

t.test('a cancel before the first entry, and between two attempts', async (t) => {
  const fresh = await heldJob(t)
  const writer = await fresh.take('a')
  await fresh.redis.hset(fresh.keys.job(fresh.id), 'cancel', '{"after":"","at":77}')
  await t.rejects(writer.begin(1, 3, [], [step(0, 'active')]), CancelRequested)
  await writer.settleCancelled(({ attempt, progress }) => {
    t.same([attempt, progress], [0, 0])
    return step(progress, 'cancelled')
  })
  t.same(await fresh.ids(), ['000000000001', '000000000010'])
  t.match(await fresh.end(), { status: 'cancelled', attempt: 0, max_attempts: 3 })

  const { redis, keys, id, take, ids, end } = await heldJob(t)
  const first = await take('a')
  await first.begin(1, 3, [], [step(0, 'active')])
  await first.step(step(40, 'retrying'))
  const second = await take('b', first.newest)
  await redis.hset(keys.job(id), 'cancel', '{"after":"000100000020","at":77}')
  await t.rejects(second.begin(2, 3, [], [step(0, 'active'), step(10)]), CancelRequested)
  await second.settleCancelled(({ attempt, progress }) => {
    t.same([attempt, progress], [1, 40])
    return step(progress, 'cancelled')
  })
  t.same(await ids(), ['000100000010', '000100000020', '000100000021', '000100000030'])
  t.match(await end(), { status: 'cancelled', attempt: 1, progress: 40 })
})

t.test('the first stored outcome is final', async (t) => {
  const { redis, keys, id, take, end } = await heldJob(t)
  const writer = await take('a')
  await writer.begin(1, 3, [], [step(0, 'active')])
  const other = await take('a')
  const error = { code: 'CANCELLED', message: 'cancelled', retryable: false, attempt: 1 }
  await other.settle([{ ...step(0, 'cancelled'), error }])
  await t.rejects(
    writer.settle([step(100, 'completed')], { success: true, artifacts: [], duration_ms: 1 }),
    AlreadySettled,
  )
  t.equal((await end()).status, 'cancelled')
  t.match(await writer.outcome(), { status: 'cancelled' })
  await redis.del(keys.end(id))
  t.equal(await writer.outcome(), null, 'expired')
})

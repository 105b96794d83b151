/** Places in the order of a workflow, against a real Redis. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { FIRST_ID } from '../../contract/events.ts'
import * as scripts from '../../journal/journal.ts'
import { journalKeys } from '../../journal/journal.ts'
import {
  jobMember,
  ORDER_CAPACITY,
  type Place,
  parseMember,
  parsePlace,
  workflowName,
} from '../../journal/order.ts'
import { testRedis } from '../helpers/jobs.ts'
import { randomPrefix } from '../helpers/redis.ts'

async function start(t: Test) {
  const redis = await testRedis(t)
  const keys = journalKeys(randomPrefix())
  const workflow_id = randomUUID()
  const origin = (job_id = randomUUID()) => ({ job_id, stage: 2, workflow_id, user_id: 'alice' })
  const queued = async () => {
    const job = origin()
    await redis.hset(keys.job(job.job_id), { timestamp: '1' })
    return job
  }
  const place = async (job: ReturnType<typeof origin>, eventId = FIRST_ID) =>
    (await scripts.place.run(redis, scripts.placeCall(keys, [{ job, eventId }], 50)))[0]
  const key = keys.order('alice', workflow_id)
  const order = async (): Promise<Place[]> => (await redis.lrange(key, 0, -1)).map(parsePlace)
  return { redis, keys, key, origin, queued, place, order }
}

t.test('each event gets one place, however often it is placed', async (t) => {
  const { redis, keys, queued, place, order } = await start(t)
  const [one, two] = [await queued(), await queued()]
  t.equal(await place(one), 'placed')
  t.equal(await place(two), 'placed')
  t.equal(await place(one), 'known')
  t.equal(await place(one, '000000000009'), 'placed')
  t.equal(await place(one, '000000000009'), 'known')
  t.equal(await place(one), 'known', 'an earlier event gets no later position')
  const places = await order()
  t.same(
    places.map(({ jobId, eventId }) => [jobId, eventId]),
    [
      [one.job_id, FIRST_ID],
      [two.job_id, FIRST_ID],
      [one.job_id, '000000000009'],
    ],
  )
  t.match(
    places.map(({ position }) => position),
    [/^\d{16}$/, /^\d{16}$/, /^\d{16}$/],
  )
  const told = (await redis.xrange(keys.events, '-', '+')).map(([, fields]) => fields)
  t.equal(told.length, 3)
  const [, , , , , name, , line] = told[2] ?? []
  t.equal(name, workflowName('alice', one.workflow_id))
  t.equal(line, `${places[1]?.position} ${places[2]?.position}`, 'the position before, and the new one')
})

t.test('a missing job gets no place', async (t) => {
  const { redis, keys, origin, place, order } = await start(t)
  const job = origin()
  t.equal(await place(job), 'gone')
  t.same(await order(), [])
  t.equal(await redis.exists(keys.job(job.job_id), keys.jobs('alice'), keys.events), 0, 'nothing is left')
})

t.test('if queued has no place yet, it is placed before the event', async (t) => {
  const { queued, place, order } = await start(t)
  const job = await queued()
  await place(job, '000100000010')
  t.same(
    (await order()).map(({ eventId }) => eventId),
    [FIRST_ID, '000100000010'],
  )
})

t.test('positions increase even if the clock is set back', async (t) => {
  const { redis, keys, key, queued, place, order } = await start(t)
  await redis.rpush(key, `9000000000000000 ${randomUUID()} ${FIRST_ID}`)
  await redis.zadd(keys.jobs('alice'), 9e15, 'another')
  const [one, two] = [await queued(), await queued()]
  await place(one)
  await place(two)
  t.same(
    (await order()).map(({ position }) => position),
    ['9000000000000000', '9000000000000001', '9000000000000002'],
  )
  const listed = await redis.zrevrange(keys.jobs('alice'), '0', '-1', 'WITHSCORES')
  t.same(listed, [
    jobMember(two),
    '9000000000000002',
    jobMember(one),
    '9000000000000001',
    'another',
    '9000000000000000',
  ])
})

t.test('the order keeps its newest places, and expires', async (t) => {
  const { redis, key, queued, place, order } = await start(t)
  const places = Array.from(
    { length: ORDER_CAPACITY },
    (_, i) => `${String(i).padStart(16, '0')} x ${FIRST_ID}`,
  )
  await redis
    .multi()
    .rpush(key, ...places)
    .expire(key, 9)
    .exec()
  const job = await queued()
  await place(job)
  const kept = await order()
  t.equal(kept.length, ORDER_CAPACITY)
  t.equal(kept[0]?.position, '0000000000000001')
  t.equal(kept.at(-1)?.jobId, job.job_id)
  const ttl = await redis.ttl(key)
  t.ok(ttl > 86_400 && ttl < 3 * 86_400, `${ttl} s`)
})

t.test('the first place of each hour renews the expiry of order and list', async (t) => {
  const { redis, keys, key, queued, place, order } = await start(t)
  const jobs = keys.jobs('alice')
  await place(await queued())
  for (const name of [key, jobs]) {
    const ttl = await redis.ttl(name)
    t.ok(
      ttl > 2 * 86_400 + 50 + 3600,
      `${ttl} s: two days behind the results, however late in its hour news come`,
    )
    await redis.expire(name, 9)
  }
  // Pretend that the newest place is an hour old.
  const [{ position = '', jobId = '' } = {}] = await order()
  await redis.lset(key, 0, `${Number(position) - 3_600_000_000} ${jobId} ${FIRST_ID}`)
  const job = await queued()
  await place(job)
  for (const name of [key, jobs]) {
    t.ok((await redis.ttl(name)) > 86_400)
    await redis.expire(name, 9)
  }
  await redis.del(jobs)
  await place(await queued())
  t.ok((await redis.ttl(jobs)) > 86_400, 'a new list has an expiry too')
})

t.test('names', async (t) => {
  const id = 'ABCDEF00-0000-4000-8000-000000000000'
  t.equal(workflowName('alice', id), workflowName('alice', id.toLowerCase()))
  t.not(workflowName('a', id), workflowName('b', id))
  const member = jobMember({ job_id: 'j', stage: 7, workflow_id: id })
  t.same(parseMember(member), { jobId: 'j', stage: '7', workflowId: id.toLowerCase() })
})

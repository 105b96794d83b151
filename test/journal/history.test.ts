/** The history of the queue: what each minute stores, for how long, and the points of a chart. */
import { Redis } from 'ioredis'
import t from 'tap'
import {
  KEPT_MINUTES,
  type Minute,
  most,
  readMinutes,
  toPoints,
  writeMinutes,
} from '../../journal/history.ts'
import { journalKeys } from '../../journal/journal.ts'
import { enqueue, get, startApi, startWorker, testEnv, token } from '../helpers/app.ts'
import { answered, isProblem } from '../helpers/problem.ts'
import { closeQuickly } from '../helpers/quick-close.ts'
import { privateRedis, randomPrefix, sharedRedis } from '../helpers/redis.ts'
import { fail, fakeStageService, succeed } from '../helpers/stage-service.ts'
import { eventually } from '../helpers/waiting.ts'

const NOW = 29_000_000

function minute(at: number, fields: Partial<Minute> = {}): Minute {
  return { minute: at, waiting: 0, active: 0, ended: 0, failed: 0, ...fields }
}

t.test('exactly one day is kept', async (t) => {
  const redis = new Redis((await sharedRedis(t)).replace('unix://', ''))
  t.teardown(() => redis.disconnect())
  const keys = journalKeys(randomPrefix())
  const days = Array.from({ length: 2 * KEPT_MINUTES }, (_, i) =>
    minute(NOW - i, { ended: i, waiting: null }),
  )
  await writeMinutes(redis, keys, days.reverse())
  t.equal(await redis.hlen(keys.history), KEPT_MINUTES, 'a day later the field of a minute is written again')
  t.ok(Number(await redis.call('MEMORY', 'USAGE', keys.history)) < 200_000)
  t.ok((await redis.ttl(keys.history)) > 86_400)
  const read = await readMinutes(redis, keys, NOW, KEPT_MINUTES)
  t.equal(read.size, KEPT_MINUTES)
  t.same(read.get(NOW - 7), minute(NOW - 7, { ended: 7, waiting: null }))
  t.equal(
    (await readMinutes(redis, keys, NOW + 10, 10)).size,
    0,
    'a minute of the day before is not returned',
  )
  t.same([...(await readMinutes(redis, keys, NOW + 5, 7)).keys()], [NOW - 1, NOW])
})

t.test('minutes are summed up into points', async (t) => {
  const known = [
    minute(NOW, { waiting: 3, active: 2, ended: 5 }),
    minute(NOW - 1, { waiting: 9, active: null, ended: 1, failed: 1 }),
    minute(NOW - 9, { waiting: null, active: null, ended: 4, failed: 2 }),
  ]
  const minutes = new Map(known.map((one) => [one.minute, one]))
  const at = (one: number) => one * 60_000
  t.same(toPoints(minutes, NOW, 3, 1), [
    { at: at(NOW - 2), waiting: null, active: null, ended: null, failed: null },
    { at: at(NOW - 1), waiting: 9, active: null, ended: 1, failed: 1 },
    { at: at(NOW), waiting: 3, active: 2, ended: 5, failed: 0 },
  ])
  t.same(toPoints(minutes, NOW + 4, 3, 5), [
    { at: at(NOW - 10), waiting: null, active: null, ended: 4, failed: 2 },
    { at: at(NOW - 5), waiting: 9, active: null, ended: 1, failed: 1 },
    { at: at(NOW), waiting: 3, active: 2, ended: 5, failed: 0 },
  ])
  t.equal(most(null, 0), 0)
  t.equal(most(2, null), 2)
  t.equal(most(null, null), null)
})

interface Read {
  at: number
  step_ms: number
  points: {
    at: number
    waiting: number | null
    active: number | null
    ended: number | null
    failed: number | null
  }[]
}

t.test('an API process that starts later shows what happened before', async (t) => {
  const service = await fakeStageService(t, (call) => (call.stage === 3 ? fail(422, 'NO') : succeed())(call))
  const env = await testEnv(t, { WORKER_URL: service.url })
  const before = closeQuickly(t, await startApi(t, env))
  const { redis, journal, history } = before.app.stagecast
  const now = Math.floor(Date.now() / 60_000)
  const early = minute(now - 200, { waiting: 40, active: 2, ended: 70, failed: 7 })
  await writeMinutes(redis, journal.keys, [early])
  for (const stage of [2, 2, 3]) await enqueue(before.url, { stage })
  await history.keep()
  startWorker(t, env)
  await eventually('all have ended', async () => {
    const { queue } = await before.app.stagecast.fleet.read()
    return queue.waiting + queue.active === 0
  })
  before.app.stagecast.fleet.expire()
  await history.keep()
  await before.app.close()

  const { url } = closeQuickly(t, await startApi(t, env))
  const admin = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }
  const read = (hours: string) => get<Read>(`${url}/api/admin/history${hours}`, 'root', admin)
  const six = await read('')
  t.equal(six.step_ms, 300_000)
  t.equal(six.points.length, 72)
  t.match(
    six.points.find(({ at }) => at <= (now - 200) * 60_000 && at > (now - 205) * 60_000),
    { waiting: 40, active: 2, ended: 70, failed: 7 },
  )
  const hour = await read('?hours=1')
  t.equal(hour.points.length, 60)
  t.equal(
    Math.max(...hour.points.map(({ waiting }) => waiting ?? 0)),
    3,
    'the jobs waited while no process observed them',
  )
  const sum = (name: 'ended' | 'failed') => hour.points.reduce((all, point) => all + (point[name] ?? 0), 0)
  t.equal(sum('ended'), 3)
  t.equal(sum('failed'), 1)
  t.equal(hour.points[0]?.waiting, null, 'no process observed that minute')
  t.equal((await read('?hours=24')).points.length, 96)
  t.match(await read('?hours=25'), { status: 400, code: 'VALIDATION_FAILED' })
  const others = await fetch(`${url}/api/admin/history`, { headers: { authorization: `Bearer ${token()}` } })
  t.equal(others.status, 403)
})

t.test('without Redis the history is a 503', async (t) => {
  const redis = await privateRedis(t)
  const api = closeQuickly(t, await startApi(t, await testEnv(t, { REDIS_URL: redis.url })))
  await redis.stop()
  const headers = { authorization: `Bearer ${token('root', { scope: 'admin' })}` }
  isProblem(t, await answered(fetch(`${api.url}/api/admin/history`, { headers })), 'QUEUE_UNAVAILABLE')
})

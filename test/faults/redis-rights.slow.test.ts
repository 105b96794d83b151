/** Redis refuses: permissions missing from the start, permissions revoked later, a full disk, a missing database. */
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { redisMisfit } from '../../journal/redis.ts'
import { authorization, enqueue, get, startDoor, testEnv } from '../helpers/app.ts'
import { assertWhole, finished, watch } from '../helpers/jobs.ts'
import { adminOf, becomesReady } from '../helpers/outage.ts'
import { end, logLine, runNode } from '../helpers/processes.ts'
import { privateRedis } from '../helpers/redis.ts'
import { fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

/** The permissions in docs/deployment.md, for the prefix `bull`. */
const RIGHTS =
  'resetkeys ~bull:* resetchannels &bull:* -@all +@read +@write +@stream +@pubsub +@scripting +@transaction +@connection +@blocking -@dangerous +info +time +cluster|slots +cluster|keyslot'.split(
    ' ',
  )

async function setUp(t: Test, rights: string[] = RIGHTS) {
  const redis = await privateRedis(t)
  const admin = adminOf(t, redis)
  // `default` is the user of connections that name none.
  const restrict = (...rules: string[]) => admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', ...rules)
  await restrict(...rights)
  await admin.config('SET', 'port', '0')
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  await admin.config('SET', 'port', String(port))
  const url = `redis://app:secret@127.0.0.1:${port}`
  return { redis, admin, restrict, url, port }
}

t.test('the permissions in the docs are enough for a job from start to end', async (t) => {
  const { url, admin } = await setUp(t)
  t.equal(await redisMisfit({ url }, 'bull'), null)
  const service = await fakeStageService(t, succeed())
  const env = await testEnv(t, { REDIS_URL: url, REDIS_PREFIX: 'bull', WORKER_URL: service.url })
  const api = await startDoor(t, 'server/api.ts', env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  const job = await enqueue(api.url)
  t.match(await finished(api.url, job), { status: 'completed' })
  assertWhole(t, await (await watch(api.url, job)).rest())
  service.answer = silence
  const long = await enqueue(api.url)
  await service.call(1)
  const cancelled = await fetch(api.url + long.urls.cancel, { method: 'POST', headers: authorization() })
  t.equal(cancelled.status, 202)
  t.match(await finished(api.url, long), { status: 'cancelled' })
  for (const door of [api, worker]) {
    t.equal((await fetch(`${door.url}/health/ready`)).status, 200)
    t.equal((await end(door)).exit, 0)
    t.notMatch(door.logs.join('\n'), /NOPERM/)
  }
  const refused = (await admin.call('ACL', 'LOG')) as unknown[]
  t.same(refused, [], 'Redis refused nothing')
})

t.test('a permanent refusal ends the start with one clear line', async (t) => {
  const { url, port, restrict } = await setUp(t)
  const env = await testEnv(t, { REDIS_URL: url, REDIS_PREFIX: 'bull' })
  const cases: [string[], string, RegExp][] = [
    [['-info'], url, /may not run a command that is needed \(NOPERM.*info/],
    [['-eval', '-evalsha'], url, /NOPERM.*eval/],
    [['-xadd', '-hset'], url, /its user may not run HSET, XADD \(/],
    [['-bzpopmin'], url, /NOPERM.*bzpopmin/],
    [['resetchannels'], url, /NOPERM.*channels|PUBLISH to bull/],
    [['resetkeys', '~other:*'], url, /may not|NOPERM/],
    [[], `redis://app:wrong@127.0.0.1:${port}`, /does not accept the user or password/],
    [[], `${url}/16`, /it has no database 16/],
  ]
  for (const [rules, REDIS_URL, message] of cases) {
    await restrict('reset', 'on', '>secret', ...RIGHTS, ...rules)
    const fault = await redisMisfit({ url: REDIS_URL }, 'bull')
    t.match(fault, message)
    t.match(fault, /^REDIS_URL names a Redis that cannot be used: /)
    t.notMatch(fault, 'wrong')
  }
  await restrict('reset', 'on', '>secret', ...RIGHTS, '-info')
  for (const file of ['server/api.ts', 'server/worker.ts']) {
    const ended = await runNode(t, ['--import=tsx', file], env)
    t.equal(ended.exit, 1)
    t.match(ended.output.trim(), /^The configuration cannot be used:\n {2}REDIS_URL names [^\n]*$/, file)
  }
})

t.test(
  'revoked permissions make both not ready; neither retries in a tight loop, and both exit in time',
  async (t) => {
    const { url, admin, restrict } = await setUp(t)
    const service = await fakeStageService(t, succeed())
    const env = await testEnv(t, { REDIS_URL: url, REDIS_PREFIX: 'bull', WORKER_URL: service.url })
    const api = await startDoor(t, 'server/api.ts', env)
    const worker = await startDoor(t, 'server/worker.ts', env)
    await becomesReady(api.url)
    await becomesReady(worker.url)
    for (const rules of [['-@scripting'], ['-@write'], ['resetkeys', '~other:*'], ['resetchannels']]) {
      await restrict('reset', 'on', '>secret', ...RIGHTS, ...rules)
      for (const { url } of [api, worker])
        t.equal((await fetch(`${url}/health/ready`)).status, 503, `${rules}`)
      if (rules[0] !== 'resetchannels') {
        const before = await rejectedCalls(admin)
        await new Promise((resolve) => setTimeout(resolve, 3000))
        const refused = (await rejectedCalls(admin)) - before
        t.ok(refused < 100, `${refused} refused commands in 3 s under ${rules}`)
      }
    }
    t.equal((await end(worker)).exit, 0)
    await restrict('reset', 'on', '>secret', ...RIGHTS)
    await becomesReady(api.url)
    const again = await startDoor(t, 'server/worker.ts', env)
    t.match(await finished(api.url, await enqueue(api.url)), { status: 'completed' })
    await restrict('reset', 'on', '>secret', ...RIGHTS, '-@scripting')
    again.child.kill('SIGTERM')
    t.equal((await end(again)).exit !== null, true, 'a second signal ends it')
    t.equal((await end(api)).exit, 0)
  },
)

t.test('while Redis refuses writes, API and worker are not ready', async (t) => {
  const { url, admin } = await setUp(t)
  const env = await testEnv(t, { REDIS_URL: url, REDIS_PREFIX: 'bull' })
  const api = await startDoor(t, 'server/api.ts', env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  await becomesReady(worker.url)
  await admin.config('SET', 'maxmemory', '1')
  for (const door of [api, worker]) t.equal((await fetch(`${door.url}/health/ready`)).status, 503, 'OOM')
  t.match(await logLine(worker, 'OOM'), /not ready/)
  await admin.config('SET', 'maxmemory', '0')
  for (const door of [api, worker]) await becomesReady(door.url)
  const refused = await get<{ code: string }>(`${api.url}/health/ready`)
  t.match(refused, { status: 'ready' })
})

t.test('a connection never falls back to database 0 when its database disappears', async (t) => {
  const { admin, port } = await setUp(t)
  const env = await testEnv(t, { REDIS_URL: `redis://127.0.0.1:${port}/3`, REDIS_PREFIX: 'bull' })
  const api = await startDoor(t, 'server/api.ts', env)
  const worker = await startDoor(t, 'server/worker.ts', env)
  await becomesReady(worker.url)
  await becomesReady(api.url)
  // A Redis that restarts with fewer databases would refuse SELECT in the same way.
  await admin.call('ACL', 'SETUSER', 'default', '-select')
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  for (const door of [api, worker]) {
    await logLine(door, 'select')
    t.equal((await fetch(`${door.url}/health/ready`)).status, 503)
  }
  const zero = new Redis({ port, username: 'app', password: 'secret' })
  t.teardown(() => zero.disconnect())
  t.same(await zero.keys('*').catch(() => []), [], 'nothing was written to database 0')
})

/** Commands that Redis has refused so far. */
async function rejectedCalls(admin: Redis): Promise<number> {
  const stats = await admin.info('errorstats')
  return [...stats.matchAll(/errorstat_\w+:count=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
}

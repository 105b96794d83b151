/** Jobs on a Redis Cluster: any node leads to it, and connections follow when the primary changes. */
import t from 'tap'
import { findNode, placeOf } from '../../journal/redis-cluster.ts'
import { enqueue, startApi, startDoor, startWorker, testEnv } from '../helpers/app.ts'
import { assertWhole, brief, cancel, finished, SMOOTH, status, statusWhen, watch } from '../helpers/jobs.ts'
import { becomesReady, crash } from '../helpers/outage.ts'
import { program, ROOT, runNode } from '../helpers/processes.ts'
import { type ClusterNode, startCluster } from '../helpers/redis-cluster.ts'
import { fakeStageService, silence, succeed } from '../helpers/stage-service.ts'

t.test('three nodes', async (t) => {
  const cluster = await startCluster(t)
  const service = await fakeStageService(t, succeed({ artifacts: ['a.json'] }))
  const prefix = '{wf}'
  const owner = await cluster.ownerOf(prefix)
  const stranger = cluster.nodes.find((node) => node !== owner) as typeof owner
  const clusterEnv = (REDIS_URL: string) =>
    testEnv(t, { WORKER_URL: service.url, REDIS_URL, REDIS_PREFIX: prefix, RATE_LIMIT_PER_MINUTE: '600' })

  t.test('a list of nodes: a job from start to end', async (t) => {
    const env = await clusterEnv(cluster.nodes.map(({ url }) => url).join(','))
    const { url } = await startApi(t, env)
    startWorker(t, env)
    await becomesReady(url)
    const job = await enqueue(url)
    const frames = await (await watch(url, job)).rest()
    assertWhole(t, frames)
    t.same(brief(frames), SMOOTH)
    t.match(await status(url, job), { status: 'completed', result: { artifacts: ['a.json'] } })
    service.answer = silence
    const other = await enqueue(url)
    await statusWhen(url, other, ({ progress }) => progress === 20)
    t.equal((await cancel(url, other))[0], 202)
    t.match(await finished(url, other), { status: 'cancelled' }, 'pub/sub reaches the worker')
    service.answer = succeed()
    t.ok(Number(await owner.admin.dbsize()) > 0)
    t.equal(Number(await stranger.admin.dbsize()), 0, 'all keys are on one node')
  })

  t.test('one address, of a node that does not own the queue', async (t) => {
    const env = await clusterEnv(stranger.url)
    const [api] = await Promise.all([
      startDoor(t, 'server/api.ts', env),
      startDoor(t, 'server/worker.ts', env),
    ])
    await becomesReady(api.url)
    const frames = await (await watch(api.url, await enqueue(api.url))).rest()
    t.same(brief(frames), SMOOTH)
  })

  t.test('a prefix without a hash tag stops the start', async (t) => {
    const env = await clusterEnv(stranger.url)
    for (const file of ['server/api.ts', 'server/worker.ts']) {
      const { exit, output } = await runNode(t, [program(file)], { ...env, REDIS_PREFIX: 'bull' }, ROOT)
      t.equal(exit, 1)
      t.match(output, /^ {2}REDIS_PREFIX must contain a hash tag/m)
    }
  })

  t.test('a missing node is skipped', async (t) => {
    const place = placeOf(['redis://127.0.0.1:9', stranger.url], prefix)
    t.equal((await findNode(place, {})).port, owner.port)
    t.equal(place.single, false)
  })
})

t.test('the primary dies and its replica takes over', async (t) => {
  const cluster = await startCluster(t, 3, 1)
  const [primary] = cluster.nodes as [ClusterNode]
  const service = await fakeStageService(t, silence)
  const env = await testEnv(t, {
    WORKER_URL: service.url,
    // Configure only the node that will die: it names the others.
    REDIS_URL: primary.url,
    REDIS_PREFIX: await cluster.prefixOn(primary),
    WORKER_LOCK_MS: '30000',
  })
  const { url } = await startApi(t, env)
  startWorker(t, env)
  await becomesReady(url)
  const job = await enqueue(url)
  const call = await service.call(0)
  await statusWhen(url, job, ({ progress }) => progress === 20)
  const stream = await watch(url, job)
  await primary.admin.call('WAIT', 1, 5000)
  await crash(primary.admin)
  service.answer = succeed()
  await succeed()(call)
  t.match(await finishedThrough(url, job), { status: 'completed', attempt: 1 })
  const frames = await stream.rest()
  assertWhole(t, frames)
  t.same(brief(frames), SMOOTH)
  t.match(await finished(url, await enqueue(url)), { status: 'completed' })
  t.equal(service.calls.length, 2)
})

/** Like `finished`, while the API has no Redis for some time. */
async function finishedThrough(url: string, job: Parameters<typeof status>[1]) {
  await becomesReady(url)
  return finished(url, job)
}

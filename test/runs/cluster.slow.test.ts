/** Runs on a Redis Cluster: completed, signed off, cancelled, and while processes and nodes are killed. */
import t from 'tap'
import { startDoor, startWorker } from '../helpers/app.ts'
import { crashOwner, LOSSLESS, switchOver } from '../helpers/cluster-faults.ts'
import { becomesReady } from '../helpers/outage.ts'
import { type ClusterNode, startCluster, type TestCluster } from '../helpers/redis-cluster.ts'
import { openStream } from '../helpers/sse.ts'
import { silence } from '../helpers/stage-service.ts'
import { arm, begin, DIE_AFTER, open, persistently, signOff } from './killing.ts'
import { MANY, RUNS, underRandomKills } from './random-kills.ts'
import { Runs, statuses } from './scene.ts'

/** The test takes many minutes on a busy machine. */
t.setTimeout(3_600_000)

t.test('three nodes', async (t) => {
  const cluster = await startCluster(t)
  const REDIS_PREFIX = '{wf}'
  const { env, work, service, audit } = await open(t, { REDIS_URL: urlOf(cluster), REDIS_PREFIX })
  const api = await startDoor(t, 'server/api.ts', env)
  await becomesReady(api.url)
  const doomed = await startDoor(t, 'server/worker.ts', env, { preload: DIE_AFTER })
  const origin = () => api.url

  t.test('five steps with a gate, watched from the first event to the last', async (t) => {
    const runs = new Runs(origin)
    const { run_id, urls } = await begin(runs, 'whole', [1, 2, 3, 4, 5])
    const stream = await openStream(`${api.url}${urls.events}`)
    await signOff(runs, await runs.until(run_id, 'waiting'))
    const done = await runs.until(run_id, 'completed')
    t.same(await audit(runs, done), [])
    const told = await runs.told()
    const seen: (string | undefined)[] = []
    for await (const { id } of stream) {
      if (id) seen.push(id)
      if (id === told.at(-1)?.id) break
    }
    t.same(
      seen,
      told.map(({ id }) => id),
    )
    const again = await begin(runs, 'again', [1, 2, 3, 4, 5])
    t.equal(again.status, 'completed')
    t.ok(again.steps.every(({ status }) => status === 'reused'))
  })

  t.test('rejected, cancelled at the gate, and cancelled while a step runs', async (t) => {
    const rejected = new Runs(origin)
    const waiting = await rejected.until((await begin(rejected, 'no', [1, 2, 3, 4])).run_id, 'waiting')
    t.equal((await rejected.sign(waiting, 3, 'rejected', { reason: 'too thin' })).status, 200)
    const ended = await rejected.until(waiting.run_id, 'rejected')
    t.same(statuses(ended), ['1 completed', '2 completed', '3 rejected', '4 skipped'])

    const gate = new Runs(origin)
    const atGate = await gate.until((await begin(gate, 'gate', [1, 2, 3, 4])).run_id, 'waiting')
    t.match(await gate.send(`/runs/${atGate.run_id}/cancel`), { status: 200, body: { status: 'cancelled' } })

    const running = new Runs(origin)
    const calls = service.calls.length
    service.answer = silence
    const { run_id } = await begin(running, 'running', [1])
    const { hungUp } = await service.call(calls)
    // The worker may be faster than the response.
    t.match(await running.send(`/runs/${run_id}/cancel`), { status: /^20[02]$/ })
    await hungUp
    const cancelled = await running.until(run_id, 'cancelled')
    service.answer = work.answer
    t.same(statuses(cancelled), ['1 cancelled'])
  })

  t.test('a worker is killed while it advances a run', async (t) => {
    const runs = new Runs(origin)
    await arm(doomed, { dieAfter: 3, from: ':memory:' })
    const { run_id } = await begin(runs, 'killed', [1, 2, 3, 4, 5])
    t.equal(await doomed.exited, 'SIGKILL')
    startWorker(t, env)
    await signOff(runs, await runs.until(run_id, 'waiting'))
    const done = await runs.until(run_id, 'completed')
    t.same(await persistently(() => audit(runs, done)), [])
  })
})

/** The node that owns all keys is alternately killed and restarted, and failed over to its replica. */
t.test(`${RUNS} runs while processes and nodes are killed`, async (t) => {
  const cluster = await startCluster(t, 3, 1, LOSSLESS)
  const [first, , , replica] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode, ClusterNode]
  const REDIS_PREFIX = await cluster.prefixOn(first)
  let turn = 0
  await underRandomKills(t, await open(t, { REDIS_URL: urlOf(cluster), REDIS_PREFIX, ...MANY }), async () => {
    if (turn++ % 2 === 0) {
      await crashOwner(cluster, REDIS_PREFIX)
      return 'owner killed'
    }
    const owner = await cluster.ownerOf(REDIS_PREFIX)
    await switchOver(cluster, REDIS_PREFIX, owner === first ? replica : first)
    return 'replica took over'
  })
})

function urlOf({ nodes }: TestCluster): string {
  return nodes.map(({ url }) => url).join(',')
}

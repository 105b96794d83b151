/** Faults of Redis. */
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../helpers/waiting.ts'
import type { FaultCase } from './case.ts'
import { FaultProxy } from './proxy.ts'
import { CaseRedis } from './redis.ts'
import type { Scene } from './scene.ts'
import { work } from './service.ts'

const cases: FaultCase[] = [
  {
    name: 'Redis away at the start',
    promise: 'processes stay up, answer 503, and recover without a restart when it appears',
    scene: { redisAway: true },
    async run(scene) {
      const { status } = await fetch(`${scene.api.url}/health/live`)
      const { status: unready } = await fetch(`${scene.api.url}/health/ready`)
      if (status !== 200 || unready !== 503) throw new Error(`live ${status}, ready ${unready}`)
      const ordering = scene.watchedOrders(5)
      await scene.redis.start()
      await scene.ready()
      await ordering
      await scene.settled()
      return 'live 200, ready 503; 5 jobs requested meanwhile completed'
    },
  },
  {
    name: 'Redis killed and restarted from its append-only file',
    promise: 'no accepted job and no event is lost; running jobs continue',
    quick: true,
    async run(scene) {
      // With a flush every second, Redis may hold back writes while the disk is slow, and a crash loses them.
      await scene.redis.admin().config('SET', 'appendfsync', 'always')
      const orders = await duringWork(scene, async () => {
        await scene.redis.crash()
        await scene.redis.start()
      })
      return `${orders} jobs over the crash, ${again(scene)} called again`
    },
  },
  {
    name: 'Redis frozen for 5 s',
    promise: 'requests get 503 quickly; everything continues when it thaws',
    async run(scene) {
      let slowest = 0
      const orders = await duringWork(scene, async () => {
        const thaw = await scene.redis.freeze()
        const until = performance.now() + 5000
        while (performance.now() < until) {
          const from = performance.now()
          const { status } = await fetch(`${scene.api.url}/health/ready`)
          slowest = Math.max(slowest, performance.now() - from)
          if (status !== 503) throw new Error(`ready ${status}`)
        }
        thaw()
      })
      return `${orders} jobs over it; the slowest 503 came after ${Math.round(slowest)} ms`
    },
  },
  {
    name: 'Redis away for 25 s',
    promise: 'running jobs are not lost; they continue or are taken over',
    async run(scene) {
      const orders = await duringWork(scene, async () => {
        await scene.redis.stop()
        await delay(25_000)
        await scene.redis.start()
      })
      return `${orders} jobs over it, ${again(scene)} called again`
    },
  },
  {
    name: 'Redis restarted empty',
    promise: 'clients that watch get `gone`; processes continue with new jobs; the data in Redis is lost',
    forgiven: { losses: true },
    async run(scene) {
      scene.service.behaviour = work(20, 100)
      const orders = await scene.watchedOrders(4, 2, { patience: () => Number.POSITIVE_INFINITY })
      await Promise.all(orders.map((order) => scene.called(order)))
      await scene.redis.restartEmpty()
      const watchers = scene.ledger.watching.map(({ client }) => client)
      await eventually('every client is told', () =>
        watchers.every(({ oddities, refusals }) => oddities.includes('gone') || refusals.includes(404)),
      )
      await scene.stopWatching()
      await scene.ready()
      scene.service.behaviour = work()
      const later = await scene.orders(4)
      for (const order of later) await finished(scene, order)
      return `8 clients got it; 4 new jobs completed`
    },
  },
  {
    name: 'Redis out of memory',
    promise: 'new jobs get 503; running ones finish and are reported',
    async run(scene) {
      const admin = scene.redis.admin()
      scene.service.behaviour = work(10, 100)
      const orders = await scene.watchedOrders(5)
      await Promise.all(orders.map((order) => scene.called(order)))
      await admin.config('SET', 'maxmemory', '1')
      const refused = await fetch(`${scene.api.url}/health/ready`)
      await scene.settled()
      await admin.config('SET', 'maxmemory', '0')
      await scene.ready()
      await scene.watchedOrders(3)
      return `5 jobs finished while full, ready ${refused.status}; 3 more afterwards`
    },
  },
  {
    name: 'Redis read-only',
    promise: 'the same as unavailable: 503, and everything continues when it accepts writes again',
    async run(scene) {
      const admin = scene.redis.admin()
      const orders = await duringWork(scene, async () => {
        await admin.call('REPLICAOF', '127.0.0.1', '1')
        await delay(4000)
        await admin.call('REPLICAOF', 'NO', 'ONE')
      })
      return `${orders} jobs over 4 s without writes, ${again(scene)} called again`
    },
  },
  {
    name: 'Redis replaced by a promoted replica',
    promise: 'the address leads to another server: connections break and reconnect; nothing is missed',
    quick: true,
    async run(scene) {
      const owner = scene.owner
      const replica = await (await CaseRedis.create(owner)).start()
      const feed = await FaultProxy.open(owner, scene.redis.path)
      await replica.replicate(feed.port)
      const orders = await duringWork(scene, () =>
        replica.takeOver(scene.redis, () => {
          for (const proxy of [scene.apiRedis, scene.workerRedis]) {
            proxy.target = replica.path
            proxy.reset()
          }
        }),
      )
      return `${orders} jobs over the switch, ${again(scene)} called again`
    },
  },
]

export const redisCases = cases.map((one): FaultCase => ({ ...one, ownRedis: true }))

/** Ten jobs running when `damage` is done, five requested meanwhile, five afterwards. */
async function duringWork(scene: Scene, damage: () => Promise<unknown>): Promise<number> {
  scene.service.behaviour = work(20, 100)
  const orders = await scene.watchedOrders(10)
  await Promise.all(orders.slice(0, 5).map((order) => scene.called(order)))
  const meanwhile = scene.watchedOrders(5)
  await damage()
  await scene.ready(30_000)
  await meanwhile
  scene.service.behaviour = work()
  await scene.watchedOrders(5)
  await scene.settled()
  return scene.ledger.orders.length
}

function again({ service }: Scene): number {
  return service.calls.filter(({ nth }) => nth > 1).length
}

async function finished(scene: Scene, order: Parameters<Scene['watch']>[0]): Promise<void> {
  await eventually(
    'the job is done',
    () => scene.service.effects.some((effect) => effect.order === order.name),
    20_000,
  )
}

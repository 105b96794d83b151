/** Cases with several kinds of fault at once. Their size depends on the scale. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Door } from '../../helpers/app.ts'
import type { FaultCase } from './case.ts'
import { pick, type Scene } from './scene.ts'
import { work } from './service.ts'

const KILL_EVERY_MS = 2000
const CROWDED = { STAGE_WORKER_CONCURRENCY: '10', STAGE_JOB_ATTEMPTS: '50', LOG_LEVEL: 'info' }

export const largeCases: FaultCase[] = [
  {
    name: 'chaos: 1,000 jobs while processes are killed',
    promise:
      'every 2 s one of 2 API and 3 worker processes is killed and restarted, except the last one of its kind; 300 clients come and go: no loss, no repeats',
    quick: true,
    scene: { apis: 2, workers: 3, env: CROWDED },
    run: chaos,
  },
  {
    name: 'Redis Cluster: chaos',
    ownRedis: true,
    promise: 'the same on three nodes',
    scene: { apis: 2, workers: 3, cluster: true, env: CROWDED },
    run: (scene, scale) => chaos(scene, scale / 2),
  },
]

async function chaos(scene: Scene, scale: number): Promise<string> {
  const jobs = Math.ceil(1000 * scale)
  const watched = Math.ceil(100 * scale)
  scene.service.behaviour = work(10, 150)
  const replacing: Promise<unknown>[] = []
  const dead = new Set<Door>()
  let over = false
  const killing = (async () => {
    while (!over && !scene.signal.aborted) {
      await delay(KILL_EVERY_MS)
      // If processes start slowly, do not kill the last one of its kind.
      const kinds = [scene.apis, scene.workers].map((doors) => doors.filter((door) => !dead.has(door)))
      const victims = kinds.filter(({ length }) => length > 1).flat()
      if (over || scene.signal.aborted || victims.length === 0) continue
      const victim = pick(victims)
      dead.add(victim)
      await scene.kill(victim)
      const next = scene.replace(victim)
      // The case is already over.
      next.catch(() => {})
      replacing.push(next)
    }
  })()
  const startedAt = performance.now()
  let placed = 0
  const client = async () => {
    while (placed < jobs) {
      const nth = placed++
      if (nth % Math.ceil(jobs / 10) === 0) scene.report(`${nth} jobs, ${dead.size} kills`)
      const order = await scene.order()
      // Spread the clients over the whole time.
      scene.watch(order, nth % Math.ceil(jobs / watched) === 0 ? 3 : 0)
    }
  }
  await Promise.all(Array.from({ length: 20 }, client))
  await allDone(scene)
  over = true
  await killing
  await Promise.all(replacing)
  await scene.settled()
  const again = scene.service.calls.filter(({ nth }) => nth > 1).length
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  const clients = scene.ledger.watching.length
  return `${jobs} jobs, ${clients} clients, ${dead.size} kills in ${seconds} s; ${again} calls repeated`
}

/** Waits until the work of every order is done and a worker has reported it. */
async function allDone({ service, ledger, signal }: Scene): Promise<void> {
  while (!signal.aborted && new Set(service.effects.map(({ order }) => order)).size < ledger.orders.length)
    await delay(100)
}

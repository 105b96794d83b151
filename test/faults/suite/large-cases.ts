/** Everything at once, and everything for long. Their size goes with the scale. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Door } from '../../helpers/app.ts'
import type { FaultCase } from './case.ts'
import { pick, type Scene } from './scene.ts'
import { work } from './service.ts'

const KILL_EVERY_MS = 2000
const AUDIT_EVERY_MS = 10_000
const CROWDED = { STAGE_WORKER_CONCURRENCY: '10', STAGE_JOB_ATTEMPTS: '50', LOG_LEVEL: 'info' }

export const largeCases: FaultCase[] = [
  {
    name: 'chaos: 1,000 jobs while processes are killed',
    promise:
      'every 2 s one of 2 API and 3 worker processes is killed and started anew; 300 clients come and go: all exact',
    quick: true,
    withinS: 600,
    scene: { apis: 2, workers: 3, env: CROWDED },
    run: chaos,
  },
  {
    name: 'Redis Cluster: chaos',
    ownRedis: true,
    promise: 'the same on three nodes',
    withinS: 600,
    scene: { apis: 2, workers: 3, cluster: true, env: CROWDED },
    run: (scene, scale) => chaos(scene, scale / 2),
  },
  {
    name: 'soak of 10 minutes',
    ownRedis: true,
    promise: 'heap, handles and memory of Redis stay flat under steady load',
    withinS: 900,
    // Results live for 60 s, so that Redis reaches its level.
    scene: {
      env: {
        RESULT_TTL_SECONDS: '60',
        STAGE_KEEP_COMPLETED: '20',
        STAGE_WORKER_CONCURRENCY: '20',
        LOG_LEVEL: 'info',
      },
    },
    run: soak,
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
      // Where processes take long to start, the last one of its kind is spared.
      const kinds = [scene.apis, scene.workers].map((doors) => doors.filter((door) => !dead.has(door)))
      const victims = kinds.filter(({ length }) => length > 1).flat()
      if (over || scene.signal.aborted || victims.length === 0) continue
      const victim = pick(victims)
      dead.add(victim)
      await scene.kill(victim)
      const next = scene.replace(victim)
      // A case that is over has no use for it.
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
      // Clients are spread over the whole time.
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

/** Waits until the work of every order is done, and told by a worker. */
async function allDone({ service, ledger, signal }: Scene): Promise<void> {
  while (!signal.aborted && new Set(service.effects.map(({ order }) => order)).size < ledger.orders.length)
    await delay(100)
}

interface Sample {
  heap: number[]
  handles: number[]
  redis: number
}

async function soak(scene: Scene, scale: number): Promise<string> {
  const totalMs = 600_000 * scale
  scene.service.behaviour = work(4, 20)
  const admin = scene.redis.admin()
  const doors = [scene.api, scene.worker]
  const samples: Sample[] = []
  let nextAudit = 0
  const startedAt = performance.now()
  let nextSample = Math.min(90_000, totalMs / 3)
  while (!scene.signal.aborted && performance.now() - startedAt < totalMs) {
    await scene.watchedOrder(2)
    // What has ended is checked while it can be read, and forgotten.
    if (performance.now() > nextAudit) {
      await scene.audit()
      nextAudit = performance.now() + AUDIT_EVERY_MS
    }
    if (performance.now() - startedAt > nextSample) {
      samples.push(await sample())
      scene.report(`${Math.round((performance.now() - startedAt) / 1000)} s`)
      nextSample += totalMs / 10
    }
    await delay(20)
  }
  await scene.audit()
  samples.push(await sample())
  const [early, late] = [samples[0] as Sample, samples.at(-1) as Sample]
  const mega = (bytes = 0) => Math.round(bytes / 1e5) / 10
  const told = `heap ${early.heap.map(mega)} -> ${late.heap.map(mega)} MB, handles ${early.handles} -> ${late.handles}, Redis ${mega(early.redis)} -> ${mega(late.redis)} MB`
  for (const [i, heap] of late.heap.entries())
    if (heap > (early.heap[i] as number) * 1.2 + 5e6) throw new Error(`the heap grows: ${told}`)
  for (const [i, count] of late.handles.entries())
    if (count > (early.handles[i] as number) + 20) throw new Error(`handles grow: ${told}`)
  if (late.redis > early.redis * 1.3 + 2e6) throw new Error(`Redis grows: ${told}`)
  return `${scene.service.effects.length} jobs; ${told}`

  async function sample(): Promise<Sample> {
    const measured = await Promise.all(doors.map(measure))
    const redis = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    return {
      heap: measured.map(({ heapUsed }) => heapUsed),
      handles: measured.map(({ handles }) => handles),
      redis,
    }
  }
}

async function measure({ child }: Door): Promise<{ heapUsed: number; handles: number }> {
  child.send({ measure: true })
  const [answer] = await once(child, 'message')
  return answer as { heapUsed: number; handles: number }
}

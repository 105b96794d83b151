/** Faults of worker processes. */
import { once } from 'node:events'
import { end, logLine } from '../../helpers/processes.ts'
import type { FaultCase } from './case.ts'
import { FILES, leaveFiles } from './scene.ts'
import { answer, type Call, first, held, work } from './service.ts'

export const workerCases: FaultCase[] = [
  {
    name: 'worker killed in the middle of a call',
    promise: 'another worker takes over the job; the lost attempt is reported as lost',
    quick: true,
    scene: { workers: 2 },
    async run(scene) {
      // Two workers run four jobs of a stage each.
      let release = () => {}
      const until = new Promise<void>((resolve) => {
        release = resolve
      })
      scene.service.behaviour = first(1, held(until), work())
      const orders = await scene.watchedOrders(8)
      await Promise.all(orders.map((order) => scene.called(order)))
      const victim = scene.worker
      await scene.kill(victim)
      release()
      await scene.settled()
      const again = scene.service.calls.filter(({ nth }) => nth > 1).length
      if (again !== 4) throw new Error(`${again} jobs were called again`)
      return `8 jobs, ${again} called again with the same key`
    },
  },
  {
    name: "worker killed between the service's answer and completion",
    promise: 'the job is called again with the same key; a service that honours it does nothing twice',
    quick: true,
    async run(scene) {
      await scene.watchedOrder()
      await scene.settled()
      // The next answer arrives while nothing can be stored.
      let answered = Promise.resolve<unknown>(null)
      scene.service.behaviour = (call, service) => {
        if (call.nth > 1) return answer(call, service)
        scene.workerRedis.set('drop')
        answered = once(call.response, 'finish')
        return answer(call, service)
      }
      const next = await scene.watchedOrder(3)
      await scene.called(next)
      await answered
      const victim = scene.worker
      await scene.kill(victim)
      scene.workerRedis.set('pass')
      await scene.replace(victim)
      await scene.called(next, 2)
      await scene.settled()
      return 'called twice with one key, done once'
    },
  },
  {
    name: 'worker frozen beyond its lock and thawed',
    promise: 'its successor runs the job; the thawed worker can change nothing and aborts its call',
    quick: true,
    async run(scene) {
      scene.service.behaviour = first(1, held(), work())
      const orders = await scene.watchedOrders(4)
      const calls = await Promise.all(orders.map((order) => scene.called(order)))
      const zombie = scene.worker
      zombie.child.kill('SIGSTOP')
      await scene.addWorker()
      await Promise.all(orders.map((order) => scene.called(order, 2)))
      zombie.child.kill('SIGCONT')
      await Promise.all(calls.map(hungUp))
      await scene.settled()
      scene.service.behaviour = work()
      const later = await scene.watchedOrders(4)
      await scene.settled()
      return `4 jobs taken over while they ran; ${later.length} more after it`
    },
  },
  {
    name: 'event loop of a worker blocked beyond its lock',
    promise: 'the same as frozen: the jobs are taken over, nothing is done twice',
    async run(scene) {
      scene.service.behaviour = first(1, held(), work())
      const orders = await scene.watchedOrders(4)
      const calls = await Promise.all(orders.map((order) => scene.called(order)))
      scene.worker.child.send({ block: 5000 })
      await scene.addWorker()
      await Promise.all(orders.map((order) => scene.called(order, 2)))
      await Promise.all(calls.map(hungUp))
      await scene.settled()
      return '4 jobs, loop blocked for 5 s, lock of 1.5 s'
    },
  },
  {
    name: 'a job that kills its worker every time',
    promise: 'it fails after its attempts and does not hold up other jobs',
    scene: { env: { STAGE_JOB_ATTEMPTS: '3', STAGE_WORKER_CONCURRENCY: '1' } },
    async run(scene) {
      scene.service.behaviour = async (call, service) => {
        if (!isPoison(call)) return answer(call, service)
        const { worker } = scene
        await scene.kill(worker)
        await scene.replace(worker)
      }
      const poison = await scene.order({ poison: true })
      scene.watch(poison, 3)
      await scene.called(poison)
      await scene.watchedOrders(5)
      await scene.settled()
      const calls = scene.service.calls.filter(isPoison).length
      if (calls !== 3) throw new Error(`called ${calls} times`)
      return `failed after 3 workers; ${scene.service.effects.length} others done`
    },
  },
  {
    name: 'SIGTERM with a short job',
    promise: 'the job finishes, then the process exits with 0',
    async run(scene) {
      scene.service.behaviour = work(5, 100)
      const order = await scene.watchedOrder()
      await scene.called(order)
      const { exit, ms } = await end(scene.worker)
      if (exit !== 0) throw new Error(`exit ${exit}`)
      await scene.settled()
      return `exit 0 after ${Math.round(ms)} ms, one call`
    },
  },
  {
    name: 'SIGTERM with a long job',
    promise: 'the job is handed over within the grace period; no attempt is used up',
    scene: { env: { SHUTDOWN_GRACE_MS: '2000', STAGE_JOB_ATTEMPTS: '1' } },
    async run(scene) {
      scene.service.behaviour = work(60, 100)
      const order = await scene.watchedOrder()
      await scene.called(order)
      const { worker } = scene
      const { exit, ms } = await end(worker)
      if (exit !== 0 || ms > 4000) throw new Error(`exit ${exit} after ${Math.round(ms)} ms`)
      scene.service.behaviour = work()
      await scene.replace(worker)
      await scene.settled()
      return `exit 0 after ${Math.round(ms)} ms; completed by the next worker with its only attempt`
    },
  },
  {
    name: 'SIGTERM twice',
    promise: 'the process exits at once; another worker takes over its job',
    scene: { env: { SHUTDOWN_GRACE_MS: '60000' } },
    async run(scene) {
      scene.service.behaviour = work(60, 100)
      const order = await scene.watchedOrder()
      await scene.called(order)
      const { worker } = scene
      worker.child.kill('SIGTERM')
      await logLine(worker, 'closing')
      const { exit, ms } = await end(worker)
      if (exit !== 1) throw new Error(`exit ${exit}`)
      scene.service.behaviour = work()
      await scene.replace(worker)
      await scene.settled()
      return `exit 1 after ${Math.round(ms)} ms; completed by the next worker`
    },
  },
  {
    name: 'SIGTERM with Redis dead',
    ownRedis: true,
    promise: 'API and worker exit within their grace period; when Redis is back, the job continues',
    scene: { env: { SHUTDOWN_GRACE_MS: '3000' } },
    async run(scene) {
      scene.service.behaviour = work(200, 100)
      const order = await scene.watchedOrder()
      await scene.called(order)
      await scene.redis.crash()
      const doors = [...scene.apis, ...scene.workers]
      const ends = await Promise.all(doors.map((door) => end(door)))
      for (const { exit, ms } of ends)
        if (exit !== 0 || ms > 5000) throw new Error(`exit ${exit} after ${ms} ms`)
      await scene.redis.start()
      scene.service.behaviour = work()
      for (const door of doors) await scene.replace(door)
      await scene.settled()
      return `both exit 0 within ${Math.max(...ends.map(({ ms }) => Math.round(ms)))} ms`
    },
  },
  {
    name: 'file descriptors of a worker used up',
    promise: 'calls that cannot be made are retried later; no job is lost',
    scene: { workers: 0, env: { STAGE_WORKER_CONCURRENCY: '60', STAGE_JOB_ATTEMPTS: '50' } },
    async run(scene) {
      await leaveFiles(await scene.addWorker({}, { openFiles: FILES }), 30)
      scene.service.behaviour = work(5, 100)
      await scene.watchedOrders(60, 1)
      await scene.settled()
      const refused = scene.worker.logs.filter((line) => line.includes('STAGE_UNREACHABLE')).length
      return `60 jobs at a time with 30 files to open: ${refused} calls could not be made, all jobs completed`
    },
  },
]

function isPoison({ body }: Call): boolean {
  return (body.inputs as { poison?: boolean }).poison === true
}

/** Resolves when the caller has disconnected. */
async function hungUp({ response }: Call): Promise<void> {
  if (!response.destroyed) await once(response, 'close')
}

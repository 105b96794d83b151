/** Faults of API processes and of watching clients. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { end } from '../../helpers/processes.ts'
import { eventually } from '../../helpers/waiting.ts'
import type { FaultCase } from './case.ts'
import { FILES, leaveFiles, type Scene } from './scene.ts'
import { tell, work } from './service.ts'

const HOUR = 3_600_000

export const apiCases: FaultCase[] = [
  {
    name: 'SIGTERM of an API process under 500 streams',
    promise:
      'it exits with 0 within its grace period; its clients resume at another process without loss or repeats',
    scene: { apis: 2, env: { STAGE_WORKER_CONCURRENCY: '10' } },
    async run(scene) {
      scene.service.behaviour = work(40, 200)
      const orders = await scene.watchedOrders(10, 50, { patience: () => Number.POSITIVE_INFINITY })
      await Promise.all(orders.map((order) => scene.called(order)))
      const clients = scene.ledger.watching.map(({ client }) => client)
      await eventually('all have begun', () => clients.every(({ events }) => events.length > 0))
      const { exit, ms } = await end(scene.api)
      if (exit !== 0 || ms > 10_000) throw new Error(`exit ${exit} after ${ms} ms`)
      scene.apis.shift()
      await scene.settled()
      return `exit 0 after ${Math.round(ms)} ms; ${clients.filter(({ connections }) => connections > 2).length} of 500 clients reconnected`
    },
  },
  {
    name: 'API process killed while clients watch',
    promise: 'its clients resume at another process without loss or repeats',
    scene: { apis: 2 },
    async run(scene) {
      scene.service.behaviour = work(20, 80)
      const orders = await scene.watchedOrders(5, 10)
      await Promise.all(orders.map((order) => scene.called(order)))
      await scene.kill(scene.api)
      await scene.replace(scene.api)
      await scene.settled()
      return '5 jobs, 50 clients'
    },
  },
  {
    name: 'event loop of an API process blocked for 5 s',
    promise: 'its clients wait and miss nothing',
    async run(scene) {
      scene.service.behaviour = work(20, 80)
      const orders = await scene.watchedOrders(5, 4)
      await Promise.all(orders.map((order) => scene.called(order)))
      scene.api.child.send({ block: 5000 })
      await scene.settled()
      return '5 jobs, 20 clients'
    },
  },
  {
    name: 'clients that read slowly',
    promise: 'each resumes from its cursor when its socket drains; others are not held up',
    async run(scene) {
      scene.service.behaviour = async (call, service) => {
        call.response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        for (let i = 1; i <= 300; i += 1)
          tell(call, { type: 'progress', percent: i / 3, message: 'x'.repeat(400) })
        tell(call, { type: 'result', ...service.perform(call), results: { text: 'x'.repeat(900_000) } })
        call.response.end()
      }
      const orders = await scene.watchedOrders(3, 2)
      for (const order of orders)
        scene.watch(order, 10, { stallMs: 40, patience: () => Number.POSITIVE_INFINITY })
      await scene.settled()
      return '3 jobs of 300 lines and a result of 0.9 MB, 30 clients that stop for 40 ms after each piece'
    },
  },
  {
    name: 'file descriptors of an API process used up',
    promise: 'new connections are not served while connected clients are; all are served once some have left',
    scene: { apis: 0 },
    async run(scene) {
      const api = await scene.addApi({}, { openFiles: FILES })
      await scene.ready()
      await leaveFiles(api, 60)
      scene.service.behaviour = work(30, 80)
      const order = await scene.watchedOrder(1, { patience: () => Number.POSITIVE_INFINITY })
      await scene.called(order)
      const sockets = await crowd(scene, 150)
      await scene.settled()
      for (const socket of sockets) socket.destroy()
      await scene.ready()
      await scene.watchedOrders(3)
      return '150 idle connections with 60 files to open; the stream that was open has missed nothing'
    },
  },
  ...[
    { who: 'a worker an hour ahead', api: 0, workers: [HOUR, 0] },
    { who: 'a worker an hour behind', api: 0, workers: [-HOUR, 0] },
    { who: 'the API an hour ahead', api: HOUR, workers: [0] },
    { who: 'the API an hour behind', api: -HOUR, workers: [0] },
  ].map(
    ({ who, api, workers }): FaultCase => ({
      name: `clocks: ${who}`,
      promise: 'locks, order and exactness hold; only displayed times are wrong',
      scene: { apis: 0, workers: 0 },
      async run(scene) {
        await scene.addApi({ FAULT_CLOCK_MS: String(api) })
        for (const offset of workers) await scene.addWorker({ FAULT_CLOCK_MS: String(offset) })
        await scene.ready()
        scene.service.behaviour = work(10, 100)
        const orders = await scene.watchedOrders(6)
        await Promise.all(orders.map((order) => scene.called(order)))
        const { worker } = scene
        await scene.kill(worker)
        if (workers.length === 1) await scene.replace(worker)
        else scene.workers.shift()
        await scene.settled()
        return '6 jobs, one worker killed in the middle'
      },
    }),
  ),
]

/** Idle connections; each one that the server refuses is tried only once. */
async function crowd({ api }: Scene, size: number): Promise<Socket[]> {
  const { port } = new URL(api.url)
  const sockets = Array.from({ length: size }, () => connect(Number(port), '127.0.0.1').on('error', () => {}))
  await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])))
  return sockets
}

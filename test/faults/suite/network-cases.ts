/** Faults of the connections between the parts. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { authorization } from '../../helpers/app.ts'
import type { FaultCase } from './case.ts'
import type { FaultProxy } from './proxy.ts'
import type { Scene } from './scene.ts'
import { work } from './service.ts'

type Link = 'apiRedis' | 'workerRedis' | 'workerService' | 'clientApi'

const LINKS: Record<Link, string> = {
  apiRedis: 'API and Redis',
  workerRedis: 'worker and Redis',
  workerService: 'worker and stage service',
  clientApi: 'client and API',
}

/** Clients that connect through the proxy and drop silent connections. */
const BY_PROXY = (scene: Scene) => ({
  origins: () => [`http://127.0.0.1:${scene.clientApi.port}`],
  patience: () => Number.POSITIVE_INFINITY,
  silenceMs: 3000,
})

const linkCases: FaultCase[] = (Object.entries(LINKS) as [Link, string][]).flatMap(([link, between]) => [
  {
    name: `half-open connections between ${between}`,
    promise: 'the unaware side detects the silence, reconnects and misses nothing',
    ...(link === 'clientApi' ? { quick: true as const } : {}),
    // STAGE_TIMEOUT_MS is how long a worker waits for a stage service to begin its answer.
    scene: { env: { SSE_HEARTBEAT_MS: '1000', STAGE_TIMEOUT_MS: '8000' } },
    run: (scene) => troubled(scene, scene[link], async (proxy) => proxy.halfOpen()),
  },
  {
    name: `connections reset between ${between}, again and again`,
    promise: 'each reconnects; nothing is missed or done twice',
    ...(link === 'apiRedis' ? { quick: true as const } : {}),
    scene: { env: { SSE_HEARTBEAT_MS: '1000', STAGE_JOB_ATTEMPTS: '50' } },
    run: (scene) =>
      troubled(scene, scene[link], async (proxy) => {
        for (let i = 0; i < 10; i += 1) {
          proxy.reset()
          await delay(150)
        }
      }),
  },
  {
    name: `nothing passes between ${between} for 6 s`,
    promise: 'timeouts detect it; everything continues when data passes again',
    scene: { env: { SSE_HEARTBEAT_MS: '1000', STAGE_JOB_ATTEMPTS: '50' } },
    run: (scene) =>
      troubled(scene, scene[link], async (proxy) => {
        proxy.set('drop')
        await delay(6000)
        proxy.set('pass')
        // The swallowed bytes are missing in the middle, so no connection can continue.
        proxy.reset()
      }),
  },
  {
    name: `200 ms of delay between ${between}`,
    promise: 'slower, but just as exact',
    scene: { env: { SSE_HEARTBEAT_MS: '1000' } },
    run: (scene) =>
      troubled(scene, scene[link], async (proxy) => {
        proxy.delayMs = 200
      }),
  },
])

/** A worker subscribed on a dead connection, and a silent service: only resubscribing reveals the cancel. */
const unheardCancel: FaultCase = {
  name: 'cancelling while the worker listens on a half-open connection',
  promise: 'the worker detects the silence, reconnects and checks what it missed',
  scene: { env: { STAGE_HEARTBEAT_TIMEOUT_MS: '60000' } },
  async run(scene) {
    let hungUp: Promise<unknown> = Promise.resolve()
    scene.service.behaviour = (call) => {
      hungUp = once(call.response, 'close')
    }
    const order = await scene.watchedOrder()
    await scene.called(order)
    scene.workerRedis.halfOpen()
    const from = performance.now()
    await fetch(scene.api.url + order.urls.cancel, { method: 'POST', headers: authorization() })
    await hungUp
    await scene.settled()
    return `aborted and cancelled ${((performance.now() - from) / 1000).toFixed(1)} s after the request`
  },
}

/** Runs eight jobs with clients on both sides of the proxy, and `damage` meanwhile. */
async function troubled(
  scene: Scene,
  proxy: FaultProxy,
  damage: (proxy: FaultProxy) => Promise<void>,
): Promise<string> {
  scene.service.behaviour = work(20, 80)
  const orders = await scene.watchedOrders(4)
  for (const order of orders) scene.watch(order, 2, BY_PROXY(scene))
  await Promise.all(orders.map((order) => scene.called(order)))
  const before = performance.now()
  await damage(proxy)
  await scene.watchedOrders(4)
  await scene.settled()
  const again = scene.service.calls.filter(({ nth }) => nth > 1).length
  return `8 jobs, ${again} called again; all events delivered ${((performance.now() - before) / 1000).toFixed(1)} s after the start`
}

export const networkCases: FaultCase[] = [...linkCases, unheardCancel]

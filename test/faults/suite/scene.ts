/** The setting of a case: Redis, API and worker processes, a stage service, and a proxy on each connection. */
import { randomUUID } from 'node:crypto'
import { once, setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type Door, type DoorOptions, type Env, execute, startDoor, testEnv } from '../../helpers/app.ts'
import type { Owner } from '../../helpers/owner.ts'
import { startCluster, type TestCluster } from '../../helpers/redis-cluster.ts'
import { RestlessClient, type RestlessOptions } from '../../helpers/restless-client.ts'
import { eventually } from '../../helpers/waiting.ts'
import { Ledger, type Order } from './ledger.ts'
import { FaultProxy, type Target } from './proxy.ts'
import { CaseRedis } from './redis.ts'
import { RecordingService, work } from './service.ts'

export interface SceneOptions {
  /** Settings in addition to `QUICK`. */
  env?: Env
  apis?: number
  workers?: number
  /** Start without Redis. */
  redisAway?: boolean
  cluster?: boolean
  /** An existing Redis, plain `redis://`: used under its own prefix and never damaged. */
  redisUrl?: string | undefined
}

/** Settings with which a case takes seconds. With the defaults it would take minutes. */
const QUICK: Env = {
  STAGE_WORKER_CONCURRENCY: '5',
  STAGE_JOB_ATTEMPTS: '5',
  STAGE_JOB_BACKOFF_MS: '100',
  WORKER_LOCK_MS: '1500',
  WORKER_STALLED_CHECK_MS: '300',
  BREAKER_FAILURES: '1000',
  STAGE_HEARTBEAT_TIMEOUT_MS: '3000',
  SSE_MAX_PER_USER: '0',
  TICKET_TTL_SECONDS: '86400',
  LOG_LEVEL: 'info',
}

const INSIDE = new URL('inside.mjs', import.meta.url).href

/** The open-file limit of a process that is to run out of files. */
export const FILES = 512

/** Makes a process open files until it can open only so many more. */
export async function leaveFiles({ child }: Door, spareFiles: number): Promise<void> {
  const answered = once(child, 'message')
  child.send({ spareFiles })
  await answered
}

export class Scene {
  readonly env: Env
  readonly redis: CaseRedis
  readonly cluster: TestCluster | undefined
  readonly service: RecordingService
  readonly ledger: Ledger
  /** Proxies on the connections from API to Redis, worker to Redis, worker to service, and client to API. */
  readonly apiRedis: FaultProxy
  readonly workerRedis: FaultProxy
  readonly workerService: FaultProxy
  readonly clientApi: FaultProxy
  /** Reports the progress of a long case. */
  report: (text: string) => void = () => {}
  apis: Door[] = []
  workers: Door[] = []
  readonly owner: Owner
  private readonly over = new AbortController()
  private readonly following: Promise<unknown>[] = []

  private constructor(
    owner: Owner,
    parts: Pick<
      Scene,
      'env' | 'redis' | 'cluster' | 'service' | 'apiRedis' | 'workerRedis' | 'workerService' | 'clientApi'
    >,
  ) {
    this.owner = owner
    this.env = parts.env
    this.redis = parts.redis
    this.cluster = parts.cluster
    this.service = parts.service
    this.apiRedis = parts.apiRedis
    this.workerRedis = parts.workerRedis
    this.workerService = parts.workerService
    this.clientApi = parts.clientApi
    this.ledger = new Ledger(parts.service)
    setMaxListeners(0, this.over.signal)
  }

  static async open(owner: Owner, options: SceneOptions = {}): Promise<Scene> {
    const { env = {}, apis = 1, workers = 1, redisAway = false } = options
    const service = await RecordingService.open(owner, work())
    const redis = await CaseRedis.create(owner)
    const cluster = options.cluster ? await startCluster(owner) : undefined
    const { redisUrl } = options
    if (!redisAway && !cluster && !redisUrl) await redis.start()
    const target = redisUrl ? addressOf(redisUrl) : redis.path
    const [apiRedis, workerRedis, workerService, clientApi] = await Promise.all([
      FaultProxy.open(owner, target),
      FaultProxy.open(owner, target),
      FaultProxy.open(owner, service.port),
      FaultProxy.open(owner, 0),
    ])
    const full = await testEnv(owner, {
      WORKER_URL: `http://127.0.0.1:${workerService.port}`,
      REDIS_URL: cluster?.nodes.map(({ url }) => url).join(',') ?? redisUrl ?? '',
      ...(cluster && { REDIS_PREFIX: '{wf}' }),
      ...QUICK,
      ...env,
    })
    const parts = { env: full, redis, cluster, service, apiRedis, workerRedis, workerService, clientApi }
    const scene = new Scene(owner, parts)
    owner.teardown(() => scene.over.abort())
    await Promise.all([
      ...Array.from({ length: apis }, () => scene.addApi()),
      ...Array.from({ length: workers }, () => scene.addWorker()),
    ])
    if (!redisAway) await scene.ready()
    return scene
  }

  async addApi(env: Env = {}, options: DoorOptions = {}): Promise<Door> {
    const door = await this.startDoor('server/api.ts', this.apiRedis, env, options)
    this.apis.push(door)
    this.clientApi.target ||= Number(new URL(door.url).port)
    return door
  }

  async addWorker(env: Env = {}, options: DoorOptions = {}): Promise<Door> {
    const door = await this.startDoor('server/worker.ts', this.workerRedis, env, options)
    this.workers.push(door)
    return door
  }

  /** Replaces a process that is gone: an API on the same port, so that its clients find it. */
  async replace(door: Door): Promise<Door> {
    const isApi = this.apis.includes(door)
    const { port: PORT } = new URL(door.url)
    // The port may be in use as the local end of another connection.
    const again = () => this.addApi({ PORT }).catch(() => this.addApi())
    const next = await (isApi ? again() : this.addWorker())
    const list = isApi ? this.apis : this.workers
    list.splice(list.indexOf(door), 1)
    return next
  }

  /** Kills a process and waits until it has ended. */
  async kill(door: Door): Promise<void> {
    door.child.kill('SIGKILL')
    await door.exited
  }

  /** Waits until every process is ready. */
  async ready(withinMs = 120_000): Promise<void> {
    for (const { url } of [...this.apis, ...this.workers])
      await eventually(
        `${url} is ready`,
        () =>
          fetch(`${url}/health/ready`).then(
            ({ status }) => status === 200,
            () => false,
          ),
        withinMs,
      )
  }

  /** Aborted when the case is over. */
  get signal(): AbortSignal {
    return this.over.signal
  }

  get origins(): string[] {
    return this.apis.map(({ url }) => url)
  }

  /** Places an order as a persistent client does: repeats the request under the same key until it gets a 202. */
  async order(inputs: Record<string, unknown> = {}, origins = () => this.origins): Promise<Order> {
    const name = `order-${randomUUID().slice(0, 8)}`
    const headers = { 'idempotency-key': name }
    const body = { workflow_id: randomUUID(), inputs: { ...inputs, order: name } }
    for (;;) {
      const response = await execute(pick(origins()), { stage: 3, headers, body }).catch(() => null)
      if (response?.status === 202) {
        const order = { name, stage: 3, ...((await response.json()) as Pick<Order, 'job_id' | 'urls'>) }
        this.ledger.orders.push(order)
        return order
      }
      if (response && response.status < 500)
        throw new Error(`${name}: ${response.status} ${await response.text()}`)
      await delay(50, null, { signal: this.over.signal })
    }
  }

  async orders(count: number): Promise<Order[]> {
    return Promise.all(Array.from({ length: count }, () => this.order()))
  }

  /** Clients of an order's events. By default each loses its connection from time to time. */
  watch(order: Order, count = 1, options: Partial<RestlessOptions> = {}): RestlessClient[] {
    return Array.from({ length: count }, () => {
      const client = new RestlessClient({
        origins: () => this.origins,
        path: order.urls.events,
        patience: () => (Math.random() < 0.5 ? 1 + Math.floor(Math.random() * 5) : Number.POSITIVE_INFINITY),
        silenceMs: 20_000,
        ...options,
      })
      this.ledger.watching.push({ order, client })
      this.following.push(client.run(this.over.signal))
      return client
    })
  }

  /** Orders with watching clients. */
  async watchedOrders(count: number, clients = 2, options: Partial<RestlessOptions> = {}): Promise<Order[]> {
    const orders = await this.orders(count)
    for (const order of orders) this.watch(order, clients, options)
    return orders
  }

  async watchedOrder(clients = 2, options: Partial<RestlessOptions> = {}): Promise<Order> {
    const order = await this.order()
    this.watch(order, clients, options)
    return order
  }

  /** The first worker process. */
  get worker(): Door {
    return this.workers[0] as Door
  }

  get api(): Door {
    return this.apis[0] as Door
  }

  /** A call of the order at the stage service, the `nth` one. */
  called({ name }: Pick<Order, 'name'>, nth = 1) {
    return this.service.call((call) => call.order === name && call.nth === nth)
  }

  /** Waits until every client has seen its end. */
  async settled(): Promise<void> {
    await Promise.all(this.following)
  }

  /** Checks the orders so far and forgets them. Throws the discrepancies. */
  async audit(): Promise<void> {
    await this.settled()
    const faults = await this.ledger.faults(this.api.url, {})
    if (faults.length > 0) throw new Error(faults.join('; '))
    this.ledger.orders.length = 0
    this.ledger.watching.length = 0
    this.following.length = 0
  }

  /** Stops all clients. */
  async stopWatching(): Promise<void> {
    this.over.abort()
    await this.settled()
  }

  private startDoor(file: string, proxy: FaultProxy, env: Env, options: DoorOptions): Promise<Door> {
    const REDIS_URL = this.cluster ? (this.env.REDIS_URL as string) : through(proxy, this.env.REDIS_URL)
    return startDoor(this.owner, file, { ...this.env, REDIS_URL, ...env }, { preload: INSIDE, ...options })
  }
}

/** The same Redis, database and credentials through the proxy. */
function through({ port }: FaultProxy, url = ''): string {
  const parsed = new URL(url || 'redis://127.0.0.1')
  Object.assign(parsed, { hostname: '127.0.0.1', port: String(port) })
  return parsed.href
}

function addressOf(url: string): Target {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port || 6379) }
}

export function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T
}

/** Starts a Redis Cluster of real servers on this machine for one test. */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findRedis } from '../../dev/find-redis.mjs'
import { type Guarded, spawnGuarded } from '../../dev/redis-guard.ts'
import { freePorts } from './free-port.ts'
import type { Owner } from './owner.ts'
import { eventually } from './waiting.ts'

export interface ClusterNode {
  url: string
  port: number
  /** A connection to this node alone. */
  admin: Redis
  /** Kills the server as if its machine failed. Resolves when it is gone. */
  crash(): Promise<void>
  /** Restarts the server with the data that it has kept. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface TestCluster {
  nodes: ClusterNode[]
  /** The node that owns the slot of `key`. */
  ownerOf(key: string): Promise<ClusterNode>
  /** A prefix whose keys the node owns. */
  prefixOn(node: ClusterNode): Promise<string>
}

type Settings = Record<string, string | number>

const SLOTS = 16_384

/**
 * `primaries` nodes that share the slots, and one replica for each of the first `replicas` of them. `own`: settings that
 * differ from the usual ones.
 */
export async function startCluster(
  t: Owner,
  primaries = 3,
  replicas = 0,
  own: Settings = {},
): Promise<TestCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'cluster-test-'))
  const ports = await freePorts(2 * (primaries + replicas))
  const nodes: ClusterNode[] = []
  t.teardown(async () => {
    for (const { admin } of nodes) admin.disconnect()
    await Promise.all(nodes.map((node) => node.stop()))
    await rm(dir, { recursive: true, force: true })
  })
  for (let i = 0; i < primaries + replicas; i += 1) {
    const [port, busPort] = ports.slice(2 * i) as [number, number]
    nodes.push(await startNode(join(dir, String(i)), { port, 'cluster-port': busPort, ...own }))
  }

  const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]]
  for (let i = 0; i < primaries; i += 1) {
    const from = Math.floor((i * SLOTS) / primaries)
    const to = Math.floor(((i + 1) * SLOTS) / primaries) - 1
    await nodes[i]?.admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
    await nodes[i]?.admin.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
  }
  for (const node of others)
    await node.admin.call('CLUSTER', 'MEET', '127.0.0.1', first.port, ports[1] as number)
  for (const node of nodes)
    await eventually(
      'the nodes know each other',
      async () => (await clusterInfo(node, 'cluster_known_nodes')) === String(nodes.length),
      20_000,
    )
  for (let i = 0; i < replicas; i += 1) {
    const id = (await nodes[i]?.admin.call('CLUSTER', 'MYID')) as string
    const replica = nodes[primaries + i] as ClusterNode
    await replica.admin.call('CLUSTER', 'REPLICATE', id)
    await eventually(
      'the replica has caught up',
      async () => (await replica.admin.info('replication')).includes('master_link_status:up'),
      20_000,
    )
  }
  for (const node of nodes)
    await eventually(
      'the cluster is up',
      async () => (await clusterInfo(node, 'cluster_state')) === 'ok',
      20_000,
    )
  return { nodes, ownerOf, prefixOn }

  async function prefixOn(node: ClusterNode): Promise<string> {
    for (let n = 0; ; n += 1) if ((await ownerOf(`{wf${n}}`)) === node) return `{wf${n}}`
  }

  async function ownerOf(key: string): Promise<ClusterNode> {
    const slot = (await first.admin.call('CLUSTER', 'KEYSLOT', key)) as number
    const ranges = (await first.admin.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const port = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1]
    const owner = nodes.find((one) => one.port === port)
    if (!owner) throw new Error(`nobody owns slot ${slot}`)
    return owner
  }
}

async function startNode(dir: string, own: Settings & { port: number }): Promise<ClusterNode> {
  const program = findRedis(process.env)
  if (!program) throw new Error('redis-server is not installed')
  await mkdir(dir)
  // Some installations have the server under another name: see dev/find-redis.mjs.
  const alias = join(dir, 'redis-server')
  await symlink(program, alias)
  const settings = {
    dir,
    bind: '127.0.0.1',
    'cluster-enabled': 'yes',
    // Short, so that a fail-over is quick enough for a test.
    'cluster-node-timeout': 1500,
    appendonly: 'yes',
    // A primary that ends would wait for its replicas.
    'shutdown-timeout': 0,
    save: '',
    'maxmemory-policy': 'noeviction',
    ...own,
  }
  const command = [
    alias,
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ]
  const spawn = () => spawnGuarded(command, join(dir, 'redis.log'), async () => {})
  let server: Guarded = await spawn()
  const { port } = own
  const admin = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  admin.on('error', () => {})
  await admin.ping()
  return {
    ...{ url: `redis://127.0.0.1:${port}`, port, admin },
    async crash() {
      process.kill(Number(/process_id:(\d+)/.exec(await admin.info('server'))?.[1]), 'SIGKILL')
      await server.exited
    },
    async restart() {
      server = await spawn()
      await admin.ping()
    },
    stop: () => server.stop(),
  }
}

export async function clusterInfo({ admin }: ClusterNode, field: string): Promise<string | undefined> {
  return new RegExp(`${field}:(\\S+)`).exec((await admin.call('CLUSTER', 'INFO')) as string)?.[1]
}

/** The Redis of a case. Proxies are in front of it, and each method causes a fault. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type EmbeddedRedis, startRedis } from '../../../dev/redis.ts'
import type { Owner } from '../../helpers/owner.ts'
import { eventually } from '../../helpers/waiting.ts'

export class CaseRedis {
  /** Path of the socket it listens on. */
  readonly path: string
  private readonly dir: string
  private running: EmbeddedRedis | undefined
  private admins: Redis[] = []

  private constructor(dir: string) {
    this.dir = dir
    this.path = join(dir, 'redis.sock')
  }

  /** Creates a Redis that is not started yet. */
  static async create(owner: Owner): Promise<CaseRedis> {
    const redis = new CaseRedis(await mkdtemp(join(tmpdir(), 'fault-redis-')))
    owner.teardown(async () => {
      for (const admin of redis.admins) admin.disconnect()
      await redis.running?.stop()
      await rm(redis.dir, { recursive: true, force: true })
    })
    return redis
  }

  async start(): Promise<this> {
    this.running = await startRedis({ dir: this.dir })
    return this
  }

  async stop(): Promise<void> {
    await this.running?.stop()
  }

  /** Resolves when the current server has exited, for any reason. */
  get exited(): Promise<unknown> {
    return this.running?.exited ?? Promise.resolve()
  }

  /** Kills it as if its machine failed. Resolves when it is gone. */
  async crash(): Promise<void> {
    process.kill(await this.pid(), 'SIGKILL')
    await this.running?.exited
  }

  /** Replaces it with an empty one; all data is lost. */
  async restartEmpty(): Promise<void> {
    await this.crash()
    for (const name of ['appendonlydir', 'appendonly.aof', 'dump.rdb'])
      await rm(join(this.dir, name), { recursive: true, force: true })
    await this.start()
  }

  /** Freezes it with its connections open; the returned function resumes it. */
  async freeze(): Promise<() => void> {
    const pid = await this.pid()
    process.kill(pid, 'SIGSTOP')
    return () => void process.kill(pid, 'SIGCONT')
  }

  /** A connection that bypasses all proxies. */
  admin(): Redis {
    const admin = new Redis(this.path, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
    admin.on('error', () => {})
    this.admins.push(admin)
    return admin
  }

  /** Replicates `primary`, which listens on `port`, until it is in sync. */
  async replicate(port: number): Promise<void> {
    const admin = this.admin()
    await admin.call('REPLICAOF', '127.0.0.1', port)
    await eventually('the replica has caught up', async () =>
      (await admin.info('replication')).includes('master_link_status:up'),
    )
  }

  /** Takes over from `primary` once it is in sync; calls `switched` in between. */
  async takeOver(primary: CaseRedis, switched: () => void): Promise<void> {
    const [old, mine] = [primary.admin(), this.admin()]
    await old.call('CLIENT', 'PAUSE', 5000, 'WRITE')
    const offset = async (redis: Redis, field: string) =>
      new RegExp(`${field}:(\\d+)`).exec(await redis.info('replication'))?.[1]
    await eventually(
      'the replica has received everything',
      async () => (await offset(old, 'master_repl_offset')) === (await offset(mine, 'slave_repl_offset')),
    )
    await mine.call('REPLICAOF', 'NO', 'ONE')
    switched()
    await primary.crash()
  }

  private async pid(): Promise<number> {
    return Number(/process_id:(\d+)/.exec(await this.admin().info('server'))?.[1])
  }
}

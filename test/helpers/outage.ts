/** Puts Redis through every kind of fault. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { type EmbeddedRedis, startRedis } from '../../dev/redis.ts'

export interface Outage {
  /** Where Redis listens while it runs. */
  url: string
  start(): Promise<void>
  stop(): Promise<void>
}

/** A Redis that is not running yet. It can be started and stopped, and keeps its data. */
export async function absentRedis(t: Test): Promise<Outage> {
  const dir = await mkdtemp(join(tmpdir(), 'outage-test-'))
  let redis: EmbeddedRedis | undefined
  t.teardown(async () => {
    await redis?.stop()
    await rm(dir, { recursive: true, force: true })
  })
  const outage: Outage = {
    url: `unix://${join(dir, 'redis.sock')}`,
    async start() {
      redis = await startRedis({ dir })
      outage.url = redis.url
    },
    stop: async () => redis?.stop(),
  }
  return outage
}

/** Waits until the API is ready. */
export async function becomesReady(url: string, withinMs = 120_000): Promise<void> {
  for (let left = withinMs / 25; (await fetch(`${url}/health/ready`)).status !== 200; left -= 1) {
    if (left === 0) throw new Error('the API does not become ready')
    await delay(25)
  }
}

/** A separate connection, closed with the test. */
export function adminOf(t: Test, { url }: Pick<EmbeddedRedis, 'url'>): Redis {
  const admin = new Redis(url.slice('unix://'.length))
  admin.on('error', () => {})
  t.teardown(() => admin.disconnect())
  return admin
}

/** Freezes the server with its connections open; the returned function resumes it. */
export async function freeze(t: Test, admin: Redis): Promise<() => void> {
  const pid = Number(/process_id:(\d+)/.exec(await admin.info('server'))?.[1])
  process.kill(pid, 'SIGSTOP')
  let frozen = true
  const thaw = () => {
    if (frozen) process.kill(pid, 'SIGCONT')
    frozen = false
  }
  t.teardown(thaw)
  return thaw
}

/** Kills the server, as a failing machine would. */
export async function crash(admin: Redis): Promise<void> {
  const pid = Number(/process_id:(\d+)/.exec(await admin.info('server'))?.[1])
  admin.disconnect()
  process.kill(pid, 'SIGKILL')
}

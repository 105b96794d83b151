/** Redis for tests: the shared one that the runner started, for use under a random prefix, or a private one for faults. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedRedis, startRedis } from '../../dev/redis.ts'
import type { Owner } from './owner.ts'

/** URL of the shared Redis; a file run alone starts one for itself. */
export async function sharedRedis(t: Owner): Promise<string> {
  return process.env.TEST_REDIS_URL || (await privateRedis(t)).url
}

/** A Redis for this test alone, which it may stop, freeze or fill. */
export async function privateRedis(t: Owner): Promise<EmbeddedRedis & { dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'stagecast-test-'))
  const redis = await startRedis({ dir })
  t.teardown(async () => {
    await redis.stop()
    await rm(dir, { recursive: true, force: true })
  })
  return { ...redis, dir }
}

export function randomPrefix(): string {
  return `test-${randomUUID().slice(0, 8)}`
}

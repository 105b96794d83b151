/** Counts of all runs and of waiting sign-offs. The script that changes a run updates them. */
import type { Redis } from 'ioredis'
import { RunStatus } from '../contract/run.ts'
import type { JournalKeys } from '../journal/journal.ts'

export interface RunTally {
  /** Runs by status. Ended runs count even after they have expired. */
  counts: Record<RunStatus, number>
  signOffs: { waiting: number; oldestAt: number | null }
}

export async function readRunTally(redis: Redis, keys: JournalKeys): Promise<RunTally> {
  const waits = keys.own('runs-waiting')
  const [counts, waiting, [, oldest]] = await Promise.all([
    redis.hgetall(keys.own('runs-tally')),
    redis.zcard(waits),
    redis.zrange(waits, '0', '0', 'WITHSCORES'),
  ])
  const all = RunStatus.anyOf.map(({ const: status }) => [status, Number(counts[status] ?? 0)])
  return {
    counts: Object.fromEntries(all),
    signOffs: { waiting, oldestAt: oldest === undefined ? null : Number(oldest) },
  }
}

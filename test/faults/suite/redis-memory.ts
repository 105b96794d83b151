/** Measures the memory of Redis by kind of key, and finds keys that never expire. */
import type { Redis } from 'ioredis'

/** All keys whose names differ only in IDs and digests, split by whether they expire. */
export interface Kind {
  keys: number
  /** As counted by Redis, including names and overhead. */
  bytes: number
  /** The longest remaining time to live, in s; null if they do not expire. */
  ttlS: number | null
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** The name of a key, with a star for each part that differs between jobs, users or requests. */
export function kindOf(key: string): string {
  return key
    .replace(/^.*?:workflow-stages:/, '')
    .replace(UUID, '*')
    .replace(/^(order|asked|queued|jobs):.*/, '$1:*')
}

/** The kinds of all keys in this Redis. */
export async function kindsOfKeys(redis: Redis): Promise<Map<string, Kind>> {
  const kinds = new Map<string, Kind>()
  for await (const { name, bytes, ttlMs } of eachKey(redis)) {
    const kind = kinds.get(kindOf(name)) ?? { keys: 0, bytes: 0, ttlS: null }
    kind.keys += 1
    kind.bytes += bytes
    if (ttlMs >= 0) kind.ttlS = Math.max(kind.ttlS ?? 0, Math.round(ttlMs / 1000))
    kinds.set(kindOf(name), kind)
  }
  return kinds
}

/** Removes every key that has an expiry, as if it had expired, and returns them. */
export async function letTimePass(redis: Redis): Promise<Map<string, Kind>> {
  const kinds = await kindsOfKeys(redis)
  for await (const { name, ttlMs } of eachKey(redis)) if (ttlMs >= 0) await redis.del(name)
  return new Map([...kinds].filter(([, { ttlS }]) => ttlS !== null))
}

async function* eachKey(redis: Redis): AsyncGenerator<{ name: string; bytes: number; ttlMs: number }> {
  const seen = new Set<string>()
  let cursor = '0'
  do {
    const [next, found] = await redis.scan(cursor, 'COUNT', 500)
    cursor = next
    // SCAN may return a key more than once.
    const names = found.filter((name) => !seen.has(name))
    for (const name of names) seen.add(name)
    const asked = redis.pipeline()
    for (const name of names) asked.pttl(name).memory('USAGE', name, 'SAMPLES', 0)
    const answers = ((await asked.exec()) ?? []).map(([, answer]) => answer)
    for (const [i, name] of names.entries()) {
      const bytes = answers[2 * i + 1]
      // The key may have expired meanwhile.
      if (typeof bytes === 'number') yield { name, bytes, ttlMs: Number(answers[2 * i]) }
    }
  } while (cursor !== '0')
}

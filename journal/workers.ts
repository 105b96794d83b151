/** How worker processes make themselves known in Redis. */
import type { WorkerState } from '../contract/fleet.ts'

/** How often a worker says that it lives, in ms. */
export const ANNOUNCE_EVERY_MS = 2000
/** Silence after which it is taken for dead, in ms. */
export const DEAD_AFTER_MS = 3 * ANNOUNCE_EVERY_MS

/**
 * KEYS workers; ARGV worker id, its state as JSON without `seen_at`. One clock, that of Redis, stamps all of them. The
 * hash lives as long as somebody announces himself, and a dead worker's field as long as it takes others to find it.
 */
export const ANNOUNCE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HGETALL', KEYS[1])
for i = 1, #known, 2 do
  local seen = string.match(known[i + 1], '^(%d+) ')
  if not seen or now - seen > ${DEAD_AFTER_MS} then redis.call('HDEL', KEYS[1], known[i]) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ${DEAD_AFTER_MS})`

/** The living out of the hash that `ANNOUNCE` keeps, in the order of their ids; `now` is Redis's time in ms. */
export function readWorkers(hash: Readonly<Record<string, string>>, now: number): WorkerState[] {
  const workers = Object.entries(hash).map(([id, value]): WorkerState => {
    const blank = value.indexOf(' ')
    return { id, ...JSON.parse(value.slice(blank + 1)), seen_at: Number(value.slice(0, blank)) }
  })
  return workers
    .filter(({ seen_at }) => now - seen_at <= DEAD_AFTER_MS)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

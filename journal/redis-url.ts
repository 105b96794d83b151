/** What a REDIS_URL says, without connecting to anything. */

/** The addresses in it. A comma inside one, as a password may hold, divides nothing. */
export function splitRedisUrl(url: string): string[] {
  return url.split(/,(?=\w+:\/\/)/)
}

/** Whether all keys that begin with `prefix` lie on one node of a Redis Cluster. */
export function hasHashTag(prefix: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(prefix)
}

/** What is wrong with a cluster under any other prefix. */
export const NEEDS_HASH_TAG =
  'REDIS_PREFIX must hold a hash tag on a Redis Cluster, e.g. {wf}: all keys of the queue have to lie on one node'

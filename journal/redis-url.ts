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

/** What is wrong with one address, whose scheme is right; null when nothing is. It quotes no password. */
export function redisUrlFault(url: string): string | null {
  const { protocol, pathname, username, password } = new URL(url)
  if ([username, password].some((part) => !isDecodable(part)))
    return 'must have its user and password percent-encoded: a % in them is written %25'
  // The path of a socket is no number of a database.
  if (protocol === 'unix:' || /^\/?$/.test(pathname) || /^\/\d{1,9}$/.test(pathname)) return null
  return `must end with the number of a database, as in redis://host:6379/1, and not with ${JSON.stringify(pathname)}`
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

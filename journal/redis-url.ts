/** Parses and checks a REDIS_URL without connecting. */

/** Splits a list of addresses. A comma inside an address, as in a password, does not separate. */
export function splitRedisUrl(url: string): string[] {
  return url.split(/,(?=\w+:\/\/)/)
}

/** Whether all keys with this prefix are on one node of a Redis Cluster. */
export function hasHashTag(prefix: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(prefix)
}

/** The error for a cluster without a hash tag. */
export const NEEDS_HASH_TAG =
  'REDIS_PREFIX must contain a hash tag on a Redis Cluster, e.g. {wf}: all keys of the queue must be on one node'

/** The fault of an address with a valid scheme, or null. Never quotes the password. */
export function redisUrlFault(url: string): string | null {
  const { protocol, pathname, username, password } = new URL(url)
  if ([username, password].some((part) => !isDecodable(part)))
    return 'must have its user and password percent-encoded: a % in them is written %25'
  // The path of a socket is not a database number.
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

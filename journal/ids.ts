/** Ids derived from their inputs, so that a repeated request refers to the same job. */
import { createHash, hash } from 'node:crypto'

/** A UUIDv8 of `parts`. */
export function uuidOf(...parts: readonly (string | number)[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** A digest of a text that must not itself be stored or logged. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Caches digests, because each request needs its user's several times. */
const digests = new Map<string, string>()
const DIGESTS_KEPT = 10_000

/** Replaces a user's id where the id must not be stored. In a manually queued job `userId` may be any value. */
export function userDigest(userId: string): string {
  let known = digests.get(userId)
  if (known === undefined) {
    if (digests.size === DIGESTS_KEPT) digests.clear()
    known = digest(String(userId))
    digests.set(userId, known)
  }
  return known
}

/** HMAC-SHA256 (RFC 2104) of short messages with one key: made of one-shot hashes, since each of Node's Hmac objects is
 * made, and later collected, at several times the price of the hashing itself. */
import { hash } from 'node:crypto'

/** The 32 bytes that authenticate a message. */
export type Mac = (message: Buffer) => Buffer

const BLOCK_BYTES = 64

/** `key`: at most 64 bytes. */
export function macWith(key: Buffer): Mac {
  const inner = padded(key, 0x36)
  const outer = padded(key, 0x5c)
  return (message) => {
    const digest = hash('sha256', Buffer.concat([inner, message]), 'buffer')
    return hash('sha256', Buffer.concat([outer, digest]), 'buffer')
  }
}

function padded(key: Buffer, pad: number): Buffer {
  if (key.length > BLOCK_BYTES) throw new RangeError('a key longer than a block would have to be hashed')
  return Buffer.alloc(BLOCK_BYTES).map((_, i) => (key[i] ?? 0) ^ pad) as Buffer
}

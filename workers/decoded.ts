/** Decodes a compressed answer. We never ask for compression, but some frameworks compress anyway. */
import { pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { StageFailure } from './failure.ts'
import { unusable } from './stage-answer.ts'

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** The body after decoding. Size limits apply to the decoded bytes. */
export function decoded({ headers, body }: Dispatcher.ResponseData): Readable {
  const encoding = String(headers['content-encoding'] ?? 'identity')
    .trim()
    .toLowerCase()
  if (encoding === 'identity') return body
  const decoder = DECODERS[encoding as keyof typeof DECODERS]
  if (!decoder) {
    body.on('error', () => {}).destroy()
    throw unusable('its content encoding must be gzip, deflate or br')
  }
  // When the connection breaks, the decoder is destroyed with the connection's error.
  return pipeline(body, decoder(), () => {})
}

/** The failure for an error of the decoder; null for any other error. */
export function failureOfDecoding({ code = '' }: Error & { code?: string }): StageFailure | null {
  if (!code.startsWith('Z_') && !code.startsWith('ERR_BROTLI') && !code.startsWith('ERR__ERROR')) return null
  if (code === 'Z_BUF_ERROR') return unusable('its compressed data is cut off', { retryable: true })
  return unusable(`its compressed data is corrupt (${code})`)
}

/** Undoes the content encoding of an answer. None is asked for, but some frameworks compress all the same. */
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

/** The body as it was before it was encoded: what it holds is counted, whatever its size on the wire. */
export function decoded({ headers, body }: Dispatcher.ResponseData): Readable {
  const encoding = String(headers['content-encoding'] ?? 'identity')
    .trim()
    .toLowerCase()
  if (encoding === 'identity') return body
  const decoder = DECODERS[encoding as keyof typeof DECODERS]
  if (!decoder) {
    body.on('error', () => {}).destroy()
    throw unusable('its content encoding is none of gzip, deflate and br')
  }
  // A broken connection destroys the decoder with its own error.
  return pipeline(body, decoder(), () => {})
}

/** The failure that a decoder's error means, or null. */
export function failureOfDecoding({ code = '' }: Error & { code?: string }): StageFailure | null {
  if (!code.startsWith('Z_') && !code.startsWith('ERR_BROTLI') && !code.startsWith('ERR__ERROR')) return null
  if (code === 'Z_BUF_ERROR') return unusable('its compressed data breaks off', { retryable: true })
  return unusable(`its compressed data is broken (${code})`)
}

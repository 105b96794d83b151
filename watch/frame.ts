/** Encodes Server-Sent Events so that no client splits a line in the wrong place. */
import type { ServerResponse } from 'node:http'
import { mendSurrogates } from '../contract/exact-json.ts'

/** Python's `splitlines`, which its SSE readers use, ends a line at each of these. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g

/** A frame with JSON data. Without an `id`, clients cannot resume after it. */
export function frameOf(event: string, data: unknown, id?: string): string {
  const json = mendSurrogates(JSON.stringify(data)).replace(LINE_ENDS, escaped)
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/**
 * Interrupts a stream before its end by omitting the last chunk, which would complete the response. So a client may treat a
 * clean end as the end of the job; after an interruption it reconnects in `retryMs`. HTTP/1.0 has no chunks, so there both
 * look the same.
 */
export function breakOff(response: ServerResponse, retryMs: number, comment = ''): void {
  response.write(`retry: ${retryMs}\n${comment && `: ${comment}\n`}${frameOf('reconnect', {})}`)
  // Wait for the next turn of the event loop: Node 24 passes a chunk to the socket only at the end of this turn, and would
  // drop it. Node closes the connection once the whole chunk has been sent.
  setImmediate(() => {
    if (response.socket) response.socket.destroySoon()
    else response.destroy()
  })
}

/** Server-Sent Events as bytes, in a form that no reader of lines can take apart. */
import type { ServerResponse } from 'node:http'
import { mendSurrogates } from '../contract/exact-json.ts'

/** Python's `splitlines`, on which its readers of events are built, ends a line at each of these. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g

/** A frame with JSON as its data; without an `id` it is no place to resume at. */
export function frameOf(event: string, data: unknown, id?: string): string {
  const json = mendSurrogates(JSON.stringify(data)).replace(LINE_ENDS, escaped)
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/**
 * Ends a stream that has more to tell. The last chunk, which would make it a whole answer, is left out: a reader that takes a
 * clean end for the end of the job is right, and others come back after `retryMs`. HTTP/1.0 has no chunks to leave out.
 */
export function breakOff(response: ServerResponse, retryMs: number, comment = ''): void {
  response.write(`retry: ${retryMs}\n${comment && `: ${comment}\n`}${frameOf('reconnect', {})}`)
  // Node closes the connection once all of it has been sent.
  if (response.socket) response.socket.destroySoon()
  else response.destroy()
}

/** Reads Server-Sent Events as specified in the HTML standard (9.2). */

export interface Frame {
  /** The ID sent with this event, or null. */
  id: string | null
  event: string
  data: string
}

/** This API never sends a longer line (in characters). */
const MAX_LINE = 64 * 1024 * 1024

/** Yields frames as they arrive and drops one that the end cuts off. `onRetry` receives the ms of `retry:`. */
export async function* readFrames(
  pieces: AsyncIterable<Uint8Array>,
  onRetry: (ms: number) => void,
): AsyncGenerator<Frame> {
  const decoder = new TextDecoder()
  let rest = ''
  let frame = emptyFrame()
  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true })
    // A CR at the very end may be the first half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE) throw new Error('The event stream sent a line without an end')
    for (const line of lines) {
      if (line !== '') {
        const retry = take(frame, line)
        if (retry !== undefined) onRetry(retry)
        continue
      }
      if (frame.data.length > 0) yield { ...frame, data: frame.data.join('\n') }
      frame = emptyFrame()
    }
  }
}

type Gathered = Omit<Frame, 'data'> & { data: string[] }

function emptyFrame(): Gathered {
  return { id: null, event: 'message', data: [] }
}

/** Adds a line to the frame. Returns the ms of a `retry:` line. */
function take(frame: Gathered, line: string): number | undefined {
  const colon = line.indexOf(':')
  const name = colon < 0 ? line : line.slice(0, colon)
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
  if (name === 'data') frame.data.push(value)
  else if (name === 'event') frame.event = value
  else if (name === 'id') frame.id = value
  else if (name === 'retry' && /^\d+$/.test(value)) return Number(value)
  return undefined
}

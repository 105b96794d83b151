/** Reads Server-Sent Events, as the HTML standard (9.2) has them. */

export interface Frame {
  /** The id sent with this very event, null when it had none. */
  id: string | null
  event: string
  data: string
}

/** A line longer than this, in characters, is none of this API. */
const MAX_LINE = 64 * 1024 * 1024

/** Frames as their bytes arrive; one that is cut off by the end is dropped. `onRetry` is told `retry:`, in ms. */
export async function* readFrames(
  pieces: AsyncIterable<Uint8Array>,
  onRetry: (ms: number) => void,
): AsyncGenerator<Frame> {
  const decoder = new TextDecoder()
  let rest = ''
  let frame = emptyFrame()
  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true })
    // A CR at the very end may be the first half of CR LF.
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

/** Adds a line to the frame; gives the time in ms when the line was a `retry:`. */
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

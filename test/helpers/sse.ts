/** A reader of Server-Sent Events over fetch: every frame as it stands on the wire, comments and retry included. */
export interface Frame {
  id?: string
  event?: string
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  data?: any
  retry?: number
  comment?: string
}

export interface Stream extends AsyncIterable<Frame> {
  response: Response
  /** Closes the connection. */
  close(): void
  /** Frames with an event, until one of this type or the end of the stream. */
  until(type: string): Promise<Frame[]>
  /** Frames with an event, to the end of the stream. */
  rest(): Promise<Frame[]>
}

export interface StreamOptions {
  lastEventId?: string | undefined
  headers?: Record<string, string>
}

/** Opens a stream; `response.status` may be anything. */
export async function openStream(url: string, { lastEventId, headers }: StreamOptions = {}): Promise<Stream> {
  const abort = new AbortController()
  const response = await fetch(url, {
    signal: abort.signal,
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      ...headers,
    },
  })
  const frames = readFrames(response)
  const collect = async (stop: (frame: Frame) => boolean) => {
    const seen: Frame[] = []
    // Not for-await: leaving it would end the generator, and more may be read later.
    for (let next = await frames.next(); !next.done; next = await frames.next()) {
      if (isEvent(next.value)) seen.push(next.value)
      if (stop(next.value)) break
    }
    return seen
  }
  return {
    response,
    close: () => abort.abort(),
    until: (type) => collect((frame) => frame.event === type),
    rest: () => collect(() => false),
    [Symbol.asyncIterator]: () => frames,
  }
}

/** Neither a comment nor a hint, which may come at any time. */
export function isEvent({ event }: Frame): boolean {
  return event !== undefined && event !== 'hint'
}

async function* readFrames(response: Response): AsyncGenerator<Frame> {
  if (!response.body) return
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, { stream: true })
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        yield parseFrame(text.slice(0, end))
        text = text.slice(end + 2)
      }
    }
  } catch {
    // The connection was cut, by us or by the server: the frames end here.
  }
}

function parseFrame(text: string): Frame {
  const frame: Frame = {}
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).replace(/^ /, '')
    if (name === '') frame.comment = value
    else if (name === 'data') frame.data = JSON.parse(value)
    else if (name === 'retry') frame.retry = Number(value)
    else if (name === 'id' || name === 'event') frame[name] = value
  }
  return frame
}

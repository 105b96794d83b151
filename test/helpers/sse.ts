/**
 * Reads Server-Sent Events: every frame as sent, comments and `retry` included. It uses node:http, because when a connection
 * is cut, `fetch` discards data that was not read yet, and the server cuts streams on purpose.
 */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { PassThrough } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'

export interface Frame {
  id?: string
  event?: string
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  data?: any
  retry?: number
  comment?: string
}

export interface Stream extends AsyncIterable<Frame> {
  response: {
    status: number
    headers: Headers
    /** The body to its end, instead of frames. */
    text(): Promise<string>
  }
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
  const sent = request(url, {
    // Use a separate connection, and do not send `Connection: close`: a browser does not either.
    agent: false,
    headers: {
      connection: 'keep-alive',
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      ...headers,
    },
  })
  // Read from the first byte on, even before a caller reads frames.
  const body = new PassThrough()
  sent.once('response', (response) => {
    response.on('error', () => {}) // The connection was cut, by us or by the server: the body ends here.
    response.on('data', (chunk) => body.write(chunk))
    response.once('close', () => body.end())
  })
  const opened = once(sent, 'response')
  sent.end()
  const [{ statusCode = 0, headersDistinct }] = (await opened) as [IncomingMessage]
  sent.on('error', () => {})
  const close = () => void sent.destroy()
  const frames = readFrames(body, close)
  const collect = async (stop: (frame: Frame) => boolean) => {
    const seen: Frame[] = []
    // Do not use for-await: leaving the loop would end the generator, but more frames may be read later.
    for (let next = await frames.next(); !next.done; next = await frames.next()) {
      if (isEvent(next.value)) seen.push(next.value)
      if (stop(next.value)) break
    }
    return seen
  }
  return {
    response: { status: statusCode, headers: headersOf(headersDistinct), text: () => textOf(body) },
    close,
    until: (type) => collect((frame) => frame.event === type),
    rest: () => collect(() => false),
    [Symbol.asyncIterator]: () => frames,
  }
}

/** Whether a frame is an event: comments and hints, which may come at any time, do not count. */
export function isEvent({ event }: Frame): boolean {
  return event !== undefined && event !== 'hint'
}

async function* readFrames(body: PassThrough, close: () => void): AsyncGenerator<Frame> {
  let text = ''
  try {
    for await (const chunk of body.setEncoding('utf8')) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        yield parseFrame(text.slice(0, end))
        text = text.slice(end + 2)
      }
    }
  } finally {
    close()
  }
}

function headersOf(given: IncomingMessage['headersDistinct']): Headers {
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(given))
    for (const value of values) headers.append(name, value)
  return headers
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

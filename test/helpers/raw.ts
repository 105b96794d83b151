/** Raw HTTP, for requests that a normal client cannot send. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Answered } from './problem.ts'

/** Writes the bytes and reads until the server closes; add `Connection: close` to a request that is well-formed. */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<Answered> {
  const socket = openRaw(url)
  socket.write(bytes)
  return parseAnswer(await readToEnd(socket))
}

export function openRaw(url: string): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  // The server may close while we still write.
  socket.on('error', () => {})
  return socket
}

export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  if (!socket.destroyed) await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

/** The first response in a text, with its body as sent. */
export function parseAnswer(text: string): Answered {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = new Map(
    lines.map((line) => [line.split(':')[0]?.toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  return {
    status: Number(first.split(' ')[1]),
    header: (name) => headers.get(name),
    text: text.slice(end + 4),
  }
}

/**
 * A closed loop of HTTP requests over raw sockets: each connection sends its next request after the response to
 * the last. It costs far less than the server, so it does not limit the result.
 */
import { connect, type Socket } from 'node:net'
import { quantile } from './statistics.ts'

export interface Load {
  port: number
  connections: number
  ms: number
  /** The bytes of the next request of a connection. */
  request(connection: number): string | Buffer
  /** The expected status of every response. */
  status: number
}

export interface LoadFigures {
  requests: number
  perSecond: number
  /** ms */
  p50: number
  p99: number
}

/** Runs the load; throws at the first response with another status. */
export async function load({ port, connections, ms, request, status }: Load): Promise<LoadFigures> {
  const latencies: number[] = []
  const startedAt = performance.now()
  const endsAt = startedAt + ms
  await Promise.all(Array.from({ length: connections }, (_, i) => one(i)))
  const seconds = (performance.now() - startedAt) / 1000
  const requests = latencies.length
  return {
    requests,
    perSecond: requests / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  }

  function one(index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket: Socket = connect(port, '127.0.0.1')
      socket.setNoDelay(true)
      let sentAt = 0
      const send = () => {
        sentAt = performance.now()
        if (sentAt >= endsAt) return void socket.destroy()
        socket.write(request(index))
      }
      const answers = new AnswerReader()
      socket.on('connect', send)
      socket.on('data', (chunk) => {
        const answer = answers.push(chunk)
        if (answer === null) return
        if (answer.status !== status)
          return void socket.destroy(new Error(`unexpected answer: ${answer.text}`))
        latencies.push(performance.now() - sentAt)
        send()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve())
    })
  }
}

/** Finds the end of a response that has a Content-Length or no body. */
class AnswerReader {
  private text = ''

  push(chunk: Buffer): { status: number; text: string } | null {
    this.text += chunk.toString('latin1')
    const head = this.text.indexOf('\r\n\r\n')
    if (head === -1) return null
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.text.slice(0, head))?.[1] ?? 0)
    if (this.text.length < head + 4 + length) return null
    const answer = { status: Number(this.text.slice(9, 12)), text: this.text }
    this.text = ''
    return answer
  }
}

/** The bytes of one request. */
export function httpRequest(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): string {
  const all: Record<string, string> = {
    host: '127.0.0.1',
    ...headers,
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}

/** An HTTP request on a bare socket, for tests that need the exact bytes or must not read them. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'

export class RawClient {
  readonly socket: Socket
  /** Everything received so far. */
  text = ''
  readonly closed: Promise<unknown>

  constructor(t: Test, url: string, headers: Record<string, string> = {}) {
    const { hostname, port, pathname, search, host } = new URL(url)
    this.socket = connect(Number(port), hostname)
    this.socket.on('error', () => {})
    this.socket.setEncoding('utf8')
    this.closed = once(this.socket, 'close')
    t.teardown(() => void this.socket.destroy())
    const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
    this.socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`)
  }

  /** Begins to read. */
  read(): this {
    this.socket.on('data', (chunk) => {
      this.text += chunk
    })
    return this
  }

  /** Resolves once the text received matches. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) {
      const [kind] = await Promise.race([
        once(this.socket, 'data').then(() => ['data']),
        this.closed.then(() => ['closed']),
      ])
      if (kind === 'closed' && !pattern.test(this.text)) throw new Error(`closed after:\n${this.text}`)
    }
    return this.text
  }

  /** The body so far, without head and chunk sizes. */
  get body(): string {
    const start = this.text.indexOf('\r\n\r\n')
    if (start === -1) return ''
    let rest = this.text.slice(start + 4)
    let body = ''
    for (;;) {
      const line = rest.indexOf('\r\n')
      const size = Number.parseInt(rest.slice(0, line), 16)
      // Sizes count bytes; the tests using this send ASCII.
      if (line === -1 || !(size > 0)) return body
      body += rest.slice(line + 2, line + 2 + size)
      rest = rest.slice(line + 2 + size + 2)
    }
  }
}

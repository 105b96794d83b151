/** Clients of event streams. Raw sockets cost far less than the server spends on them. */
import { connect, type Socket } from 'node:net'

export interface Watcher {
  socket: Socket
  /** Bytes received so far. */
  bytes: number
  /** The id of the last event, if ids are read. */
  lastId: string
}

/** How many connect at once. */
const AT_ONCE = 200

/** Marks a frame; it is part of a step's message. */
export function mark(n: number): string {
  return `step=${n}.`
}

const MARK = /step=(\d+)\./g
const ID = /^id: ?(.+)$/gm

export class Watchers {
  readonly all: Watcher[] = []
  /** Called for each marked frame a client receives. */
  onMark: (watcher: number, n: number) => void = () => {}
  /** Whether to read ids. */
  readsIds = false
  private readonly port: number

  constructor(port: number) {
    this.port = port
  }

  /** Opens `count` streams; a stream is open once bytes have arrived after its head. */
  async open(
    count: number,
    path: (watcher: number) => string,
    headers: string | ((watcher: number) => string) = '',
    isOpen = isStream,
  ): Promise<void> {
    const from = this.all.length
    let next = from
    const opener = async () => {
      while (next < from + count) {
        const index = next++
        await this.connect(index, path(index), typeof headers === 'string' ? headers : headers(index), isOpen)
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, opener))
  }

  close(): void {
    for (const { socket } of this.all) socket.destroy()
    this.all.length = 0
  }

  private connect(
    index: number,
    path: string,
    headers: string,
    isOpen: (text: string) => boolean,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1')
      const watcher: Watcher = { socket, bytes: 0, lastId: '' }
      this.all[index] = watcher
      let head = ''
      let open = false
      socket.on('connect', () =>
        socket.write(
          `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n${headers}\r\n`,
        ),
      )
      socket.on('data', (chunk) => {
        watcher.bytes += chunk.length
        const text = chunk.toString('latin1')
        if (this.readsIds) for (const [, id = ''] of text.matchAll(ID)) watcher.lastId = id.trim()
        for (const [, n] of text.matchAll(MARK)) this.onMark(index, Number(n))
        if (open) return
        head += text
        if (!head.startsWith('HTTP/1.1 200'.slice(0, head.length))) return reject(new Error(head))
        if (!isOpen(head)) return
        open = true
        head = ''
        resolve()
      })
      socket.on('error', reject)
      socket.on('close', () => reject(new Error(`a stream was closed: ${head}`)))
    })
  }
}

/** The head and at least one byte after it. */
function isStream(text: string): boolean {
  const head = text.indexOf('\r\n\r\n')
  return head !== -1 && text.length > head + 4
}

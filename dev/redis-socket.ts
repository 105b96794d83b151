/** Where the embedded Redis listens, and whether anybody does. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface SocketPath {
  path: string
  /** Takes the socket away, and its temporary folder if it has one. */
  remove(): Promise<void>
  /** Takes the temporary folder away, if there is one; a socket in the data folder may be another's. */
  discard(): Promise<void>
}

/** The kernel's limit is 104 bytes on macOS and 108 on Linux, the closing zero included. */
const MAX_BYTES = 100

/** What the temporary folder of a socket is called, so that no folder of data is ever taken for one. */
const TEMPORARY = join(tmpdir(), 'stagecast-socket-')

/** In `dir`, or in a short temporary folder when that path is too long or needs escaping in a URL. */
export async function chooseSocketPath(dir: string): Promise<SocketPath> {
  const inside = join(dir, 'redis.sock')
  if (Buffer.byteLength(inside) <= MAX_BYTES && /^[\w./-]+$/.test(inside)) return socketAt(inside)
  // mkdtemp makes the folder with mode 0700 under a name nobody can take first.
  return socketAt(join(await mkdtemp(TEMPORARY), 'redis.sock'))
}

/** A socket left behind, as named in a lock file. */
export function socketAt(path: string): SocketPath {
  const temporary = dirname(path).startsWith(TEMPORARY) && dirname(dirname(path)) === dirname(TEMPORARY)
  const discard = async () => {
    if (temporary) await rm(dirname(path), { recursive: true, force: true })
  }
  return { path, discard, remove: () => (temporary ? discard() : rm(path, { force: true })) }
}

/** Whether a server that is ready for commands listens there. */
export function answersPing(path: string): Promise<boolean> {
  return exchange(path, 'PING\r\n', (answer) => answer.startsWith('+PONG'))
}

/** Whether any process listens there, ready or still loading its data. */
export function isListening(path: string): Promise<boolean> {
  return exchange(path, '', () => true)
}

function exchange(path: string, command: string, judge: (answer: string) => boolean): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    const finish = (verdict: boolean) => {
      socket.destroy()
      done(verdict)
    }
    socket.setTimeout(1000, () => finish(false))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
    socket.once('connect', () => (command === '' ? finish(judge('')) : socket.write(command)))
    socket.once('data', (answer) => finish(judge(answer.toString())))
  })
}

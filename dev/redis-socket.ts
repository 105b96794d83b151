/** The socket of the embedded Redis. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface SocketPath {
  path: string
  /** Removes the socket and its temporary folder, if any. */
  remove(): Promise<void>
  /** Removes the temporary folder, if any; a socket in the data folder may belong to another process. */
  discard(): Promise<void>
}

/** The kernel's limit is 104 bytes on macOS and 108 on Linux, including the terminating zero. */
const MAX_BYTES = 100

/** Prefix of temporary folders, so that a data folder is never mistaken for one. */
const TEMPORARY = join(tmpdir(), 'stagecast-socket-')

/** A socket in `dir`, or in a short temporary folder if that path is too long or needs escaping in a URL. */
export async function chooseSocketPath(dir: string): Promise<SocketPath> {
  const inside = join(dir, 'redis.sock')
  if (Buffer.byteLength(inside) <= MAX_BYTES && /^[\w./-]+$/.test(inside)) return socketAt(inside)
  // mkdtemp creates a folder with mode 0700 and an unpredictable name.
  return socketAt(join(await mkdtemp(TEMPORARY), 'redis.sock'))
}

/** The socket named in a lock file. */
export function socketAt(path: string): SocketPath {
  const temporary = dirname(path).startsWith(TEMPORARY) && dirname(dirname(path)) === dirname(TEMPORARY)
  const discard = async () => {
    if (temporary) await rm(dirname(path), { recursive: true, force: true })
  }
  return { path, discard, remove: () => (temporary ? discard() : rm(path, { force: true })) }
}

/** Whether a server listens there and is ready for commands. */
export function answersPing(path: string): Promise<boolean> {
  return exchange(path, 'PING\r\n', (answer) => answer.startsWith('+PONG'))
}

/** Whether a process listens there, even if it is still loading its data. */
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

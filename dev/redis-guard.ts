/** Runs a server that cannot outlive this process, even if this process is killed with SIGKILL. */
import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'

export interface GuardedExit {
  code: number | null
  signal: NodeJS.Signals | null
  /** The last lines the server wrote. */
  log: string
}

export interface Guarded {
  /** Sends SIGTERM to the server, SIGKILL after 5 s. Resolves when it has exited. */
  stop(): Promise<void>
  exited: Promise<GuardedExit>
}

const STOP_WITHIN_MS = 5_000

/**
 * Stops the server when standard input ends, which happens when our process dies, and exits when the server does. The
 * watcher reads a separate descriptor, because a shell gives background jobs /dev/null.
 */
const GUARD = `
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{
  read -r _ <&3
  kill -TERM "$server"
  for second in 1 2 3 4 5; do sleep 1; kill -0 "$server" || exit; done
  kill -KILL "$server"
} 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`

/** Starts `command` with its output in the file `log`. `cleanUp` runs after it has exited, before `exited` settles. */
export async function spawnGuarded(
  command: string[],
  log: string,
  cleanUp: () => Promise<void>,
): Promise<Guarded> {
  const { guard, gone } = await spawnGuard(command, log)
  const exited = gone.then(async (end): Promise<GuardedExit> => {
    // If only the guard was killed, kill the rest of the group.
    killGroup(guard)
    await Promise.allSettled([cleanUp()])
    return { ...end, log: await lastLines(log) }
  })

  async function stop(): Promise<void> {
    const force = setTimeout(() => killGroup(guard), STOP_WITHIN_MS)
    guard.stdin?.end()
    await exited
    clearTimeout(force)
  }
  return { stop, exited }
}

/** `detached`: a Ctrl-C in the terminal must not reach the server before the application has drained. */
async function spawnGuard(command: string[], log: string) {
  const output = await open(log, 'w', 0o600)
  try {
    const guard = spawn('sh', ['-c', GUARD, 'redis-guard', ...command], {
      detached: true,
      stdio: ['pipe', output.fd, output.fd],
    })
    // The pipe breaks when the guard is killed; `exit` handles that.
    guard.stdin?.on('error', () => {})
    // Listen before any await: the server may fail before the file is closed.
    const gone = new Promise<Omit<GuardedExit, 'log'>>((done) => {
      guard.once('exit', (code, signal) => done({ code, signal }))
    })
    await new Promise((started, failed) => guard.once('spawn', started).once('error', failed))
    return { guard, gone }
  } finally {
    await output.close()
  }
}

function killGroup(guard: ChildProcess): void {
  try {
    if (guard.pid) process.kill(-guard.pid, 'SIGKILL')
  } catch {
    // The group has already exited.
  }
}

async function lastLines(log: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-12).join('\n')
}

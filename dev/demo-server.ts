/** Runs the development server for the demo, with its own port and data; its output goes to a log file. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

export interface DemoServer {
  /** Base URL of the API. */
  url: string
  /** Rejects if the server ends without being stopped. */
  failed: Promise<never>
  /** Stops the server gracefully, or by force after 20 s. */
  stop(): Promise<void>
}

const Ready = Type.Object({ type: Type.Literal('ready'), url: Type.String() })

const STOP_WITHIN_MS = 20_000

/** Starts the server with its data in `dataDir`. If it does not start, throws with its output. */
export async function startServer(dataDir: string): Promise<DemoServer> {
  await mkdir(dataDir, { recursive: true })
  const log = join(dataDir, 'server.log')
  const server = await forkServer(dataDir, log)
  let stopping = false
  const exited = once(server, 'exit')
  const failed = exited.then(async ([code, signal]) => {
    if (stopping) return new Promise<never>(() => {})
    const said = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-8).join('\n')
    throw new Error(
      `The server exited unexpectedly (${signal ?? `exit code ${code}`}). Its log, ${log}, ends with:\n${said}`,
    )
  })
  // Avoid an unhandled rejection before anyone awaits the promise.
  failed.catch(() => {})

  async function stop(): Promise<void> {
    stopping = true
    const force = setTimeout(() => server.kill('SIGKILL'), STOP_WITHIN_MS)
    if (server.exitCode === null && server.signalCode === null) server.kill('SIGTERM')
    await exited
    clearTimeout(force)
  }
  try {
    return { url: await Promise.race([readyUrl(server), failed]), failed, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Uses a separate process group, so that Ctrl-C reaches only the demo, which then stops the server once. */
async function forkServer(dataDir: string, log: string): Promise<ChildProcess> {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  // Works both from sources and compiled.
  const extension = extname(import.meta.filename)
  const output = await open(log, 'w')
  try {
    return fork(join(root, `server/all${extension}`), ['--dev'], {
      cwd: process.cwd(),
      detached: true,
      execArgv: [
        ...process.execArgv,
        `--import=${new URL(`./end-with-parent${extension}`, import.meta.url)}`,
      ],
      stdio: ['ignore', output.fd, output.fd, 'ipc'],
      env: {
        // The sample is small: without a pause per step there would be nothing to watch.
        STAGE_PACE_MS: '300',
        // Ctrl-C need not wait long for a demo job.
        SHUTDOWN_GRACE_MS: '3000',
        ...process.env,
        NODE_ENV: 'development',
        ALLOW_MOCK_AUTH: 'true',
        HOST: '127.0.0.1',
        PORT: '0',
        WORKER_HEALTH_PORT: '0',
        // Empty instead of unset, so that a .env file cannot set them: the demo uses only its embedded servers.
        REDIS_URL: '',
        REDIS_PREFIX: '',
        WORKER_URL: '',
        ADMIN_PORT: '',
        LITERATURE_SOURCES: 'sample',
        STAGECAST_DATA: dataDir,
      },
    })
  } finally {
    await output.close()
  }
}

function readyUrl(server: ChildProcess): Promise<string> {
  return new Promise((done) => {
    server.on('message', (message) => {
      if (Value.Check(Ready, message)) done(message.url)
    })
  })
}

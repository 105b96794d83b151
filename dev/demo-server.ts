/** Runs `start.ts --dev` for the demo: its own port, its own data, its output in a log file. */
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
  /** Rejects when the server ends although nobody stopped it. */
  failed: Promise<never>
  /** Lets it drain; by force after 20 s. */
  stop(): Promise<void>
}

const Ready = Type.Object({ type: Type.Literal('ready'), url: Type.String() })

const STOP_WITHIN_MS = 20_000

/** Starts the server with its data in `dataDir`; throws what it said when it does not come up. */
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
      `The server ended by itself (${signal ?? `exit code ${code}`}). Its log, ${log}, ends with:\n${said}`,
    )
  })
  // Whoever waits on it hears of it; before that it must not count as unhandled.
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

/** A process group of its own: a Ctrl-C in the terminal reaches the demo alone, which then stops the server once. */
async function forkServer(dataDir: string, log: string): Promise<ChildProcess> {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  // It runs from the sources and compiled alike.
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
        // The sample is small: without a pause at each step there would be nothing to watch.
        STAGE_PACE_MS: '300',
        // Ctrl-C need not wait long for a job that nobody else is interested in.
        SHUTDOWN_GRACE_MS: '3000',
        ...process.env,
        NODE_ENV: 'development',
        ALLOW_MOCK_AUTH: 'true',
        HOST: '127.0.0.1',
        PORT: '0',
        WORKER_HEALTH_PORT: '0',
        // Empty, not unset: a .env file must not fill them in. All is embedded, and nobody else's jobs are touched.
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

/** Shared by all entry points: readable startup errors and a shutdown within the grace period. */
import { existsSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger } from 'fastify'
import { ConfigError } from './config.ts'

/** One Ctrl-C can reach a process several times: from the terminal, and from npm, which forwards it. */
const SAME_SIGNAL_MS = 500

export interface Running {
  log: FastifyBaseLogger
  /** Maximum duration of `close`, in ms. */
  graceMs: number
  close(): Promise<unknown>
}

/**
 * Runs a process until it gets a signal. SIGTERM and SIGINT close it within its grace period and exit with 0; a second
 * signal, or a close that takes too long, ends it at once. An uncaught error closes it and exits with 1.
 */
export async function runDoor(start: () => Promise<Running>): Promise<void> {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env')
    const { log, graceMs, close } = await start()
    const logger = { error: (message: unknown) => log.error(message as object) }
    const closer = closeWithGrace(
      { delay: graceMs, logger, skip: ['SIGINT', 'SIGTERM'] },
      async ({ err }) => {
        // Not `fatal`: pino would block until the log is written, which may never happen.
        if (err) log.error({ err }, 'uncaught error: closing')
        await close()
        log.info('closed')
      },
    )
    let asked: number | undefined
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, (signal) => {
        if (asked === undefined) {
          asked = performance.now()
          log.info({ signal }, 'closing')
          void closer.close()
        } else if (signal !== 'SIGINT' || performance.now() - asked > SAME_SIGNAL_MS) {
          log.error({ signal }, 'second signal: exiting at once')
          process.exit(1)
        }
      })
    }
  } catch (error) {
    // The log does not exist yet: print one fault per line, without a stack.
    const { message, code } = error as NodeJS.ErrnoException
    const hint = code === 'EADDRINUSE' ? ' (choose another PORT, WORKER_HEALTH_PORT or ADMIN_PORT)' : ''
    const text = error instanceof ConfigError ? message : `Cannot start: ${message}${hint}`
    process.stderr.write(`${text}\n`)
    process.exit(1)
  }
}

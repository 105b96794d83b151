/** What all processes share: a start that fails readably, and an end that comes in time. */
import { existsSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger } from 'fastify'
import { ConfigError } from './config.ts'

/** One Ctrl-C reaches a process several times: from the terminal, and from npm, which passes it on. */
const SAME_SIGNAL_MS = 500

export interface Running {
  log: FastifyBaseLogger
  /** Longest time in ms that `close` may take. */
  graceMs: number
  close(): Promise<unknown>
}

/**
 * Starts a process and stays until it is told to stop. SIGTERM and SIGINT close it within its grace and exit 0; a
 * second signal, or a close that takes too long, ends it at once. An uncaught error closes it and exits 1.
 */
export async function runDoor(start: () => Promise<Running>): Promise<void> {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env')
    const { log, graceMs, close } = await start()
    const logger = { error: (message: unknown) => log.error(message as object) }
    const closer = closeWithGrace(
      { delay: graceMs, logger, skip: ['SIGINT', 'SIGTERM'] },
      async ({ err }) => {
        // Not `fatal`, for which pino would wait until a log that cannot be written is.
        if (err) log.error({ err }, 'uncaught error: closing')
        await close()
        log.info('closed')
      },
    )
    let asked = 0
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, (signal) => {
        if (asked === 0) {
          asked = Date.now()
          log.info({ signal }, 'closing')
          void closer.close()
        } else if (signal !== 'SIGINT' || Date.now() - asked > SAME_SIGNAL_MS) {
          log.error({ signal }, 'a second signal: ending at once')
          process.exit(1)
        }
      })
    }
  } catch (error) {
    // Before there is a log to write to: one fault a line, no stack.
    const { message, code } = error as NodeJS.ErrnoException
    const hint = code === 'EADDRINUSE' ? ' (choose another PORT, WORKER_HEALTH_PORT or ADMIN_PORT)' : ''
    const text = error instanceof ConfigError ? message : `Cannot start: ${message}${hint}`
    process.stderr.write(`${text}\n`)
    process.exit(1)
  }
}

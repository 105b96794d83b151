/** What all processes share: a start that fails readably, and an end that comes in time. */
import { existsSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger } from 'fastify'
import { ConfigError } from './config.ts'

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
  if (existsSync('.env')) process.loadEnvFile('.env')
  try {
    const { log, graceMs, close } = await start()
    const logger = { error: (message: unknown) => log.error(message as object) }
    closeWithGrace({ delay: graceMs, logger }, async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'uncaught error: closing')
      else log.info({ signal }, 'closing')
      await close()
      log.info('closed')
    })
  } catch (error) {
    // Before there is a log to write to: one fault a line, no stack.
    const text = error instanceof ConfigError ? error.message : `Cannot start: ${(error as Error).message}`
    process.stderr.write(`${text}\n`)
    process.exit(1)
  }
}

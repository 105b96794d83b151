/** The log: JSON lines on stdout. A request is logged by method and path; its query may hold a ticket. */
import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { pino } from 'pino'

export function createLogger(level: string, name: string): FastifyBaseLogger {
  const options = {
    level,
    name,
    serializers: {
      req: (request: FastifyRequest) => ({
        method: request.method,
        path: request.url?.split('?', 1)[0],
        remoteAddress: request.ip,
      }),
      err: errorOf,
    },
  }
  const destination = isPipe() ? new PatientPipe() : pino.destination(1)
  // A full disk or a closed terminal costs lines, not the process.
  destination.on('error', () => {})
  return pino(options, destination)
}

function isPipe(): boolean {
  try {
    const stdout = fstatSync(1)
    return stdout.isFIFO() || stdout.isSocket()
  } catch {
    return false
  }
}

/** How much is kept for a reader of the log that has stopped reading, in bytes. */
const MOST_KEPT = 16_777_216

/**
 * Standard output where something reads it. Node's own stream and pino's wait for that reader, so that one which is stuck
 * keeps the process, deaf to signals, for ever. Here lines wait in memory, and beyond `MOST_KEPT` they are dropped.
 */
class PatientPipe extends Socket {
  constructor() {
    super({ fd: 1, readable: false, writable: true })
    // It must not keep the process.
    this.unref()
  }

  override write(line: string): boolean {
    return this.writableLength > MOST_KEPT ? false : super.write(line)
  }
}

/** Only the fields that say what failed: an error may carry a whole command or request with a user's words in it. */
function errorOf(error: Error & { code?: string }): Record<string, unknown> {
  return { type: error.name, message: error.message, code: error.code, stack: error.stack }
}

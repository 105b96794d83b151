/** The log: JSON lines on stdout. Requests are logged without their query, which may contain a ticket. */
import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { pino } from 'pino'
import { answered } from '../plugins/core.ts'

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
      res: answered,
      err: errorOf,
    },
  }
  // At level `silent`, do not open a pipe on standard output, which other code may use.
  const destination = level !== 'silent' && isPipe() ? openPipe() : pino.destination(1)
  // A full disk or a closed terminal loses log lines, but must not end the process.
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

/** Maximum log kept in memory while its reader does not read, in bytes. */
const MOST_KEPT = 16_777_216

/**
 * Standard output to a pipe. Node's own stream and pino's block if the reader is stuck, so that the process cannot even
 * handle signals. Here lines wait in memory, and are dropped beyond `MOST_KEPT`.
 */
class PatientPipe extends Socket {
  constructor() {
    super({ fd: 1, readable: false, writable: true })
    // Do not keep the process running.
    this.unref()
  }

  override write(line: string): boolean {
    return this.writableLength > MOST_KEPT ? false : super.write(line)
  }
}

let pipe: PatientPipe | undefined

/** All loggers of a process share the pipe: Node refuses a second stream on a descriptor that has lines waiting. */
function openPipe(): PatientPipe {
  pipe ??= new PatientPipe()
  return pipe
}

/** Logs only safe fields: an error may contain a whole command or request with user text. */
function errorOf(error: Error & { code?: string }): Record<string, unknown> {
  return { type: error.name, message: error.message, code: error.code, stack: error.stack }
}

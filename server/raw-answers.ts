/** Handles requests that only the owner of the HTTP server can: without Host, with Expect, or malformed. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { ERRORS, type ErrorCode, ProblemError, toProblem } from '../contract/errors.ts'

export default fp(
  async (app) => {
    // Node's own responses have no body. A missing Host gets a problem document; an unknown Expect is ignored.
    app.addHook('onRequest', ({ raw, headers }, _reply, done) => {
      if (headers.host === undefined && raw.httpVersion === '1.1')
        done(new ProblemError('BAD_REQUEST', 'Send a Host header'))
      else done()
    })
    app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  },
  { name: 'raw-answers' },
)

/**
 * Handles Node's `clientError`: for a request that the HTTP parser rejects there is only a socket. `headersFor` returns the
 * CORS headers for an origin, or for any page if it is unknown; the response contains no user data.
 */
export function answerBrokenRequest(
  error: Error & { code?: string; rawPacket?: unknown },
  socket: Socket,
  headersFor: (origin: string | undefined | null) => Record<string, string>,
): void {
  // The bytes follow a request that is being answered; a second response would corrupt the first.
  const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage?.headersSent
  if (error.code === 'ECONNRESET' || !socket.writable || answering) return void socket.destroy()
  const code: ErrorCode =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'HEADERS_TOO_LARGE'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'REQUEST_TIMEOUT'
        : 'BAD_REQUEST'
  const { status, title } = ERRORS[code]
  const body = JSON.stringify(toProblem(code, 'The bytes received are not a valid HTTP request'))
  // Only the last packet is available, and the header may have been in an earlier one.
  const origin = /^origin:[ \t]*(\S+)[ \t]*\r?$/im.exec(textOf(error.rawPacket))?.[1]
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...headersFor(origin ?? null),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`)
}

function textOf(packet: unknown): string {
  return Buffer.isBuffer(packet) ? packet.toString('latin1') : ''
}

/** What only the owner of the HTTP server can answer: requests without a Host, an Expect header, and bytes that are no request. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { ERRORS, type ErrorCode, ProblemError, toProblem } from '../contract/errors.ts'

export default fp(
  async (app) => {
    // Node's own answers to these two would have no body: the first is ours, the other may be passed over.
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
 * For Node's `clientError`: what the HTTP parser refuses has no request and no reply, only a socket. `headersFor` gives
 * the headers for the page of some origin, or, when that is not known, for any page: the answer tells nothing of anybody.
 */
export function answerBrokenRequest(
  error: Error & { code?: string; rawPacket?: unknown },
  socket: Socket,
  headersFor: (origin: string | undefined | null) => Record<string, string>,
): void {
  // Bytes behind a request whose answer is under way: a second answer would be written into the first.
  const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage?.headersSent
  if (error.code === 'ECONNRESET' || !socket.writable || answering) return void socket.destroy()
  const code: ErrorCode =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'HEADERS_TOO_LARGE'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'REQUEST_TIMEOUT'
        : 'BAD_REQUEST'
  const { status, title } = ERRORS[code]
  const body = JSON.stringify(toProblem(code, 'The bytes received are no HTTP request this server reads'))
  // Only the last packet is here: the header may have been in one before it.
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

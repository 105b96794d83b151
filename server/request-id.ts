/** `X-Request-ID`: taken from the caller or generated. Every log line of the request and its response contain it. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import fp from 'fastify-plugin'

const HEADER = 'x-request-id'
/** Anything else could be hard to read in a log. */
const ACCEPTED = /^[\w.:/+=@-]{1,128}$/

export default fp(
  async (app) => {
    app.addHook('onRequest', (request, reply, done) => {
      reply.header(HEADER, request.id)
      done()
    })
  },
  { name: 'request-ids' },
)

export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[HEADER]
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID()
}

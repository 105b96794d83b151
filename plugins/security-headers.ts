/**
 * Adds helmet's security headers to every response. They are computed once. Strict-Transport-Security is only sent over TLS,
 * which may end at a trusted proxy; over plain http browsers ignore the header (RFC 6797, 7.2).
 */
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fp from 'fastify-plugin'
import helmet, { type HelmetOptions } from 'helmet'

export default fp<HelmetOptions>(
  async (app, options) => {
    const { 'strict-transport-security': hsts, ...headers } = await headersOf(options)
    app.addHook('onRequest', (request, reply, done) => {
      reply.headers(headers)
      if (hsts && request.protocol === 'https') reply.header('strict-transport-security', hsts)
      done()
    })
  },
  { name: 'security-headers' },
)

/** The headers that helmet sets on an empty response. */
export async function headersOf(options: HelmetOptions): Promise<Record<string, string>> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  await new Promise<void>((resolve, reject) => {
    helmet(options)(request, response, (error) => (error ? reject(error) : resolve()))
  })
  return { ...(response.getHeaders() as Record<string, string>) }
}

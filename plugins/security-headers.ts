/** Adds helmet's security headers to every response. They never differ, so they are computed once. */
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fp from 'fastify-plugin'
import helmet, { type HelmetOptions } from 'helmet'

export default fp<HelmetOptions>(
  async (app, options) => {
    const headers = await headersOf(options)
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers(headers)
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

/** The console's pages under /console/, from the folder its build has filled. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { headersOf } from './security-headers.ts'

export interface ConsoleOptions {
  /** Asked at each request: the folder with index.html and what it needs. May build it when asked first. */
  files: () => Promise<string>
}

/** Only what comes from here runs, and no text becomes markup: `style` attributes and inline scripts are refused. */
const PAGE_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
}
const PAGE = 'index.html'
/** The build puts a hash of its content into the name of everything but the page. */
const HASHED = /-[A-Z0-9]{8}\.\w+$/
const YEAR_MS = 31_536_000_000

export default fp<ConsoleOptions>(
  async (app, { files }) => {
    await app.register(fastifyStatic, { serve: false, preCompressed: true })
    const headers = await headersOf({
      contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
    })

    app.get('/', { schema: { hide: true } }, async (request, reply) => {
      // Programs that look at the root are told as before that nothing is there.
      if (request.accepts().type(['json', 'html']) !== 'html') return reply.callNotFound()
      return reply.redirect(`${app.stagecast.base(request)}/console/`)
    })
    app.get('/console', { schema: { hide: true } }, async (request, reply) =>
      reply.redirect(`${app.stagecast.base(request)}/console/`),
    )
    app.get('/console/*', { schema: { hide: true } }, async (request, reply) =>
      send(reply, (request.params as { '*': string })['*'] || PAGE),
    )

    async function send(reply: FastifyReply, name: string): Promise<FastifyReply> {
      const forever = HASHED.test(name)
      reply.headers(headers)
      // The page names the scripts of its version, so a browser must ask whether it is still the newest.
      if (!forever) reply.header('cache-control', 'no-cache')
      const options = forever ? { maxAge: YEAR_MS, immutable: true } : { cacheControl: false }
      return reply.sendFile(name, await files(), options)
    }
  },
  { name: 'console', dependencies: ['base', 'errors', '@fastify/accepts'] },
)

/** The pages that the build has put beside the compiled code; null in a working copy. */
export function builtConsole(): ConsoleOptions['files'] | null {
  const folder = join(import.meta.dirname, '..', 'console')
  return existsSync(join(folder, PAGE)) ? async () => folder : null
}

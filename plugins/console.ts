/** Serves the built console under /console/. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { headersOf } from './security-headers.ts'

export interface ConsoleOptions {
  /** Returns the folder with index.html; called on each request. The first call may build it. */
  files: () => Promise<string>
}

/** Allows scripts and styles from this origin only; blocks inline scripts and `style` attributes. */
const PAGE_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  // The page fetches a job's files with the token and shows them from memory.
  imgSrc: ["'self'", 'blob:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
}
const PAGE = 'index.html'
/** The build puts a content hash into every file name except that of the page. */
const HASHED = /-[A-Z0-9]{8}\.\w+$/
const YEAR_MS = 31_536_000_000

export default fp<ConsoleOptions>(
  async (app, { files }) => {
    await app.register(fastifyStatic, { serve: false, preCompressed: true })
    const headers = await headersOf({
      contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
    })

    app.get('/', { schema: { hide: true } }, async (request, reply) => {
      // Redirect browsers only; other clients still get 404 at the root.
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
      // The page refers to the scripts of its version, so browsers must revalidate it.
      if (!forever) reply.header('cache-control', 'no-cache')
      const options = forever ? { maxAge: YEAR_MS, immutable: true } : { cacheControl: false }
      return reply.sendFile(name, await files(), options)
    }
  },
  { name: 'console', dependencies: ['base', 'errors', '@fastify/accepts'] },
)

/** The built console, next to the compiled code; null in a working copy. */
export function builtConsole(): ConsoleOptions['files'] | null {
  const folder = join(import.meta.dirname, '..', 'console')
  return existsSync(join(folder, PAGE)) ? async () => folder : null
}

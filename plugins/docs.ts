/**
 * The OpenAPI document, made from the route schemas, and its page. The routes are in this document alone: one that the
 * application around makes of its own routes shows them only if that is wanted.
 */
import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyRequest, FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { nameParts } from '../contract/document.ts'

export interface DocsOptions {
  /** Default: that of this package. */
  version?: string | undefined
  /** Whether the document of the application around shows our routes too. */
  shared: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of one of our routes: its schema as our own document shows it. */
    stagecastSchema?: FastifySchema
  }
}

export default fp<DocsOptions>(
  async (app, { version = VERSION, shared }) => {
    app.addHook('onRoute', (route) => {
      if (!route.schema || route.schema.hide) return
      route.config = { ...route.config, stagecastSchema: route.schema }
      // How callers prove who they are is a matter of the application around: it has other names for it, or none.
      const { security: _, ...open } = route.schema
      route.schema = shared ? open : { ...route.schema, hide: true }
    })
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Stagecast',
          version,
          description:
            'Queue a research stage, run it once, watch it live. Errors are RFC 9457 problem documents; their codes are stable.',
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: app.prefix || '/' }],
        tags: [
          { name: 'stages', description: 'What can be run, and running it' },
          { name: 'jobs', description: 'One run of a stage: state, events, results' },
          { name: 'workflows', description: 'All your jobs of a workflow, watched as one' },
          { name: 'operation', description: 'Health of this process' },
        ],
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
            ticket: {
              type: 'apiKey',
              in: 'query',
              name: 'ticket',
              description: 'opens the events of one job, or of one workflow',
            },
          },
        },
      },
      transform: ({ schema, url, route }) => ({ url, schema: route.config?.stagecastSchema ?? schema }),
    })
    let document: object | undefined

    /** As it is for whoever asks: the paths in it begin where this application is found. */
    function documentFor(request: FastifyRequest) {
      document ??= nameParts(withoutForeign(app.swagger()))
      return { ...document, servers: [{ url: app.stagecast.base(request) || '/' }] }
    }

    await app.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: app.prefix,
      staticCSP: true,
      uiConfig: { validatorUrl: null },
      uiHooks: {
        onRequest(request, reply, done) {
          // Behind a proxy that removed a prefix only the addresses of `/docs/` are right: they are relative.
          const base = app.stagecast.base(request)
          if (base !== app.prefix && /\/docs(\?|$)/.test(request.url)) reply.redirect(`${base}/docs/`)
          else done()
        },
      },
      transformSpecification: (_document, request) => documentFor(request),
      transformSpecificationClone: false,
    })
    app.get('/openapi.json', { schema: { hide: true } }, async (request) => documentFor(request))
  },
  { name: 'docs', dependencies: ['base'] },
)

/** Our schemas stand in the routes, each under its title; those with an id are of the application around. */
function withoutForeign(document: object): object {
  const { components, ...rest } = document as { components?: object }
  return { ...rest, components: { ...components, schemas: {} } }
}

/** The version in package.json, one level above the sources and two above the compiled code. */
export const VERSION: string = readVersion()

function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
    } catch {}
  }
  return 'unknown'
}

/**
 * The OpenAPI document, generated from the route schemas, and the page that shows it. The host's own document contains our
 * routes only if `shared` is set.
 */
import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyRequest, FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { nameParts } from '../contract/document.ts'

export interface DocsOptions {
  /** Default: the version of this package. */
  version?: string | undefined
  /** Whether the host's own OpenAPI document also shows our routes. */
  shared: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Schema of one of our routes, as our own document shows it. */
    stagecastSchema?: FastifySchema
  }
}

export default fp<DocsOptions>(
  async (app, { version = VERSION, shared }) => {
    app.addHook('onRoute', (route) => {
      if (!route.schema || route.schema.hide) return
      route.config = { ...route.config, stagecastSchema: route.schema }
      // Drop our security schemes: the host may name its own differently, or have none.
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
            'Queue a research stage, run it once and watch it live. Errors are RFC 9457 problem documents with stable codes.',
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: app.prefix || '/' }],
        tags: [
          { name: 'stages', description: 'List and run stages' },
          { name: 'jobs', description: 'One execution of a stage: state, events, results' },
          { name: 'workflows', description: 'Watch all your jobs in a workflow in one stream' },
          { name: 'runs', description: 'Take a workflow through several stages, with reuse and sign-off' },
          { name: 'caller', description: 'The caller that the token identifies' },
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
      transform: ({ schema, url, route }) => ({
        url,
        schema: withHiddenKeywords(route.config?.stagecastSchema ?? schema),
      }),
    })
    let document: object | undefined

    /** The document with paths that include the caller's prefix. */
    function documentFor(request: FastifyRequest) {
      document ??= nameParts(withShownKeywords(withoutForeign(app.swagger())))
      return { ...document, servers: [{ url: app.stagecast.base(request) || '/' }] }
    }

    await app.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: app.prefix,
      staticCSP: true,
      uiConfig: { validatorUrl: null },
      uiHooks: {
        onRequest(request, reply, done) {
          // Behind a proxy that removes a prefix, only relative addresses such as those under `/docs/` work.
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

/** Removes the host's schemas, which have an id. Ours are inline in the routes and have titles. */
function withoutForeign(document: object): object {
  const { components, ...rest } = document as { components?: object }
  return { ...rest, components: { ...components, schemas: {} } }
}

/** @fastify/swagger weakens these keywords to OpenAPI 3.0. Schemas of inputs therefore pass it with the keywords renamed. */
const KEYWORDS = ['patternProperties', 'contentEncoding']
const HIDDEN = 'x-stagecast-'
/** The pattern that `Type.Record` writes. `additionalProperties` means the same, and client generators understand it. */
const ANY_NAME = '^(.*)$'

function withHiddenKeywords(schema: FastifySchema): FastifySchema {
  const { properties, ...body } = Object(schema.body) as { title?: string; properties?: { inputs?: object } }
  if (!properties?.inputs || !/^Stage\d+Request$/.test(body.title ?? '')) return schema
  const inputs = renamed(properties.inputs, (key, value) =>
    KEYWORDS.includes(key) && Object.keys(Object(value)).join() !== ANY_NAME ? HIDDEN + key : key,
  )
  return { ...schema, body: { ...body, properties: { ...properties, inputs } } }
}

function withShownKeywords(document: object): object {
  return renamed(document, (key) => (key.startsWith(HIDDEN) ? key.slice(HIDDEN.length) : key)) as object
}

function renamed(node: unknown, nameOf: (key: string, value: unknown) => string): unknown {
  if (Array.isArray(node)) return node.map((one) => renamed(one, nameOf))
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [nameOf(key, value), renamed(value, nameOf)]),
  )
}

/** The version in package.json: one folder above the sources, two above the compiled code. */
export const VERSION: string = readVersion()

function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
    } catch {}
  }
  return 'unknown'
}

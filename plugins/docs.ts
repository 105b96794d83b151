/** The OpenAPI document, made from the route schemas, and its page. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { nameParts } from '../contract/document.ts'

export default fp<{ version: string }>(
  async (app, { version }) => {
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
        servers: [{ url: '/' }],
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
      refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
    })
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      uiConfig: { validatorUrl: null },
      transformSpecification: nameParts,
      transformSpecificationClone: false,
    })
    let document: object | undefined
    app.get('/openapi.json', { schema: { hide: true } }, async () => {
      document ??= nameParts(app.swagger())
      return document
    })
  },
  { name: 'docs' },
)

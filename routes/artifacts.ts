/** GET .../artifacts/{name}: a file of a completed job, streamed from the stage service. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { ProblemError } from '../contract/errors.ts'
import { BEARER, headers, JOB_PROBLEMS, JobParams, problems } from './responses.ts'

/** Generated clients get every file as binary: two generators cannot handle a media type with wildcards. */
const FILE = {
  'application/octet-stream': { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) },
}

const schema = {
  operationId: 'getArtifact',
  summary: 'Download a file of a completed job',
  tags: ['jobs'],
  security: BEARER,
  params: Type.Composite([JobParams, Type.Object({ name: Type.String() })]),
  response: {
    // The real content type is the one that the stage service sends.
    200: { description: 'The file', headers: headers('content-disposition', 'etag'), content: FILE },
    206: {
      description: 'The range',
      headers: headers('content-disposition', 'content-range'),
      content: FILE,
    },
    304: Type.Null({ description: 'Not modified' }),
    ...problems(416, 502, ...JOB_PROBLEMS),
  },
}

const PASSED_ON = ['range', 'if-none-match', 'if-range'] as const
const PASSED_BACK = [
  'content-type',
  'content-encoding',
  'content-length',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
]

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/api/workflow/stages/:stage/jobs/:job_id/artifacts/:name',
    exposeHeadRoute: false,
    schema,
    onRequest: [app.stagecast.authenticate, app.stagecast.throttle],
    async handler(request, reply) {
      const { stage, job_id, name } = request.params
      const { result } = await app.stagecast.access.shown(request)
      if (!result?.artifacts.includes(name))
        throw new ProblemError(
          'ARTIFACT_NOT_FOUND',
          `The result of the job lists its files; ${quoted(name)} is not among them`,
        )
      const headers = Object.fromEntries(
        PASSED_ON.flatMap((header) =>
          request.headers[header] ? [[header, String(request.headers[header])]] : [],
        ),
      )
      const { signal } = request
      const file = await app.stagecast.artifacts.open(stage, job_id, name, { headers, signal })
      for (const header of PASSED_BACK) {
        const value = file.headers[header]
        if (value !== undefined) reply.header(header, value)
      }
      // Keep the service's content type, but never let a browser open the file as a page of this origin.
      reply.header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
      return reply
        .code(file.statusCode as 200 | 206 | 304)
        .serializer(String)
        .send(file.body)
    },
  })
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100))
}

export default fp(routes, {
  name: 'artifact-routes',
  encapsulate: true,
  dependencies: ['artifacts', 'access', 'limits'],
})

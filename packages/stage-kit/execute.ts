/** POST /api/workflow/stages/:stage/execute */
import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { StageRequest } from '../../contract/service.ts'
import { toJob } from './job.ts'
import type { Run } from './run.ts'
import { type Runs, stageNotFound } from './runs.ts'
import type { StageTable } from './stage.ts'

export interface ExecuteOptions {
  runs: Runs
  stages: StageTable
  heartbeatMs: number
}

const Params = Type.Object({ stage: Type.String() })
const Headers = Type.Object({ 'idempotency-key': Type.Optional(Type.String()) })

export const executeRoute: FastifyPluginAsyncTypebox<ExecuteOptions> = async (app, options) => {
  const { runs, stages, heartbeatMs } = options

  app.post(
    '/api/workflow/stages/:stage/execute',
    {
      schema: { params: Params, headers: Headers, body: StageRequest },
      // Check the stage before the body, so that an unknown stage is a 404 whatever was sent.
      onRequest: async ({ params }) => {
        if (!stages.has(stageNumber(params.stage))) throw stageNotFound(params.stage.slice(0, 20), stages)
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key']
      const job = toJob(stageNumber(request.params.stage), request.body, key)
      const { run, leave } = runs.call(job)
      const left = new AbortController()
      const hangUp = () => {
        left.abort()
        leave()
      }
      // The response closes with the connection; the request already closes with its body.
      reply.raw.once('close', hangUp)
      if (reply.raw.destroyed) hangUp()
      await run.opened
      if (!wantsLines(request.headers.accept)) return run.answer
      reply.header('content-type', 'application/x-ndjson').header('cache-control', 'no-store')
      reply.header('x-accel-buffering', 'no')
      // highWaterMark 1: each line is made once the last one is sent, so a slow reader costs no memory.
      return reply.send(
        Readable.from(ndjson(run, heartbeatMs, left.signal), { objectMode: false, highWaterMark: 1 }),
      )
    },
  )
}

async function* ndjson(run: Run, heartbeatMs: number, left: AbortSignal): AsyncGenerator<string> {
  for await (const line of run.lines(heartbeatMs, left)) yield `${JSON.stringify(line)}\n`
}

/** Whether the client names NDJSON. A client that accepts any type gets one JSON answer. */
function wantsLines(accept = ''): boolean {
  return accept.split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    return type === 'application/x-ndjson' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
  })
}

/** The stage number, or NaN if it is not a plain positive integer. */
function stageNumber(text: string): number {
  return /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : Number.NaN
}

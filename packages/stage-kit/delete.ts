/** DELETE /api/workflow/jobs/:job_id: deletes a finished job and its files. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { jobIdOf } from './job.ts'
import type { Runs } from './runs.ts'
import { StageFailure } from './stage.ts'
import type { Store } from './store.ts'

const Params = Type.Object({ job_id: Type.String() })

export const deleteRoute: FastifyPluginAsyncTypebox<{ store: Store; runs: Runs }> = async (
  app,
  { store, runs },
) => {
  app.delete('/api/workflow/jobs/:job_id', { schema: { params: Params } }, async (request, reply) => {
    const jobId = jobIdOf(request.params.job_id)
    if (jobId && runs.isRunning(jobId))
      throw new StageFailure(409, 'JOB_RUNNING', 'The job is still running; cancel it first.')
    if (!jobId || !(await store.discard(jobId)))
      throw new StageFailure(404, 'JOB_NOT_FOUND', 'No finished job has this id.')
    return reply.code(204).send()
  })
}

/** Deletes finished jobs: first their files at the stage service, then their data in Redis. */
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { NO_SUCH_WORKFLOW, ProblemError, unavailable } from '../contract/errors.ts'
import { isTerminal } from '../contract/events.ts'
import type { JobSnapshot } from '../contract/job.ts'
import { forgetJob, forgetWorkflow, jobsOfWorkflow } from '../journal/forget.ts'

type Deleter = Pick<FastifyRequest, 'stagecast' | 'log'>

declare module './core.ts' {
  interface Stagecast {
    deletion: {
      /** Throws 409 unless the job has finished, and 503 if the service or Redis did not confirm. Repeat the call to continue. */
      job(by: Deleter, job: JobSnapshot): Promise<void>
      /** Deletes all jobs of a workflow, one after the other. Throws 404 if the workflow does not exist. */
      workflow(by: Deleter, userId: string, workflowId: string): Promise<void>
    }
  }
}

/** The worker of a job that has just ended still holds its lock for a moment. */
const TRIES = 20
const BETWEEN_MS = 100

export default fp<{ resultTtlSeconds: number }>(
  async (app, { resultTtlSeconds }) => {
    const { redis, journal, fromRedis, artifacts, queue, runs } = app.stagecast
    const options = { redis, keys: journal.keys, resultTtlSeconds, remove }

    app.stagecast.deletion = {
      async job(by, job) {
        requireFinished(job)
        if (await fromRedis(runs.store.holds(job.job_id)))
          throw new ProblemError('JOB_NOT_FINISHED', `A run uses job ${job.job_id}: cancel the run first`)
        await artifacts.discard(job.stage, job.job_id)
        if (!(await fromRedis(forgetJob(options, job)))) throw unavailable()
        await fromRedis(runs.store.forgetJob(job.job_id))
        by.log.info({ actor: by.stagecast.user.id, jobId: job.job_id }, 'a job was deleted')
      },
      async workflow(by, userId, workflowId) {
        let isKnown = false
        // Repeat, because a job may have been queued meanwhile. If it has not finished, it stops the deletion.
        for (;;) {
          const { jobIds, newest } = await fromRedis(jobsOfWorkflow(options, userId, workflowId))
          const jobs = await Promise.all(jobIds.map((id) => journal.snapshot(id)))
          const present = jobs.filter((job) => job !== null)
          if (!isKnown && newest === '' && present.length === 0)
            throw new ProblemError('WORKFLOW_NOT_FOUND', NO_SUCH_WORKFLOW)
          isKnown = true
          for (const job of present) requireFinished(job)
          for (const job of present) await app.stagecast.deletion.job(by, job)
          await fromRedis(runs.store.forgetWorkflow({ user_id: userId, workflow_id: workflowId }))
          if (await fromRedis(forgetWorkflow(options, userId, workflowId, newest))) break
        }
        by.log.info({ actor: by.stagecast.user.id, workflowId }, 'a workflow was deleted')
      },
    }

    async function remove(jobId: string): Promise<void> {
      for (let left = TRIES; !(await queue.remove(jobId)); left -= 1) {
        if (left === 0) throw new Error('a worker holds the finished job')
        await delay(BETWEEN_MS)
      }
    }
  },
  { name: 'deletion', dependencies: ['journal', 'queue', 'artifacts', 'runs'] },
)

function requireFinished({ status, job_id }: JobSnapshot): void {
  if (isTerminal(status)) return
  throw new ProblemError(
    'JOB_NOT_FINISHED',
    `Job ${job_id} is ${status}: cancel it first, or wait until it ends`,
  )
}

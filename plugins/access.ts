/**
 * Which jobs and workflows a caller may use: their own, or for an administrator those of all users. An administrator's
 * action on another user's job is logged.
 */
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../contract/errors.ts'
import type { JobSnapshot } from '../contract/job.ts'
import { requireOwn } from '../journal/reader.ts'
import type { Caller } from './auth.ts'

export type Act = 'read' | 'cancel' | 'delete' | 'retry'

/** A request for one job. */
export type JobRequest = Pick<FastifyRequest, 'stagecast' | 'log'> & {
  params: { stage: number; job_id: string }
}

declare module './core.ts' {
  interface Stagecast {
    access: {
      /** The job of the route. Throws 404 unless it exists and the caller may use it. */
      job(request: JobRequest, act: Act): Promise<JobSnapshot>
      /** The same for reading state and files, which people who may sign off the result can read too. */
      shown(request: JobRequest): Promise<JobSnapshot>
      /** Whether a caller may see another user's job because they may sign off its result. */
      isShown(caller: Caller, job: JobSnapshot): Promise<boolean>
      /** Checks access like `job`, for a job that was already read. */
      judge(request: JobRequest, act: Act, job: JobSnapshot | null): JobSnapshot
      /** The user whose jobs or workflows are meant: the caller, or the `owner` that an administrator names. */
      owner(request: Pick<FastifyRequest, 'stagecast'>, owner: string | undefined): string
      /** Logs what an administrator does to another user's job or workflow. */
      log(request: Pick<FastifyRequest, 'stagecast' | 'log'>, act: Act, of: string, what: object): void
    }
  }
}

export default fp(
  async (app) => {
    const { journal } = app.stagecast
    app.stagecast.access = {
      job: async (request, act) => judge(request, act, await journal.snapshot(request.params.job_id)),
      async shown(request) {
        const job = await journal.snapshot(request.params.job_id)
        const { user } = request.stagecast
        const isForeign = job !== null && job.data.user_id !== user.id && !user.admin && !user.byTicket
        if (isForeign && (await app.stagecast.access.isShown(user, job)))
          return requireOwn(job, request.params.stage, null)
        return judge(request, 'read', job)
      },
      isShown: async () => false,
      judge,
      owner({ stagecast: { user } }, owner) {
        if (owner === undefined) return user.owner ?? user.id
        if (user.admin) return owner
        throw new ProblemError(
          'FORBIDDEN',
          "owner is for administrators: the caller's scopes must contain admin",
        )
      },
      log,
    }

    function judge(request: JobRequest, act: Act, found: JobSnapshot | null): JobSnapshot {
      const { user } = request.stagecast
      const job = requireOwn(found, request.params.stage, user.byTicket || user.admin ? null : user.id)
      if (!user.byTicket) log(request, act, job.data.user_id, { jobId: job.job_id })
      return job
    }

    function log(
      { stagecast: { user }, log }: Pick<FastifyRequest, 'stagecast' | 'log'>,
      act: Act,
      of: string,
      what: object,
    ): void {
      if (user.admin && user.id !== of)
        log.info({ actor: user.id, act, ...what }, `an administrator's ${act}`)
    }
  },
  { name: 'access', dependencies: ['journal', 'auth'] },
)

/** Which runs a caller may see: their own, those that they may sign off, and for an administrator all runs. */
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { NO_SUCH_RUN, ProblemError } from '../contract/errors.ts'
import { userDigest } from '../journal/ids.ts'
import { workflowName } from '../journal/order.ts'
import type { RunDocument } from '../runs/document.ts'
import type { StoredRun } from '../runs/store.ts'
import type { Act } from './access.ts'
import type { Caller } from './auth.ts'

type Asking = Pick<FastifyRequest, 'stagecast' | 'log'>

declare module './core.ts' {
  interface Stagecast {
    runAccess: {
      /** Throws 404 unless the run exists and the caller may do this to it. Callers who may sign off may also read. */
      find(request: Asking, ids: { workflow_id: string; run_id: string }, act: Act): Promise<StoredRun>
      /** Key of the feed of its workflow. */
      feedOf(run: RunDocument): string
      /** Whether the caller may decide at the gates of this run. */
      maySign(caller: Caller, run?: RunDocument): boolean
      /** Key of the list of steps that wait for the caller; null if the caller may not sign off. */
      waitingFor(caller: Caller): string | null
    }
  }
}

export default fp<{ signOffScope?: string | undefined }>(
  async (app, { signOffScope: scope }) => {
    const { access, fromRedis, journal, redis, runs } = app.stagecast
    const hasScope = ({ scopes = [] }: Caller) => scope !== undefined && scopes.includes(scope)

    app.stagecast.runAccess = {
      async find(request, { workflow_id, run_id }, act) {
        const { user } = request.stagecast
        const run = await fromRedis(runs.store.run(run_id))
        const isThere = run?.document.workflow_id === workflow_id
        if (run && isThere && (user.id === run.document.user_id || user.admin)) {
          access.log(request, act, run.document.user_id, { runId: run_id })
          return run
        }
        if (run && isThere && act === 'read' && isShownTo(user, run.document)) return run
        throw new ProblemError('RUN_NOT_FOUND', NO_SUCH_RUN)
      },
      feedOf: ({ user_id, workflow_id }) => workflowName(user_id, workflow_id),
      maySign: (caller, run) => (scope === undefined ? caller.id === run?.user_id : hasScope(caller)),
      waitingFor(caller) {
        if (scope === undefined) return journal.keys.own('runs-waiting-of', userDigest(caller.id))
        return hasScope(caller) ? journal.keys.own('runs-waiting') : null
      },
    }

    access.isShown = async (caller, { job_id, run_id }) => {
      if (!hasScope(caller)) return false
      const users = await fromRedis(redis.smembers(journal.keys.own('held', job_id)))
      // The list of users contains a run only once the job has a result; until then, the job names its run.
      const runIds = run_id === undefined ? users : [...new Set([...users, run_id])]
      const found = await fromRedis(runs.store.runs(runIds))
      return found.some((run) => run && isShownTo(caller, run.document))
    }

    function isShownTo(caller: Caller, { steps }: RunDocument): boolean {
      if (!hasScope(caller)) return false
      return steps.some(
        ({ status, sign_off }) =>
          status === 'awaiting_sign_off' || (sign_off?.decision && sign_off.decision.by === caller.id),
      )
    }
  },
  { name: 'run-access', dependencies: ['access', 'runs'] },
)

/** React hooks for a live view of a job or of all jobs in a workflow. For React 18 and 19. */
import { useMemo, useSyncExternalStore } from 'react'
import { followJob, type JobView, NO_JOB } from '../job-view.ts'
import type { Stagecast } from '../stagecast.ts'
import type { JobReference } from '../types.ts'
import { followWorkflow, NO_WORKFLOW, type WatchedJob, type WorkflowView } from '../workflow-view.ts'
import { type Following, LiveStore } from './live-store.ts'
import { Reader } from './shared.ts'

export type { JobReference, JobView, WatchedJob, WorkflowView }

/** What both hooks return besides the view. */
export interface Live extends Following {
  /** Follows again after a failure, for example once the user has signed in again. */
  retry: () => void
}

/**
 * Follows a job until it ends. Create `client` outside the component, so that it stays the same. Pass null for `job` to
 * follow nothing yet. It recovers from lost connections, expired tokens and a lost network. Components that follow the same
 * job with the same client share one connection.
 */
export function useJob(client: Stagecast, job: JobReference | null): JobView & Live {
  // Depend on the values: the object may be new at each render.
  const stage = job?.stage ?? 0
  const job_id = job?.job_id ?? ''
  const reader = useMemo(() => {
    const store = new LiveStore<JobView>(
      NO_JOB,
      job_id === ''
        ? null
        : (view, signal, change) => followJob(client, { stage, job_id }, view, signal, change),
    )
    return new Reader(client, `job ${stage} ${job_id}`, store)
  }, [client, stage, job_id])
  return useLive(reader)
}

/** Follows all your jobs in a workflow, including later ones, over one connection. It never ends. */
export function useWorkflow(client: Stagecast, workflowId: string | null): WorkflowView & Live {
  const reader = useMemo(() => {
    const store = new LiveStore<WorkflowView>(
      NO_WORKFLOW,
      workflowId === null
        ? null
        : (_view, signal, change) => followWorkflow(client, workflowId, signal, change),
    )
    return new Reader(client, `workflow ${workflowId}`, store)
  }, [client, workflowId])
  return useLive(reader)
}

function useLive<View extends object>(reader: Reader<View>): View & Live {
  // A server renders the state before the first answer.
  const view = useSyncExternalStore(reader.subscribe, reader.snapshot, reader.snapshot)
  return { ...view, retry: reader.retry }
}

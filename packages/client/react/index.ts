/** React hooks over the client: a job, or all jobs of a workflow, live. For React 18 and 19. */
import { useMemo, useSyncExternalStore } from 'react'
import { followJob, type JobView, NO_JOB } from '../job-view.ts'
import type { Stagecast } from '../stagecast.ts'
import type { JobReference } from '../types.ts'
import { followWorkflow, NO_WORKFLOW, type WatchedJob, type WorkflowView } from '../workflow-view.ts'
import { type Following, LiveStore } from './live-store.ts'

export type { JobReference, JobView, WatchedJob, WorkflowView }

/** What both hooks give beside what they follow. */
export interface Live extends Following {
  /** Follows again after a failure, e.g. once the user has signed in again. */
  retry: () => void
}

/**
 * A job, until it is over. `client` is made outside the component, so that it stays the same; null for `job` follows
 * nothing yet. Lost connections, an expired token and a network that comes back are dealt with.
 */
export function useJob(client: Stagecast, job: JobReference | null): JobView & Live {
  // Not the object, which may be a new one at each render.
  const stage = job?.stage ?? 0
  const job_id = job?.job_id ?? ''
  const store = useMemo(
    () =>
      new LiveStore<JobView>(
        NO_JOB,
        job_id === ''
          ? null
          : (view, signal, change) => followJob(client, { stage, job_id }, view, signal, change),
      ),
    [client, stage, job_id],
  )
  return useLive(store)
}

/** All your jobs of a workflow over one connection, those that are started later too. It has no end. */
export function useWorkflow(client: Stagecast, workflowId: string | null): WorkflowView & Live {
  const store = useMemo(
    () =>
      new LiveStore<WorkflowView>(
        NO_WORKFLOW,
        workflowId === null
          ? null
          : (_view, signal, change) => followWorkflow(client, workflowId, signal, change),
      ),
    [client, workflowId],
  )
  return useLive(store)
}

function useLive<View>(store: LiveStore<View>): View & Live {
  // What a server renders is what is there before the first answer.
  const view = useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot)
  return { ...view, retry: store.retry }
}

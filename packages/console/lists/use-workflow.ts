/** Follows all jobs of a workflow over one connection until the page is left. */
import { useEffect, useState } from 'preact/hooks'
import { type WorkflowView as Followed, followWorkflow, NO_WORKFLOW } from '../../client/workflow-view.ts'
import { stagecast, tellFailure } from '../api/api.ts'

export interface WorkflowView extends Followed {
  /** Why the workflow can no longer be followed; '' while it can. */
  failure: string
}

export function useWorkflow(id: string): WorkflowView {
  const [view, setView] = useState<WorkflowView>({ ...NO_WORKFLOW, failure: '' })
  useEffect(() => {
    const leaving = new AbortController()
    const change = (next: (view: Followed) => Followed) => {
      if (!leaving.signal.aborted) setView((now) => ({ ...now, ...next(now) }))
    }
    followWorkflow(stagecast, id, leaving.signal, change).catch((error) => {
      if (!leaving.signal.aborted) setView((now) => ({ ...now, failure: tellFailure(error) }))
    })
    return () => leaving.abort()
  }, [id])
  return view
}

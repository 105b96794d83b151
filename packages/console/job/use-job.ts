/** Follows one job live until it ends or the page is left. */
import { useEffect, useState } from 'preact/hooks'
import { type JobView as Followed, followJob, NO_JOB } from '../../client/job-view.ts'
import { stagecast, tellFailure } from '../api/api.ts'

export interface JobView extends Followed {
  /** Why the job can no longer be followed; '' while it can. */
  failure: string
}

export function useJob(stage: number, job_id: string): JobView {
  const [view, setView] = useState<JobView>({ ...NO_JOB, failure: '' })
  useEffect(() => {
    const leaving = new AbortController()
    const change = (next: (view: Followed) => Followed) => {
      if (!leaving.signal.aborted) setView((now) => ({ ...now, ...next(now) }))
    }
    followJob(stagecast, { stage, job_id }, NO_JOB, leaving.signal, change).catch((error) => {
      if (!leaving.signal.aborted) setView((now) => ({ ...now, failure: tellFailure(error) }))
    })
    return () => leaving.abort()
  }, [stage, job_id])
  return view
}

export function isOver(status: string): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

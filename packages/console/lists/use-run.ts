/** Follows one run by its id until it ends or the page is left: also for those who may see nothing else of its workflow. */
import { useEffect, useState } from 'preact/hooks'
import type { Run, RunReference } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'

/** Seconds. */
const WAIT = 25

export function useRun({ workflow_id, run_id }: RunReference): { run: Run | null; failure: string } {
  const [state, setState] = useState<{ run: Run | null; failure: string }>({ run: null, failure: '' })
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    const follow = async () => {
      for (let after: string | undefined; !signal.aborted; ) {
        const query = { signal, ...(after !== undefined && { after, wait: WAIT }) }
        const run: Run = await persist(() => stagecast.runs.get({ workflow_id, run_id }, query), signal)
        if (signal.aborted) return
        setState({ run, failure: '' })
        if (run.finished_at !== null) return
        after = run.cursor
      }
    }
    follow().catch((error) => {
      if (!signal.aborted) setState((now) => ({ ...now, failure: tellFailure(error) }))
    })
    return () => leaving.abort()
  }, [workflow_id, run_id])
  return state
}

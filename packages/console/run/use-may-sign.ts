/** Whether a step is in the list of what waits for the user: the API's own answer to "may I sign?". */
import { useEffect, useState } from 'preact/hooks'
import type { RunReference } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'

export function useMaySign({ run_id }: RunReference, stage: number) {
  const [state, setState] = useState<{ maySign: boolean | null; failure: string }>({
    maySign: null,
    failure: '',
  })
  useEffect(() => {
    const leaving = new AbortController()
    isListed(run_id, stage, leaving.signal).then(
      (maySign) => leaving.signal.aborted || setState({ maySign, failure: '' }),
      (error) => leaving.signal.aborted || setState({ maySign: null, failure: tellFailure(error) }),
    )
    return () => leaving.abort()
  }, [run_id, stage])
  return state
}

async function isListed(run_id: string, stage: number, signal: AbortSignal): Promise<boolean> {
  for (let after: string | undefined; ; ) {
    const query = { limit: 100, after, signal }
    const { sign_offs, next } = await persist(() => stagecast.runs.signOffs(query), signal)
    if (sign_offs.some((one) => one.run_id === run_id && one.stage === stage)) return true
    if (next === null) return false
    after = next
  }
}

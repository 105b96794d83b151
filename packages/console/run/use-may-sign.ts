/** Whether a step is in the list of what waits for the user: the API's own answer to "may I sign?". */
import type { RunReference } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'

export function useMaySign({ run_id }: RunReference, stage: number) {
  const { value, failure } = useAnswer((signal) => isListed(run_id, stage, signal), [run_id, stage])
  return { maySign: value, failure }
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

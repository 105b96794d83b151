/** The job whose result a step shows. */
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'

/** `job_id`: null reads nothing. */
export function useMade(stage: number, job_id: string | null) {
  const read = job_id
    ? (signal: AbortSignal) => persist(() => stagecast.status({ stage, job_id }, { signal }), signal)
    : null
  const { value, failure } = useAnswer(read, [stage, job_id])
  return { job: value, failure }
}

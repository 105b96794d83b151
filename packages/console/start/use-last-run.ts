/** What a workflow was asked last, so that the form begins with it and the plan says what it voids. */
import { useAnswer } from '../api/use-answer.ts'
import type { OpenApi } from '../form/schema.ts'
import { NO_RUN, readLastRun } from '../run/last-run.ts'

export function useLastRun(workflow_id: string, document: OpenApi | null) {
  const read =
    workflow_id && document ? (signal: AbortSignal) => readLastRun(workflow_id, document, signal) : null
  const { value, failure } = useAnswer(read, [workflow_id, document])
  return { last: workflow_id ? value : NO_RUN, failure }
}

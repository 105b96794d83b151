/** What the last run of a workflow was asked, so that the form begins with it. */
import { useEffect, useState } from 'preact/hooks'
import { persist } from '../../client/persist.ts'
import { stagecast, tellFailure } from '../api/api.ts'
import type { OpenApi } from '../form/schema.ts'
import { fromBody, type Values } from '../form/values.ts'
import { inputsOf, QUESTION } from '../run/run-fields.ts'

export interface LastRun {
  values: Values
  /** Null where there is no run yet. */
  stages: number[] | null
}

const NONE: LastRun = { values: {}, stages: null }

export function useLastRun(workflow_id: string, document: OpenApi | null) {
  const [state, setState] = useState<{ last: LastRun | null; failure: string }>({
    last: workflow_id ? null : NONE,
    failure: '',
  })
  useEffect(() => {
    if (!workflow_id || !document) return
    const leaving = new AbortController()
    readLast(workflow_id, document, leaving.signal).then(
      (last) => leaving.signal.aborted || setState({ last, failure: '' }),
      (error) => leaving.signal.aborted || setState({ last: null, failure: tellFailure(error) }),
    )
    return () => leaving.abort()
  }, [workflow_id, document])
  return state
}

async function readLast(workflow_id: string, document: OpenApi, signal: AbortSignal): Promise<LastRun> {
  const { runs } = await persist(() => stagecast.runs.list({ workflow_id, limit: 1 }, { signal }), signal)
  const run = runs[0]
  if (!run) return NONE
  let values: Values = {}
  for (const { stage, job_id } of run.steps) {
    if (!job_id) continue
    const { data } = await persist(() => stagecast.status({ stage, job_id }, { signal }), signal)
    const fields = inputsOf(document, stage)
    values = { ...values, ...fromBody(fields, { inputs: { [stage]: data.inputs } }) }
    if (data.research_question) values = { ...values, ...fromBody([QUESTION], { ...data }) }
  }
  return { values, stages: run.steps.map(({ stage }) => stage) }
}

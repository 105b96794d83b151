/** What a workflow was asked last and who approved what, so that the form begins with it and the plan says what it voids. */
import type { Decision } from '../../../contract/run.ts'
import type { Run } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import type { OpenApi } from '../form/schema.ts'
import { fromBody, type Values } from '../form/values.ts'
import { inputsOf, QUESTION } from '../run/run-fields.ts'

export type Approvals = ReadonlyMap<number, Decision>

export interface LastRun {
  values: Values
  /** Null where there is no run yet. */
  stages: number[] | null
  /** By stage, the newest decision if it is an approval. */
  approvals: Approvals
}

const NONE: LastRun = { values: {}, stages: null, approvals: new Map() }
/** An approval may be older than the last run. */
const RUNS = 10

export function useLastRun(workflow_id: string, document: OpenApi | null) {
  const read =
    workflow_id && document ? (signal: AbortSignal) => readLast(workflow_id, document, signal) : null
  const { value, failure } = useAnswer(read, [workflow_id, document])
  return { last: workflow_id ? value : NONE, failure }
}

async function readLast(workflow_id: string, document: OpenApi, signal: AbortSignal): Promise<LastRun> {
  const { runs } = await persist(() => stagecast.runs.list({ workflow_id, limit: RUNS }, { signal }), signal)
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
  return { values, stages: run.steps.map(({ stage }) => stage), approvals: approvalsOf(runs) }
}

function approvalsOf(runs: readonly Run[]): Approvals {
  const newest = new Map<number, Decision>()
  for (const { stage, sign_off } of runs.flatMap(({ steps }) => steps))
    if (sign_off?.decision && !newest.has(stage)) newest.set(stage, sign_off.decision)
  return new Map([...newest].filter(([, { verdict }]) => verdict === 'approved'))
}

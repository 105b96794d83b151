/** What a workflow was asked last, and who approved what. */
import type { Decision } from '../../../contract/run.ts'
import { type Run, StagecastError } from '../../client/index.ts'
import { persist } from '../../client/persist.ts'
import { stagecast } from '../api/api.ts'
import type { OpenApi } from '../form/schema.ts'
import { fromBody, type Values } from '../form/values.ts'
import { inputsOf, QUESTION } from './run-fields.ts'

export type Approvals = ReadonlyMap<number, Decision>

export interface LastRun {
  values: Values
  /** Null before the first run. */
  stages: number[] | null
  /** By stage, the newest decision if it is an approval. */
  approvals: Approvals
}

export const NO_RUN: LastRun = { values: {}, stages: null, approvals: new Map() }
/** An approval may be older than the last run. */
const RUNS = 10

export async function readLastRun(
  workflow_id: string,
  document: OpenApi,
  signal: AbortSignal,
): Promise<LastRun> {
  const { runs } = await persist(() => stagecast.runs.list({ workflow_id, limit: RUNS }, { signal }), signal)
  const run = runs[0]
  if (!run) return NO_RUN
  let values: Values = {}
  for (const { stage, job_id } of run.steps) {
    const asked = job_id && (await askedOf(stage, job_id, signal))
    if (!asked) continue
    const fields = inputsOf(document, stage)
    values = { ...values, ...fromBody(fields, { inputs: { [stage]: asked.inputs } }) }
    if (asked.research_question) values = { ...values, ...fromBody([QUESTION], { ...asked }) }
  }
  return { values, stages: run.steps.map(({ stage }) => stage), approvals: approvalsOf(runs) }
}

/** Null if the job was deleted or has expired: the others still show their inputs. */
async function askedOf(stage: number, job_id: string, signal: AbortSignal) {
  try {
    return (await persist(() => stagecast.status({ stage, job_id }, { signal }), signal)).data
  } catch (error) {
    if (error instanceof StagecastError && [404, 410].includes(error.status)) return null
    throw error
  }
}

function approvalsOf(runs: readonly Run[]): Approvals {
  const newest = new Map<number, Decision>()
  for (const { stage, sign_off } of runs.flatMap(({ steps }) => steps))
    if (sign_off?.decision && !newest.has(stage)) newest.set(stage, sign_off.decision)
  return new Map([...newest].filter(([, { verdict }]) => verdict === 'approved'))
}

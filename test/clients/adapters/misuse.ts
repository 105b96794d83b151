/** Code that must not compile: each line after a remark is a mistake that the generated types must catch. */
import { executeStage2, type JobEvent, type JobStreamData } from '../generated/hey-api'
import type { components, paths } from '../generated/openapi-typescript.ts'
import { listJobs, type JobEvent as OrvalEvent } from '../generated/orval'

type Schemas = components['schemas']
type Review = paths['/api/workflow/stages/2/execute']['post']['requestBody']['content']['application/json']

const workflow_id = '123e4567-e89b-12d3-a456-426614174000'
const research_question = 'Does better sleep improve memory?'

// @ts-expect-error stage 2 needs a question
export const unasked: Review = { workflow_id }
// @ts-expect-error there is no such option
export const unknown: Review = { workflow_id, research_question, inputs: { max_result: 3 } }
// @ts-expect-error there is no such type of event
export const untyped: Schemas['JobEvent']['event'] = 'progressing'
// @ts-expect-error a problem has a code
export const { kind }: Schemas['Problem'] = {} as Schemas['Problem']
// @ts-expect-error a decision needs the digest of the result
export const blind: Schemas['SignOffRequest'] = { verdict: 'approved' }
// @ts-expect-error the state at a gap is a snapshot, not a string
export const gap: JobStreamData = 'gap'

export function narrowing(event: Schemas['JobEvent'] | JobEvent | OrvalEvent) {
  // @ts-expect-error not every event has a result
  if (event.event !== 'completed') return event.data.result
  // @ts-expect-error a completed job has no error
  return event.data.error
}

export function calls() {
  // @ts-expect-error an option of stage 2 has a type
  executeStage2({ body: { workflow_id, research_question, inputs: { max_results: 'three' } } })
  // @ts-expect-error jobs have no such status
  return listJobs({ status: 'done' })
}

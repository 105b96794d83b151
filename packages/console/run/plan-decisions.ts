/** Takes decisions about papers into the workflow of a job: to the plan of its next run, filled in as the last one. */
import type { JobSnapshot } from '../../../contract/job.ts'
import type { OpenApi } from '../form/schema.ts'
import { fromBody, keyOf } from '../form/values.ts'
import { links } from '../state/route.ts'
import { readLastRun } from './last-run.ts'
import { keepRunDraft } from './run-draft.ts'
import { inputsOf } from './run-fields.ts'

export async function planDecisions(
  document: OpenApi,
  { stage, workflow_id, inputs }: JobSnapshot['data'],
  decisions: object,
): Promise<void> {
  const last = await readLastRun(workflow_id, document, new AbortController().signal)
  const fields = inputsOf(document, stage)
  // What this job was asked replaces what the last run asked of its stage.
  const names = new Set(fields.map(keyOf))
  const others = Object.entries(last.values).filter(([key]) => !names.has(key))
  const values = {
    ...Object.fromEntries(others),
    ...fromBody(fields, { inputs: { [stage]: { ...inputs, decisions } } }),
  }
  keepRunDraft(workflow_id, { id: workflow_id, values, chosen: last.stages, rerun: [], plan: true })
  location.hash = links.newRun(workflow_id)
}

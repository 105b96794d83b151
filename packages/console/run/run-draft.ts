/**
 * What was chosen and typed for a run, kept for the tab: reloading loses nothing, and sending a request again whose answer
 * got lost starts no second run.
 */
import { ownName } from '../api/base.ts'
import type { Draft } from '../form/draft.ts'
import type { Values } from '../form/values.ts'

export interface RunDraft {
  /** The workflow that the run will belong to. */
  id: string
  values: Values
  /** Null: the usual stages. */
  chosen: readonly number[] | null
  rerun: readonly number[]
  /** Show the plan as soon as the form is there. */
  plan?: boolean
  sent?: Draft['sent']
}

/** `workflow`: '' for a new one. */
const nameOf = (workflow: string) => ownName(`draft.run.${workflow}`)

export function readRunDraft(workflow: string): RunDraft | null {
  const text = sessionStorage.getItem(nameOf(workflow))
  return text === null ? null : (JSON.parse(text) as RunDraft)
}

export function keepRunDraft(workflow: string, draft: RunDraft): void {
  sessionStorage.setItem(nameOf(workflow), JSON.stringify(draft))
}

export function dropRunDraft(workflow: string): void {
  sessionStorage.removeItem(nameOf(workflow))
}

/** The draft of a run: what was kept for the tab, or else what the workflow was asked last. */
import { useState } from 'preact/hooks'
import type { Stage } from '../../../contract/catalogue.ts'
import { newId } from '../form/draft.ts'
import { keyOf } from '../form/values.ts'
import type { LastRun } from '../run/last-run.ts'
import { dropRunDraft, keepRunDraft, type RunDraft, readRunDraft } from '../run/run-draft.ts'
import { QUESTION, withNeeds } from '../run/run-fields.ts'

const QUESTION_KEY = keyOf(QUESTION)

/** `wanted`: the stage to choose, with what it needs. */
export function useRunDraft(
  workflow: string,
  wanted: number | null,
  last: LastRun,
  stages: readonly Stage[],
) {
  const fresh = (): RunDraft => {
    const chosen = wanted === null ? last.stages : withNeeds([], wanted, stages)
    return { id: workflow || newId(), values: last.values, chosen, rerun: [] }
  }
  const [isChanged, setIsChanged] = useState(() => readRunDraft(workflow) !== null)
  const [draft, setDraft] = useState<RunDraft>(() => {
    const kept = readRunDraft(workflow)
    if (!kept) return fresh()
    return wanted === null ? kept : { ...kept, chosen: fresh().chosen }
  })
  return {
    draft,
    /** Something was typed or chosen. */
    isChanged,
    change(next: Partial<RunDraft>): void {
      const whole = { ...draft, ...next }
      setDraft(whole)
      keepRunDraft(workflow, whole)
      setIsChanged(true)
    },
    discard(): void {
      dropRunDraft(workflow)
      // A new workflow has nothing else to begin with than its question.
      const { [QUESTION_KEY]: question } = draft.values
      const next = fresh()
      setDraft(workflow || question === undefined ? next : { ...next, values: { [QUESTION_KEY]: question } })
      setIsChanged(false)
    },
  }
}

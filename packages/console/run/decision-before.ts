/** The newest decision at a gate in earlier runs. */
import type { Decision } from '../../../contract/run.ts'
import type { Run } from '../../client/index.ts'

/** `runs`: newest first. */
export function decisionBefore(stage: number, runs: readonly Run[]): Decision | null {
  for (const { steps } of runs) {
    const decision = steps.find((step) => step.stage === stage)?.sign_off?.decision
    if (decision) return decision
  }
  return null
}

/** The fields of a run that the round checks. Each client's own type must have them. */
import type { RunState } from './adapter.ts'

interface Step {
  stage: number
  status: string
  sign_off: { digest: string; decision: { by: string } | null } | null
}

interface Run {
  status: string
  cursor: string
  steps: Step[]
}

export function stateOf({ status, cursor, steps }: Run): RunState {
  return {
    ...{ status, cursor },
    steps: steps.map(({ stage, status, sign_off }) => ({
      ...{ stage, status },
      ...(sign_off && !sign_off.decision && { awaiting: sign_off.digest }),
    })),
  }
}

export function decisionOf({ steps }: Pick<Run, 'steps'>, stage: number): { by?: string } {
  return steps.find((step) => step.stage === stage)?.sign_off?.decision ?? {}
}

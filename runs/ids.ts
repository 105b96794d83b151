import { uuidOf } from '../journal/ids.ts'

/** The job of a step. `round` counts the jobs that the step has had. */
export function stepJobId(runId: string, stage: number, round: number): string {
  return uuidOf('step', runId, stage, round)
}

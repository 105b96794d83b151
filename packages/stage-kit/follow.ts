/** The four kinds of function that a stage may be. */
import { StageFailure } from './stage.ts'
import { Cancelled, type StageJob } from './stage-job.ts'

/** A step: percent, and what was done. */
type Step = readonly [percent: number, message: string]
// biome-ignore lint/suspicious/noConfusingVoidType: a function without a return is one too
type Result = Record<string, unknown> | undefined | void

/** What a stage does: a function, or a generator whose steps are its progress. It returns the results. */
export type StageFunction<Inputs> = (
  job: StageJob<Inputs>,
) => Result | Promise<Result> | Generator<Step, Result, unknown> | AsyncGenerator<Step, Result, unknown>

/** Runs a generator step by step. Any other value that the function returned is its result, or a promise of it. */
export async function follow<Inputs>(
  begun: ReturnType<StageFunction<Inputs>>,
  job: StageJob<Inputs>,
): Promise<Result> {
  if (!isGenerator(begun)) return begun
  for (let step = await begun.next(); ; step = await begun.next()) {
    if (step.done) return step.value
    try {
      await job.progress(...stepOf(step.value))
    } catch (error) {
      // The generator may clean up; the reason is thrown at its current `yield`.
      if (error instanceof Cancelled) await begun.throw(error)
      throw error
    }
  }
}

function stepOf(step: unknown): Step {
  if (Array.isArray(step) && step.length === 2) return step as unknown as Step
  throw new StageFailure(500, 'STAGE_PROGRESS_INVALID', 'A stage yields [percent, message].', false)
}

function isGenerator(
  value: unknown,
): value is Generator<Step, Result, unknown> | AsyncGenerator<Step, Result, unknown> {
  return typeof value === 'object' && value !== null && 'next' in value && 'throw' in value
}

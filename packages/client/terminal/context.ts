/** Values that the commands share. */
import type { Stagecast } from '../index.ts'
import { type Command, UsageError } from './command.ts'
import type { Output } from './output.ts'

/** The highest stage number to accept here; the API knows which exist. */
export const STAGES = 999

export interface Context {
  stagecast: Stagecast
  output: Output
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

/** By name; each returns the exit code. */
export type Commands = Record<string, (command: Command, context: Context) => Promise<number>>

export function readInputs(text: string, example = '{"max_results": 10}'): Record<string, unknown> {
  try {
    const inputs = JSON.parse(text)
    if (Object(inputs) === inputs) return inputs
  } catch {}
  throw new UsageError(`--inputs must be a JSON object, e.g. '${example}'`)
}

/** The stages this service has. */
import { literatureStage } from './literature/stage.ts'
import type { Stages } from './stage.ts'

export interface RegistryOptions {
  /** Sources stage 2 searches when the request names none. */
  sources: readonly string[]
}

export function builtInStages({ sources }: RegistryOptions): Stages {
  return new Map([[2, literatureStage(sources)]])
}

/** What a stage is inside this service. A new stage is one module with this shape and one line in registry.ts. */
import type { StageRequest } from '../../contract/service.ts'

/** What a running stage is given besides its request. */
export interface Work {
  /** Aborted when the last caller has hung up or the service closes; every step must obey it. */
  signal: AbortSignal
  /** An empty folder for the artifacts. It becomes visible as a whole, and only when the stage has succeeded. */
  dir: string
  /** Reports that a step is done, 0 to 100. Await it: it lets the line out and throws when the work is to stop. */
  progress(percent: number, message: string): Promise<void>
}

/** What a finished stage hands back: the files it wrote into `dir`, and a small summary for the answer. */
export interface Outcome {
  artifacts: string[]
  results: Record<string, unknown>
}

export interface Stage {
  /** Told in the list of stages; it changes when the same request would give other artifacts. */
  version?: string
  /** Throws a `StageFailure` when the request cannot be worked on. Quick: it runs before the answer begins. */
  validate(request: StageRequest): void
  /** Does the work. The same request must give the same artifacts. */
  run(request: StageRequest, work: Work): Promise<Outcome>
}

/** Stage number to stage. */
export type StageTable = ReadonlyMap<number, Stage>

/** A failure the caller is told about: as a status with `detail`, or as the last NDJSON line. */
export class StageFailure extends Error {
  readonly status: number
  readonly code: string
  readonly retryable: boolean

  /** `retryable` only concerns the NDJSON form; in the other the status says it. */
  constructor(status: number, code: string, message: string, retryable = status >= 500) {
    super(message)
    this.name = 'StageFailure'
    this.status = status
    this.code = code
    this.retryable = retryable
  }
}

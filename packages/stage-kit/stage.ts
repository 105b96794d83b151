/** A stage as this service sees it. A new stage is one module of this shape and one line in registry.ts. */
import type { StageRequest } from '../../contract/service.ts'

/** What a running stage receives besides its request. */
export interface Work {
  /** Aborted when the last caller disconnects or the service closes; every step must obey it. */
  signal: AbortSignal
  /** An empty folder for artifacts. It becomes visible as a whole, and only if the stage succeeds. */
  dir: string
  /** Reports progress, 0 to 100. Await it: it sends the line, and throws if the work must stop. */
  progress(percent: number, message: string): Promise<void>
}

/** What a finished stage returns: the files it wrote into `dir`, and a small summary for the answer. */
export interface Outcome {
  artifacts: string[]
  results: Record<string, unknown>
}

export interface Stage {
  /** Shown in the list of stages. Change it whenever the same request would give other artifacts. */
  version?: string
  /** A sentence that people see before they start the stage. */
  note?: string
  /** Throws a `StageFailure` for an invalid request. Must be quick: it runs before the answer begins. */
  validate(request: StageRequest): void
  /** Does the work. The same request must give the same artifacts. */
  run(request: StageRequest, work: Work): Promise<Outcome>
}

/** Stages by number. */
export type StageTable = ReadonlyMap<number, Stage>

/** A failure reported to the caller, as a status with `detail` or as the last NDJSON line. */
export class StageFailure extends Error {
  readonly status: number
  readonly code: string
  readonly retryable: boolean

  /** `retryable` is only for the NDJSON form; otherwise the status says it. */
  constructor(status: number, code: string, message: string, retryable = status >= 500) {
    super(message)
    this.name = 'StageFailure'
    this.status = status
    this.code = code
    this.retryable = retryable
  }
}

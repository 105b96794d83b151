/** What a source of literature is to the review. A new one is a file in sources/ and a line in sources/index.ts. */
import type { LiteratureInputs } from '../../contract/literature.ts'
import type { SourceRecord } from './paper.ts'
import type { Expression } from './plan.ts'

/** What a source is going to be asked: everything that leaves this machine but contact and key. */
export interface Plan {
  /** Parameters as they are sent, word for word. */
  request: Record<string, string>
  /** Records read at most; the source's best ones, by its own order. 0 = only count the hits. */
  limit: number
}

export interface Answer {
  /** Hits the source counts, read or not. */
  total: number
  /** The best of them, in the source's own order. */
  records: SourceRecord[]
  /** What the source made of the query and what it did not find, in its own words. */
  remarks?: string[]
}

interface Named {
  name: string
  /** What a reader must be told about everything from here; null when there is nothing to say. */
  notice: string | null
  /** Whether answers are kept on disk: pointless for what is on this machine anyway. */
  cached: boolean
}

/** Finds papers. `search` rejects with a `SourceFailure`, or with the signal's reason. */
export interface Searching extends Named {
  kind: 'searches'
  /** A text is a query of the user's own, which is sent as it is. */
  plan(wanted: Expression | string, inputs: LiteratureInputs, limit: number): Plan
  search(plan: Plan, signal: AbortSignal): Promise<Answer>
}

/** Completes papers that others have found, by their DOIs. */
export interface Completing extends Named {
  kind: 'completes'
  plan(dois: readonly string[]): Plan
  search(plan: Plan, signal: AbortSignal): Promise<Answer>
}

export type Source = Searching | Completing

export type FailureCode =
  | 'rate_limited'
  | 'server_error'
  | 'timeout'
  | 'unreachable'
  | 'bad_answer'
  | 'refused'

/** Why a source gave nothing. The message names neither the question nor what was sent. */
export class SourceFailure extends Error {
  readonly code: FailureCode
  /** Whether the same request may go better a moment later. */
  readonly again: boolean
  /** How long the source asked to be left alone, in ms. */
  readonly retryAfterMs: number | undefined

  constructor(code: FailureCode, message: string, again = false, retryAfterMs?: number) {
    super(message)
    this.name = 'SourceFailure'
    this.code = code
    this.again = again
    this.retryAfterMs = retryAfterMs
  }
}

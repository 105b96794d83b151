/** The interface of a literature source. To add one, write a file in sources/ and a line in sources/index.ts. */
import type { LiteratureInputs } from '../../contract/literature.ts'
import type { SourceRecord } from './paper.ts'
import type { Expression } from './plan.ts'

/** What will be sent to a source: everything that leaves this machine except contact and key. */
export interface Plan {
  /** The parameters, word for word. */
  request: Record<string, string>
  /** The most records to read, best first in the source's own order. 0 only counts the hits. */
  limit: number
}

export interface Answer {
  /** Hits counted by the source, read or not. */
  total: number
  /** The best records, in the source's own order. */
  records: SourceRecord[]
  /** The source's own remarks on the query and on what it did not find. */
  remarks?: string[]
}

interface Named {
  name: string
  /** A warning for readers about everything from this source, or null. */
  notice: string | null
  /** Whether to cache answers on disk; pointless for local data. */
  cached: boolean
}

/** Finds papers. `search` rejects with a `SourceFailure`, or with the signal's reason. */
export interface Searching extends Named {
  kind: 'searches'
  /** A string is the user's own query and is sent unchanged. */
  plan(wanted: Expression | string, inputs: LiteratureInputs, limit: number): Plan
  search(plan: Plan, signal: AbortSignal): Promise<Answer>
}

/** Completes papers from other sources by their DOIs. */
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

/** Why a source gave nothing. The message quotes neither the question nor the request. */
export class SourceFailure extends Error {
  readonly code: FailureCode
  /** Whether the same request may soon succeed. */
  readonly again: boolean
  /** How long the source asked us to wait, in ms. */
  readonly retryAfterMs: number | undefined

  constructor(code: FailureCode, message: string, again = false, retryAfterMs?: number) {
    super(message)
    this.name = 'SourceFailure'
    this.code = code
    this.again = again
    this.retryAfterMs = retryAfterMs
  }
}

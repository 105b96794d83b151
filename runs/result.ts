/** What a workflow stores about each completed job: its ingredients, its result and the decision. */
import type { JobResult } from '../contract/job.ts'
import type { Decision } from '../contract/run.ts'
import { sha256 } from './canonical.ts'

/** What a result depends on: the same ingredients give the same result. */
export interface Ingredients {
  stage: number
  version: string
  research_question: string | null
  inputs: Record<string, unknown>
  /** Contents of the earlier results it used, by stage. */
  upstream: Record<string, string>
}

export interface KnownResult extends Omit<Ingredients, 'upstream'> {
  job_id: string
  /** Null if unknown: such a result can be used by later stages, but not reused for another request. */
  upstream: Record<string, string> | null
  content: string
  /** Epoch ms. */
  finished_at: number
  /** For a gate: when it began to wait for a decision, epoch ms. */
  since: number | null
  decision: Decision | null
  /** Whether the service no longer has its files, so that no step can use it. */
  gone?: boolean
}

/** Identifies a step's result before it exists. Two requests with the same key share one result. */
export function keyOf({ stage, version, research_question, inputs, upstream }: Ingredients): string {
  return sha256({ stage, version, research_question, inputs, upstream })
}

/** The key of a result; null if its ingredients are not known. */
export function keyOfResult({ upstream, ...rest }: KnownResult): string | null {
  return upstream && keyOf({ ...rest, upstream })
}

/**
 * The digest of a result's content: `results`, and the names and hashes of its files, without the duration. A file without
 * a hash never equals a file of another job.
 */
export function contentOf({ results = {}, artifacts, files = [] }: JobResult, jobId: string): string {
  const hashes = new Map(files.map(({ name, sha256 }) => [name, sha256]))
  const named = [...new Set([...artifacts, ...hashes.keys()])].sort()
  return sha256({
    results,
    files: named.map((name) => ({ name, sha256: hashes.get(name) ?? `of ${jobId}` })),
  })
}

/** Stage 2 can make a preview, which does not count as a result. */
export function isPreview({ inputs }: Pick<KnownResult, 'inputs'>): boolean {
  return inputs.preview === true
}

/** Newest first. */
export function newestFirst(results: readonly KnownResult[]): KnownResult[] {
  return [...results].sort((a, b) => b.finished_at - a.finished_at || (a.job_id < b.job_id ? -1 : 1))
}

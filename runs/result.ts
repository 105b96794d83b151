/** What a workflow remembers of its completed jobs: what each was made from, what it gave, and what was decided. */
import type { JobResult } from '../contract/job.ts'
import type { Decision } from '../contract/run.ts'
import { sha256 } from './canonical.ts'

/** What a result depends on: the same gives the same. */
export interface Ingredients {
  stage: number
  version: string
  research_question: string | null
  inputs: Record<string, unknown>
  /** Contents of what the stage was given, by stage. */
  upstream: Record<string, string>
}

export interface KnownResult extends Omit<Ingredients, 'upstream'> {
  job_id: string
  /** Null when it is not known: such a result can be worked on, but stands for no other request. */
  upstream: Record<string, string> | null
  content: string
  /** Epoch ms. */
  finished_at: number
  /** Of a gate: since when it waits for a decision, epoch ms. */
  since: number | null
  decision: Decision | null
  /** Its files are gone at the service, so that nothing can work on it. */
  gone?: boolean
}

/** Names what a step would make. Two requests with one key get one result. */
export function keyOf({ stage, version, research_question, inputs, upstream }: Ingredients): string {
  return sha256({ stage, version, research_question, inputs, upstream })
}

/** The key of a result, null when it is not known what it was made from. */
export function keyOfResult({ upstream, ...rest }: KnownResult): string | null {
  return upstream && keyOf({ ...rest, upstream })
}

/**
 * The content of a result: results, and names and hashes of files. How long it took is left out. A file whose hash nobody
 * has told is its job's alone.
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

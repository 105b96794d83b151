/** Step 3: asks the sources side by side. One that fails is told; when all fail, the attempt does. */
import { StageFailure } from '../stage-kit/stage.ts'
import type { Cache } from './cache.ts'
import { doiOf } from './identifiers.ts'
import type { SourceRecord } from './paper.ts'
import {
  type Completing,
  type FailureCode,
  type Plan,
  type Searching,
  type Source,
  SourceFailure,
} from './source.ts'

/** What became of one source. */
export interface Search {
  source: string
  kind: Source['kind']
  /** Null when there was nothing to ask. */
  plan: Plan | null
  total: number
  records: SourceRecord[]
  /** Epoch ms, of the search itself and not of its reading from the cache; null for records of this machine. */
  searched_at: number | null
  failure: { code: FailureCode; message: string } | null
}

export interface Searched {
  searches: Search[]
  /** Of all that were asked for papers, in the order of their names. */
  records: SourceRecord[]
  /** What others say of the same DOIs. */
  completions: SourceRecord[]
}

export type Report = (message: string) => Promise<void>

/** DOIs completed at most: each batch costs a turn at the source. */
const MAX_COMPLETED = 100

export interface Planned {
  source: Searching
  plan: Plan | null
}

/** Throws a retryable SOURCES_UNREACHABLE when every source failed, and the signal's reason when it is aborted. */
export async function search(
  planned: readonly Planned[],
  completing: readonly Completing[],
  cache: Cache,
  report: Report,
  signal: AbortSignal,
): Promise<Searched> {
  const searches = await Promise.all(planned.map((one) => ask(one.source, one.plan, cache, report, signal)))
  const asked = searches.filter(({ plan }) => plan !== null)
  if (asked.length > 0 && asked.every(({ failure }) => failure !== null)) throw unreachable(asked)
  const records = searches.flatMap((one) => one.records)
  const dois = incomplete(records)
  const completions = await Promise.all(
    completing.map((source) =>
      ask(source, dois.length > 0 ? source.plan(dois) : null, cache, report, signal),
    ),
  )
  return {
    searches: [...searches, ...completions],
    records,
    completions: completions.flatMap((one) => one.records),
  }
}

async function ask(
  source: Source,
  plan: Plan | null,
  cache: Cache,
  report: Report,
  signal: AbortSignal,
): Promise<Search> {
  const { name, kind } = source
  const nothing: Search = {
    source: name,
    kind,
    plan,
    total: 0,
    records: [],
    searched_at: null,
    failure: null,
  }
  if (plan === null) return nothing
  try {
    const kept = source.cached ? await cache.find(source, plan) : undefined
    const answer = kept ?? (await source.search(plan, signal))
    const { searched_at } =
      kept ?? (source.cached ? await cache.keep(source, plan, answer) : { searched_at: null })
    const { total, records } = answer
    const what =
      kind === 'searches' ? `${records.length} of ${total} hits read` : `${records.length} records completed`
    await report(`${name}: ${what}${kept ? ', from the cache' : ''}`)
    return { ...nothing, total, records, searched_at }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof SourceFailure)) throw error
    const { code, message } = error
    await report(`${name} failed: ${message}`)
    return { ...nothing, failure: { code, message } }
  }
}

/** DOIs of records that lack what a reader or the screening needs, in the sources' order. */
function incomplete(records: readonly SourceRecord[]): string[] {
  const lacking = new Map<string, boolean>()
  for (const { doi: raw, abstract, journal, year, authors } of records) {
    const doi = doiOf(raw)
    if (doi === null) continue
    const complete = abstract !== null && journal !== null && year !== null && authors.length > 0
    lacking.set(doi, (lacking.get(doi) ?? true) && !complete)
  }
  return [...lacking].flatMap(([doi, lacks]) => (lacks ? doi : [])).slice(0, MAX_COMPLETED)
}

function unreachable(searches: readonly Search[]): StageFailure {
  const why = searches.map(({ source, failure }) => `${source}: ${failure?.message}`).join('; ')
  return new StageFailure(503, 'SOURCES_UNREACHABLE', `No source gave an answer. ${why}.`, true)
}

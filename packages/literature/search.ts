/** Step 3: queries the sources in parallel. A failed source is reported; if all fail, the attempt fails. */

import type { LiteratureInputs } from '../../contract/literature.ts'
import { StageFailure } from '../stage-kit/stage.ts'
import type { Cache } from './cache.ts'
import { doiOf } from './identifiers.ts'
import { type Asked, type Climb, climb } from './ladder.ts'
import type { SourceRecord } from './paper.ts'
import type { Query } from './query.ts'
import {
  type Completing,
  type FailureCode,
  type Plan,
  type Searching,
  type Source,
  SourceFailure,
} from './source.ts'

/** The outcome for one source. */
export interface Search {
  source: string
  kind: Source['kind'] | 'imported'
  /** The plan used to read the records; null if there was nothing to search for. */
  plan: Plan | null
  /** How the query was found; null for a source that only completes records. */
  climb?: Climb | null
  total: number
  records: SourceRecord[]
  /** When the source was searched, not when the cache was read, in epoch ms; null for local records. */
  searched_at: number | null
  failure: { code: FailureCode; message: string } | null
}

export interface Searched {
  searches: Search[]
  /** From all sources that were searched, ordered by source name. */
  records: SourceRecord[]
  /** What other sources say about the same DOIs. */
  completions: SourceRecord[]
}

export type Report = (message: string) => Promise<void>

/** The most DOIs to complete: each batch costs one request slot at the source. */
const MAX_COMPLETED = 100

/** Throws a retryable SOURCES_UNREACHABLE if every source failed, and the signal's reason if it is aborted. */
export async function search(
  searching: readonly Searching[],
  completing: readonly Completing[],
  wanted: Wanted,
  cache: Cache,
  report: Report,
  signal: AbortSignal,
): Promise<Searched> {
  const searches = await Promise.all(searching.map((source) => find(source, wanted, cache, report, signal)))
  const asked = searches.filter(({ climb, failure }) => climb !== null || failure !== null)
  if (asked.length > 0 && asked.every(({ failure }) => failure !== null)) throw unreachable(asked)
  const records = searches.flatMap((one) => one.records)
  const dois = wanted.limit === 0 ? [] : incomplete(records)
  const completions = await completeBy(completing, dois, cache, report, signal)
  return {
    searches: [...searches, ...completions],
    records,
    completions: completions.flatMap((one) => one.records),
  }
}

/** What to search for, and how many records to read; 0 only counts the hits. */
export interface Wanted {
  query: Query
  inputs: LiteratureInputs
  limit: number
}

/** What the completing sources know about these DOIs. */
export async function completeBy(
  completing: readonly Completing[],
  dois: readonly string[],
  cache: Cache,
  report: Report,
  signal: AbortSignal,
): Promise<Search[]> {
  return Promise.all(
    completing.map((source) =>
      dois.length > 0 ? ask(source, source.plan(dois), null, cache, report, signal) : nothing(source),
    ),
  )
}

function nothing({ name, kind }: Source): Search {
  return {
    source: name,
    kind,
    plan: null,
    climb: null,
    total: 0,
    records: [],
    searched_at: null,
    failure: null,
  }
}

/** Finds the step of the ladder that fills a review, and reads it. */
async function find(
  source: Searching,
  wanted: Wanted,
  cache: Cache,
  report: Report,
  signal: AbortSignal,
): Promise<Search> {
  const { query, inputs, limit } = wanted
  let climbed: Climb
  try {
    climbed = await climb(
      source,
      query,
      inputs,
      async (plan) => (await cached(source, plan, cache, signal)).answer,
    )
  } catch (error) {
    return failed({ ...nothing(source), plan: null }, error, report, signal)
  }
  const { chosen } = climbed
  if (chosen === null) return nothing(source)
  if (limit === 0) return { ...nothing(source), climb: climbed, plan: chosen.plan, total: chosen.hits }
  return ask(source, { ...chosen.plan, limit }, climbed, cache, report, signal)
}

async function ask(
  source: Source,
  plan: Plan,
  climbed: Climb | null,
  cache: Cache,
  report: Report,
  signal: AbortSignal,
): Promise<Search> {
  const { name, kind } = source
  try {
    const { answer, searched_at, kept } = await cached(source, plan, cache, signal)
    const { total, records } = answer
    const what =
      kind === 'searches' ? `${records.length} of ${total} hits read` : `${records.length} records completed`
    await report(`${name}: ${what}${stepOf(climbed?.chosen)}${kept ? ', from the cache' : ''}`)
    return { ...nothing(source), plan, climb: climbed, total, records, searched_at }
  } catch (error) {
    return failed({ ...nothing(source), plan, climb: climbed }, error, report, signal)
  }
}

/** Which step was read, without quoting the question. */
function stepOf(chosen: Asked | null | undefined): string {
  return !chosen || chosen.step === 'phrases' ? '' : ` (step ${chosen.step})`
}

async function cached(source: Source, plan: Plan, cache: Cache, signal: AbortSignal) {
  const kept = source.cached ? await cache.find(source, plan) : undefined
  if (kept) return { answer: kept, searched_at: kept.searched_at, kept: true }
  const answer = await source.search(plan, signal)
  const { searched_at } = source.cached ? await cache.keep(source, plan, answer) : { searched_at: null }
  return { answer, searched_at, kept: false }
}

async function failed(search: Search, error: unknown, report: Report, signal: AbortSignal): Promise<Search> {
  signal.throwIfAborted()
  if (!(error instanceof SourceFailure)) throw error
  const { code, message } = error
  await report(`${search.source} failed: ${message}`)
  return { ...search, failure: { code, message } }
}

/** DOIs of records that lack something needed by readers or the screening, in the sources' order. */
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
  return new StageFailure(503, 'SOURCES_UNREACHABLE', `No source answered. ${why}.`, true)
}

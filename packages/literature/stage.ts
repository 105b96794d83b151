/** Stage 2, the literature review: ten steps, each reported as it completes. */
import { type SourceName, sourceFaults } from '../../contract/literature.ts'
import { type Stage, StageFailure, type Work } from '../stage-kit/stage.ts'
import { StageJob } from '../stage-kit/stage-job.ts'
import type { Cache } from './cache.ts'
import { plural } from './count.ts'
import { asSearch, type Imported, importAll } from './imports/import.ts'
import { type Asked, readRequest } from './inputs.ts'
import { preview } from './preview.ts'
import type { Protocol } from './protocol/protocol.ts'
import { isAbout, queryOf, takeOver } from './protocol/take-over.ts'
import type { Query } from './query.ts'
import type { LiteratureReview } from './schema.ts'
import { completeBy, type Search, search } from './search.ts'
import type { Completing, Searching, Source } from './source.ts'
import { findingsOf } from './steps.ts'
import { hasFile, readJson } from './upstream-file.ts'
import { type WrittenFile, write } from './write.ts'

export interface LiteratureOptions {
  sources: ReadonlyMap<string, Source>
  /** The sources used if the request names none. */
  chosen: readonly SourceName[]
  cache: Cache
}

const INVENTED =
  'By default it searches a small set of invented records, so that you can try it out. Choose other sources in its options.'

/** How many papers the answer itself repeats; the file has them all. */
const ANSWERED_PAPERS = 5
/** Read this many of each source's best records: four for each paper wanted, within these bounds. */
const [LEAST_READ, MOST_READ] = [100, 500]

/** Throws a `StageFailure` if a chosen source does not exist or the choice is invalid. */
export function literatureStage({ sources, chosen, cache }: LiteratureOptions): Stage {
  const missing = chosen.filter((name) => !sources.has(name))
  const faults = missing.map(
    (name) => `${name} is unknown; the known sources are ${[...sources.keys()].join(', ')}`,
  )
  const [fault] = [...faults, ...sourceFaults(chosen)]
  if (fault) throw new StageFailure(422, 'SOURCE_UNAVAILABLE', `The sources of stage 2: ${fault}.`)

  return {
    ...(chosen.includes('sample') && { note: INVENTED }),
    validate(request) {
      // The protocol of stage 1 may contain the terms; the stage reads it when it runs.
      const anyLanguage = request.upstream?.['1'] !== undefined
      importAll(readRequest(request, chosen, { anyLanguage }).inputs.records)
    },
    async run(request, work) {
      const job = new StageJob(2, request, request.inputs, work)
      const protocol = hasFile(job, 1, PROTOCOL) ? (await readJson<Protocol>(job, 1, PROTOCOL)).value : null
      const about = protocol && isAbout(protocol, request.research_question) ? protocol : null
      const inputs = about ? takeOver(about, request.inputs) : request.inputs
      const asked = readRequest({ ...request, inputs }, chosen)
      const { concepts, query } = request.inputs
      // The request's own search takes precedence over the protocol.
      const groups = concepts === undefined && query === undefined ? about : null
      if (protocol) await work.progress(2, told(about !== null, groups !== null))
      const named = asked.inputs.sources.flatMap((name) => sources.get(name) ?? [])
      return review(asked, queryOf(asked, groups), named, cache, work)
    },
  }
}

const PROTOCOL = 'protocol.json'

function told(isAboutIt: boolean, givesGroups: boolean): string {
  if (!isAboutIt) return 'the protocol of stage 1 is about another question and was not used'
  return givesGroups
    ? 'groups and criteria taken from the protocol of stage 1'
    : 'criteria taken from the protocol of stage 1; the request has its own search'
}

/** No message below quotes the question, because messages end up in logs. */
async function review(asked: Asked, query: Query, sources: readonly Source[], cache: Cache, work: Work) {
  const { signal, progress } = work
  const { inputs } = asked

  const terms = query.concepts.reduce((sum, one) => sum + one.terms.length + one.synonyms.length, 0)
  await progress(
    4,
    `question framed: ${plural(query.concepts.length, 'concept')}, ${plural(terms, 'search term')}`,
  )

  const searching = sources.filter((source): source is Searching => source.kind === 'searches')
  const completing = sources.filter((source): source is Completing => source.kind === 'completes')
  if (inputs.preview) return preview(asked, query, searching, cache, work)
  const names = searching.map(({ name }) => name).join(', ')
  await progress(8, `queries planned, from strict to broad: ${names}`)

  const limit = Math.min(MOST_READ, Math.max(LEAST_READ, 4 * inputs.max_results))
  const wanted = { query, inputs, limit }
  const searched = await search(
    searching,
    completing,
    wanted,
    cache,
    (message) => progress(20, message),
    signal,
  )
  const imports = importAll(inputs.records)
  for (const one of imports) {
    searched.searches.push(asSearch(one))
    searched.records.push(...one.records)
  }
  const { records, searches } = searched
  const answered = searches.filter(({ kind, failure }) => kind === 'searches' && !failure).length
  await progress(
    45,
    `${plural(records.length, 'record')} from ${plural(answered, 'source')}${importedBy(imports)}${degradedBy(searches)}`,
  )

  const notice = noticeOf(sources, imports)
  const findings = await findingsOf(asked, query, searched, notice, progress, {
    imports: imports.map(({ source, format, records: own, sha256 }) => ({
      source,
      format,
      records: own.length,
      sha256,
    })),
    ...(completing.length > 0 && {
      confirm: (dois) => completeBy(completing, dois, cache, (message) => progress(60, message), signal),
    }),
  })
  const written = await write(work.dir, findings, signal)
  const kilobytes = Math.ceil(written.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1024)
  await progress(96, `${plural(written.files.length, 'file')} written, ${kilobytes} KiB`)
  return { artifacts: written.files.map(({ name }) => name), results: inBrief(written.review, written.files) }
}

function importedBy(imports: readonly Imported[]): string {
  return imports.length > 0
    ? `, ${imports.map(({ source, records }) => `${records.length} of ${source}`).join(', ')}`
    : ''
}

/** Says that imported records are not invented, if the review also has sample data. */
function noticeOf(sources: readonly Source[], imports: readonly Imported[]): string | null {
  const notices = sources.flatMap((source) => source.notice ?? [])
  if (notices.length > 0 && imports.length > 0)
    notices.push('Imported records are real: they are as you supplied them.')
  return notices.join(' ') || null
}

function degradedBy(searches: readonly Search[]): string {
  const failed = searches.filter(({ failure }) => failure).map(({ source }) => source)
  return failed.length > 0 ? `; degraded, without ${failed.join(', ')}` : ''
}

function inBrief(whole: LiteratureReview, files: readonly WrittenFile[]) {
  const { source, notice, degraded, warnings, summary, counts, papers } = whole
  const top_papers = papers.slice(0, ANSWERED_PAPERS).map(({ id, title, year, journal, doi, ranking }) => {
    return { id, source, title, year, journal, doi, score: ranking.score }
  })
  return { source, notice, degraded, warnings, summary: summary.text, counts, top_papers, files }
}

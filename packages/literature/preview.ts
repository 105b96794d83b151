/** Previews a search without reading records: the hits of each group and of the whole query in each source. */

import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Work } from '../stage-kit/stage.ts'
import type { Cache } from './cache.ts'
import { plural } from './count.ts'
import type { Asked } from './inputs.ts'
import { lostWords } from './lost-words.ts'
import { groupsOf } from './plan.ts'
import type { Query } from './query.ts'
import { type Search, search } from './search.ts'
import { type Searching, SourceFailure } from './source.ts'

const PREVIEW_FILE = 'search_preview.json'

/** One line of a librarian's table. */
export interface PreviewLine {
  line: number
  what: string
  /** By source; null if it failed. */
  hits: Record<string, number | null>
}

export async function preview(
  asked: Asked,
  query: Query,
  sources: readonly Searching[],
  cache: Cache,
  work: Work,
) {
  const { inputs } = asked
  const { signal, progress } = work
  const wanted = { query, inputs, limit: 0 }
  const { searches } = await search(sources, [], wanted, cache, async () => {}, signal)
  await progress(40, `whole query counted in ${plural(sources.length, 'source')}`)
  const lines = await linesOf(query, asked, sources, searches, cache, signal)
  await progress(90, `${plural(lines.length, 'line')} counted; this is a preview, so no records were read`)

  const notice = sources.flatMap((source) => source.notice ?? []).join(' ') || null
  const failed = searches.filter(({ failure }) => failure)
  const found = {
    kind: 'search_preview',
    source: inputs.sources.join(','),
    notice,
    question: query.question,
    inputs,
    concepts: query.concepts,
    left_out: query.left_out,
    lines,
    queries: searches.map(queryOf(query)),
    warnings: failed.map(({ source, failure }) => ({
      source,
      code: failure?.code,
      message: failure?.message,
    })),
  }
  const text = `${JSON.stringify(found, null, 2)}\n`
  await writeFile(join(work.dir, PREVIEW_FILE), text, { flush: true, signal })
  const sha256 = createHash('sha256').update(text).digest('hex')
  const files = [{ name: PREVIEW_FILE, bytes: Buffer.byteLength(text), sha256 }]
  return {
    artifacts: [PREVIEW_FILE],
    results: { preview: true, summary: summaryOf(searches), ...found, files },
  }
}

function summaryOf(searches: readonly Search[]): string {
  const each = searches.map(({ source, total, failure }) =>
    failure ? `${source} could not be searched` : `${plural(total, 'hit')} in ${source}`,
  )
  return `Preview: ${each.join(', ')}. No records were read.`
}

/** The query that a review would send, and the steps that led to it. */
function queryOf(query: Query) {
  return ({ source, climb, total, failure }: Search) => ({
    source,
    step: climb?.chosen?.step ?? null,
    says: climb?.chosen?.says ?? null,
    request: climb?.chosen?.plan.request ?? null,
    hits: failure ? null : total,
    remarks: climb?.chosen?.remarks ?? [],
    steps: (climb?.steps ?? []).map(({ step, says, hits }) => ({ step, says, hits })),
    not_in_query: lostWords(query, climb),
  })
}

/** One line per group, one for all groups, and one for the query that would be sent. */
async function linesOf(
  query: Query,
  { inputs }: Asked,
  sources: readonly Searching[],
  searches: readonly Search[],
  cache: Cache,
  signal: AbortSignal,
): Promise<PreviewLine[]> {
  const failed = new Set(searches.flatMap(({ source, failure }) => (failure ? source : [])))
  const groups = query.by === 'query' ? [] : groupsOf(query)
  const lines: PreviewLine[] = []
  for (const { label, expression } of groups) {
    const hits = await Promise.all(
      sources.map(async (source): Promise<[string, number | null]> => {
        if (failed.has(source.name)) return [source.name, null]
        const plan = source.plan(expression, inputs, 0)
        try {
          const kept = source.cached ? await cache.find(source, plan) : undefined
          const answer = kept ?? (await source.search(plan, signal))
          if (!kept && source.cached) await cache.keep(source, plan, answer)
          return [source.name, answer.total]
        } catch (error) {
          if (!(error instanceof SourceFailure)) throw error
          return [source.name, null]
        }
      }),
    )
    lines.push({ line: lines.length + 1, what: label, hits: Object.fromEntries(hits) })
  }
  const all = (pick: (search: Search) => number | undefined) =>
    Object.fromEntries(
      searches.map((search) => [search.source, search.failure ? null : (pick(search) ?? null)]),
    )
  if (groups.length > 1) {
    const what = groups.map((_, at) => at + 1).join(' AND ')
    lines.push({
      line: lines.length + 1,
      what,
      hits: all(({ climb }) => climb?.steps.find(({ step }) => step === 'phrases')?.hits),
    })
  }
  lines.push({
    line: lines.length + 1,
    what: 'the query that would be sent',
    hits: all(({ total }) => total),
  })
  return lines
}

/**
 * Steps 4 to 9, from records to findings: no network, no files, no clock. No message quotes the question: messages travel
 * into logs.
 */
import type { Work } from '../stage-kit/stage.ts'
import type { Frequency } from './bm25.ts'
import { plural } from './count.ts'
import { type Deduplicated, deduplicate } from './deduplicate.ts'
import type { Asked } from './inputs.ts'
import { complete } from './merge.ts'
import { normalise } from './normalise.ts'
import type { Paper, SourceRecord } from './paper.ts'
import type { Query } from './query.ts'
import { rank } from './rank.ts'
import { type Findings, type Reviewed, reviewed } from './review.ts'
import { type Screened, screen } from './screen.ts'
import type { Searched } from './search.ts'
import { summarise } from './summarise.ts'

/** Steps 4 to 9; each is told as it is done, and the next begins when that resolves. */
export async function findingsOf(
  asked: Asked,
  query: Query,
  searched: Searched,
  notice: string | null,
  progress: Work['progress'] = async () => {},
): Promise<Findings> {
  const { records, searches } = searched
  const { inputs } = asked

  const normalised = normaliseAll(records)
  const abstracts = normalised.filter(({ abstract }) => abstract !== null).length
  await progress(50, `${plural(normalised.length, 'record')} normalised, ${abstracts} with an abstract`)

  const { papers, duplicates } = linkAll(normalised, searched)
  await progress(56, `${plural(duplicates, 'duplicate')} linked, ${plural(papers.length, 'paper')} left`)

  const asked_for = searches.flatMap(({ climb }) => climb?.expression ?? [])
  const screened = screen(papers, query, inputs, asked_for)
  const count = (decision: string) =>
    screened.filter(({ screening }) => screening.decision === decision).length
  await progress(
    64,
    `screened: ${count('included')} included, ${count('excluded')} excluded, ${count('uncertain')} uncertain`,
  )

  const selection = select(
    screened,
    query,
    inputs.max_results,
    searches.flatMap(({ climb }) => climb?.lines ?? []),
  )
  const { included, uncertain } = selection
  await progress(72, `${count('included') + count('uncertain')} ranked, the best ${included.length} kept`)

  const sizes = included.filter(({ extraction }) => extraction.sample_size).length
  const results = included.reduce((sum, { extraction }) => sum + extraction.results.length, 0)
  await progress(80, `extracted: ${plural(sizes, 'sample size')}, ${plural(results, 'result sentence')}`)

  const summary = summarise(query, included, uncertain.length, searches)
  await progress(
    86,
    `summarised: ${plural(summary.themes.length, 'theme')}, ${plural(summary.gaps.length, 'gap')}`,
  )
  return {
    asked,
    query,
    notice,
    searches,
    identified: records.length,
    unusable: records.length - normalised.length,
    duplicates,
    ...selection,
    summary,
  }
}

/** Step 4; what has no title is left out. Places are counted within each source. */
export function normaliseAll(records: readonly SourceRecord[]): Paper[] {
  const places = new Map<string, number>()
  return records.flatMap((record) => {
    const place = (places.get(record.source) ?? 0) + 1
    places.set(record.source, place)
    return normalise(record, place) ?? []
  })
}

/** Step 5, then what completing sources know of the same DOIs. */
function linkAll(papers: readonly Paper[], { records, completions }: Searched): Deduplicated {
  const { papers: unique, duplicates } = deduplicate(papers, records)
  const byDoi = new Map(
    completions.flatMap((record) => {
      const more = normalise({ ...record, title: record.title || '-' }, 1)
      return more?.doi ? [[more.doi, more] as const] : []
    }),
  )
  return {
    duplicates,
    papers: unique.map((paper) => {
      const more = paper.doi === null ? undefined : byDoi.get(paper.doi)
      return more ? complete(paper, more) : paper
    }),
  }
}

interface Selection {
  included: Reviewed[]
  uncertain: Reviewed[]
  excluded: Screened[]
}

/** Steps 7 and 8: included and uncertain papers are ranked together, and each of both kept up to `max_results`. */
function select(
  screened: readonly Screened[],
  query: Query,
  max: number,
  known: readonly Frequency[],
): Selection {
  const kept = screened.filter(({ screening }) => screening.decision !== 'excluded')
  const screenings = new Map(kept.map(({ paper, screening }) => [paper.id, screening]))
  const ranked = rank(
    kept.map(({ paper }) => paper),
    query,
    known,
  )
  const decided = (decision: string) =>
    ranked.filter(({ paper }) => screenings.get(paper.id)?.decision === decision)
  const [included, uncertain] = [decided('included'), decided('uncertain')]
  const beyond = [...included.slice(max), ...uncertain.slice(max)].map(({ paper }): Screened => {
    const reason = `it ranks behind the ${max} that were asked for`
    const { criteria } = screenings.get(paper.id) ?? { criteria: { met: [], missed: [] } }
    return { paper, screening: { criteria, decision: 'excluded', rule: 'beyond_max_results', reason } }
  })
  return {
    included: reviewed(included.slice(0, max), screenings),
    uncertain: reviewed(uncertain.slice(0, max), screenings),
    excluded: [...screened.filter(({ screening }) => screening.decision === 'excluded'), ...beyond],
  }
}

/**
 * Steps 4 to 9, from records to findings, without network, files or clock. No message quotes the question, because
 * messages end up in logs.
 */
import type { Work } from '../stage-kit/stage.ts'
import type { Frequency } from './bm25.ts'
import { plural } from './count.ts'
import { decide } from './decide.ts'
import { deduplicate } from './deduplicate.ts'
import { holdBack } from './hold-back.ts'
import { doiOf } from './identifiers.ts'
import type { Asked } from './inputs.ts'
import { complete } from './merge.ts'
import { normalise } from './normalise.ts'
import { setApart } from './notices.ts'
import type { Paper, SourceRecord } from './paper.ts'
import type { Query } from './query.ts'
import { rank } from './rank.ts'
import { type Findings, type Reviewed, reviewed } from './review.ts'
import { type Screened, screen } from './screen.ts'
import type { Search, Searched } from './search.ts'
import { summarise } from './summarise.ts'

export interface More {
  imports?: Findings['imports']
  /** Queries sources that have not reported on these DOIs yet, because papers about to be included may be retracted. */
  confirm?: (dois: readonly string[]) => Promise<Search[]>
}

/** Retracted papers are replaced by the next ones, which must be checked too. */
const CONFIRMED_ROUNDS = 3

/** Steps 4 to 9. Reports each step, and waits for the report before the next. */
export async function findingsOf(
  asked: Asked,
  query: Query,
  searched: Searched,
  notice: string | null,
  progress: Work['progress'] = async () => {},
  { imports = [], confirm }: More = {},
): Promise<Findings> {
  const { records } = searched
  const searches = [...searched.searches]
  const { inputs } = asked

  const normalised = normaliseAll(records)
  const abstracts = normalised.filter(({ abstract }) => abstract !== null).length
  await progress(50, `${plural(normalised.length, 'record')} normalised, ${abstracts} with an abstract`)

  const { papers: unique, duplicates } = deduplicate(normalised, records)
  await progress(56, `${plural(duplicates, 'duplicate')} linked, ${plural(unique.length, 'paper')} left`)

  const asked_for = searches.flatMap(({ climb }) => climb?.expression ?? [])
  const lines = searches.flatMap(({ climb }) => climb?.lines ?? [])
  const completions = [...searched.completions]
  const judge = () => {
    const { papers, notices } = setApart(completed(unique, completions))
    const { screened, unknown } = decide(
      holdBack(screen(papers, query, inputs, asked_for), query),
      inputs.decisions,
    )
    return { notices, unknown, screened, selection: select(screened, query, inputs.max_results, lines) }
  }
  let judged = judge()
  const looked_up = new Set(completions.flatMap(({ doi }) => doiOf(doi) ?? []))
  for (let round = 0; confirm && round < CONFIRMED_ROUNDS; round++) {
    const kept = [...judged.selection.included, ...judged.selection.uncertain]
    const dois = kept.flatMap(({ paper }) => paper.doi ?? []).filter((doi) => !looked_up.has(doi))
    if (dois.length === 0) break
    for (const doi of dois) looked_up.add(doi)
    const more = await confirm(dois)
    searches.push(...more)
    completions.push(...more.flatMap((one) => one.records))
    judged = judge()
  }
  const { notices, unknown, screened, selection } = judged
  const count = (decision: string) =>
    screened.filter(({ screening }) => screening.decision === decision).length
  await progress(
    64,
    `screened: ${count('included')} included, ${count('excluded')} excluded, ${count('uncertain')} uncertain`,
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
    unusable: records.length - normalised.length,
    duplicates,
    notices,
    imports,
    undecided: unknown,
    ...selection,
    summary,
  }
}

/** Step 4. Drops records without a title, and counts places within each source. */
export function normaliseAll(records: readonly SourceRecord[]): Paper[] {
  const places = new Map<string, number>()
  return records.flatMap((record) => {
    const place = (places.get(record.source) ?? 0) + 1
    places.set(record.source, place)
    return normalise(record, place) ?? []
  })
}

/** Fills gaps in papers with what completing sources know about the same DOIs. */
function completed(papers: readonly Paper[], completions: readonly SourceRecord[]): Paper[] {
  const byDoi = new Map(
    completions.flatMap((record) => {
      const more = normalise({ ...record, title: record.title || '-' }, 1)
      return more?.doi ? [[more.doi, more] as const] : []
    }),
  )
  return papers.map((paper) => {
    const more = paper.doi === null ? undefined : byDoi.get(paper.doi)
    return more ? complete(paper, more) : paper
  })
}

interface Selection {
  included: Reviewed[]
  uncertain: Reviewed[]
  excluded: Screened[]
}

/**
 * Steps 7 and 8: ranks included and uncertain papers together, and keeps up to `max_results` of each. Papers that a
 * person included always stay.
 */
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
  const byPerson = ({ paper }: { paper: Paper }) => screenings.get(paper.id)?.ruled !== undefined
  const within = new Set(included.filter((one) => !byPerson(one)).slice(0, max))
  const isKept = (one: (typeof ranked)[number]) => within.has(one) || byPerson(one)
  const behind = [...included.filter((one) => !isKept(one)), ...uncertain.slice(max)]
  const beyond = behind.map(({ paper }): Screened => {
    const reason = `it ranks below the ${max} papers requested`
    const { criteria } = screenings.get(paper.id) ?? { criteria: { met: [], missed: [] } }
    return { paper, screening: { criteria, decision: 'excluded', rule: 'beyond_max_results', reason } }
  })
  return {
    included: reviewed(included.filter(isKept), screenings),
    uncertain: reviewed(uncertain.slice(0, max), screenings),
    excluded: [...screened.filter(({ screening }) => screening.decision === 'excluded'), ...beyond],
  }
}

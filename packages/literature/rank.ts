/**
 * Step 7: ranks by reciprocal rank fusion: the sum of 1 / (60 + place) over each source's order and our own BM25 order.
 * Citations per year only break ties; remaining ties are ordered by id.
 */
import { bm25, type Frequency } from './bm25.ts'
import type { Paper } from './paper.ts'
import type { Query } from './query.ts'

const FUSION = 60

export interface Ranked {
  paper: Paper
  ranking: Ranking
}

/** How a paper got its place. */
export interface Ranking {
  /** Sum of the parts, rounded to 6 digits; only comparable within one review. */
  score: number
  parts: { by: string; place: number; share: number }[]
  bm25: number
  citations_per_year: number | null
}

export function rank(papers: readonly Paper[], query: Query, known: readonly Frequency[] = []): Ranked[] {
  const scores = bm25(papers, query, known)
  const places = placesOf(papers, scores)
  const newest = papers.reduce((latest, { year }) => Math.max(latest, year ?? 0), 0)
  return papers
    .map((paper) => ({ paper, ranking: rankingOf(paper, scores, places, newest) }))
    .sort(
      (a, b) =>
        b.ranking.score - a.ranking.score ||
        (b.ranking.citations_per_year ?? -1) - (a.ranking.citations_per_year ?? -1) ||
        (a.paper.id < b.paper.id ? -1 : 1),
    )
}

function rankingOf(
  paper: Paper,
  scores: ReadonlyMap<string, number>,
  places: ReadonlyMap<string, number>,
  newest: number,
): Ranking {
  const best = new Map<string, number>()
  for (const { source, place } of paper.records) best.set(source, Math.min(place, best.get(source) ?? place))
  const own = places.get(paper.id)
  if (own !== undefined) best.set('bm25', own)
  const parts = [...best]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([by, place]) => {
      return { by, place, share: round(1 / (FUSION + place)) }
    })
  const score = round(
    [...best.values()].sort((a, b) => a - b).reduce((sum, place) => sum + 1 / (FUSION + place), 0),
  )
  return { score, parts, bm25: scores.get(paper.id) ?? 0, citations_per_year: perYear(paper, newest) }
}

/** Equal scores share a place, so that ids do not affect the order. */
function placesOf(papers: readonly Paper[], scores: ReadonlyMap<string, number>): Map<string, number> {
  const found = papers.flatMap(({ id }) => {
    const score = scores.get(id)
    return score ? [{ id, score }] : []
  })
  found.sort((a, b) => b.score - a.score)
  const places = new Map<string, number>()
  let place = 0
  for (const [at, { id, score }] of found.entries()) {
    if (score !== found[at - 1]?.score) place = at + 1
    places.set(id, place)
  }
  return places
}

/** Counts age from the review's newest paper. With a clock, the order would change over time. */
function perYear({ cited_by, year }: Paper, newest: number): number | null {
  if (cited_by === null || year === null) return null
  return Math.round((cited_by / (newest - year + 1)) * 100) / 100
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6
}

/**
 * Measures the ranking: nDCG@10 and recall on the labelled set, for the review's order and the orders it combines.
 * Run it with `node --import=tsx packages/literature/bench/ranking.ts`.
 */
import { pathToFileURL } from 'node:url'
import { bm25 } from '../bm25.ts'
import { frame } from '../frame.ts'
import { emptyRecord, type SourceRecord } from '../paper.ts'
import { findingsOf, normaliseAll } from '../steps.ts'
import { LABELLED, type Labelled, type LabelledQuestion } from './ranking-set.ts'

export interface Quality {
  order: string
  /** 1 is the best possible order of the first ten. */
  ndcg: number
  /** Share of the helpful records among the first ten. */
  recall_at_10: number
  /** Share of the helpful records that the review includes or leaves uncertain; null for a plain order. */
  kept: number | null
}

const TOP = 10
/** Both ignore the question: the worst a source can do, and all that readers have without a ranking. */
const SOURCES: Readonly<Record<string, (a: Labelled, b: Labelled) => number>> = {
  europepmc: (a, b) => b.year - a.year,
  openalex: (a, b) => b.cited - a.cited,
}

async function main(): Promise<void> {
  print(await measureRanking())
}

/** One row per order, averaged over the questions. */
export async function measureRanking(): Promise<Quality[]> {
  const each = await Promise.all(LABELLED.map(judge))
  const orders = each[0]?.map(({ order }) => order) ?? []
  return orders.map((order): Quality => {
    const of = (pick: (one: Quality) => number) =>
      mean(each.map((all) => pick(all.find((one) => one.order === order) as Quality)))
    const kept = each.every((all) => all.find((one) => one.order === order)?.kept === null)
      ? null
      : of(({ kept }) => kept ?? 0)
    return { order, ndcg: of(({ ndcg }) => ndcg), recall_at_10: of((one) => one.recall_at_10), kept }
  })
}

async function judge({ question, records }: LabelledQuestion): Promise<Quality[]> {
  const query = frame(question)
  const id = (record: Labelled) => `10.5555/${records.indexOf(record)}`
  const grades = new Map(records.map((record) => [`doi:${id(record)}`, record.grade]))
  const orders = Object.entries(SOURCES).map(([source, by]) => ({
    source,
    ids: [...records].sort(by).map(id),
  }))
  const found = Object.entries(SOURCES).flatMap(([source, by]) =>
    [...records].sort(by).map((one) => toRecord(source, id(one), one)),
  )

  const papers = normaliseAll(found.slice(0, records.length))
  const scores = bm25(papers, query)
  const words = papers.map((paper) => paper.id).sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0))
  const findings = await findingsOf(
    { question, inputs: { sources: ['europepmc', 'openalex'], max_results: 25 } },
    query,
    { searches: [], records: found, completions: [] },
    null,
  )
  const review = findings.included.map(({ paper }) => paper.id)
  const waiting = new Set([...findings.included, ...findings.uncertain].map(({ paper }) => paper.id))
  const helpful = [...grades].filter(([, grade]) => grade > 0).map(([name]) => name)
  return [
    ...orders.map(({ source, ids }) =>
      measure(
        source === 'europepmc' ? 'source order: newest first' : 'source order: most cited first',
        ids.map((one) => `doi:${one}`),
        grades,
      ),
    ),
    measure('BM25 alone', words, grades),
    {
      ...measure('the review', review, grades),
      kept: helpful.filter((name) => waiting.has(name)).length / helpful.length,
    },
  ]
}

function toRecord(source: string, doi: string, { title, abstract, year, cited }: Labelled): SourceRecord {
  return {
    ...emptyRecord(source, doi),
    doi,
    title,
    abstract,
    year,
    cited_by: cited,
    language: 'en',
    authors: [{ family: `Author ${doi}`, given: null }],
  }
}

/** Discounted cumulative gain with 2^grade - 1, divided by that of the best possible order. */
function measure(order: string, ids: readonly string[], grades: ReadonlyMap<string, number>): Quality {
  const gain = (all: readonly number[]) =>
    all.slice(0, TOP).reduce((sum, grade, at) => sum + (2 ** grade - 1) / Math.log2(at + 2), 0)
  const best = [...grades.values()].sort((a, b) => b - a)
  const helpful = best.filter((grade) => grade > 0).length
  const top = ids.slice(0, TOP)
  return {
    order,
    ndcg: gain(ids.map((one) => grades.get(one) ?? 0)) / gain(best),
    recall_at_10: top.filter((one) => (grades.get(one) ?? 0) > 0).length / helpful,
    kept: null,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function print(quality: readonly Quality[]): void {
  const records = LABELLED.reduce((sum, one) => sum + one.records.length, 0)
  console.log(`Ranking, ${LABELLED.length} questions with ${records} labelled records (invented)`)
  console.log('  order                            nDCG@10  recall@10   kept')
  for (const { order, ndcg, recall_at_10, kept } of quality) {
    const share = (value: number | null) => (value === null ? '–' : value.toFixed(2)).padStart(7)
    console.log(`  ${order.padEnd(32)} ${share(ndcg)}    ${share(recall_at_10)} ${share(kept)}`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()

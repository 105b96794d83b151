/**
 * Gaps of a map: cells with at most one paper, each described in a sentence that names the cell. A gap means that this
 * review did not find more, not that nothing exists.
 */
import { plural } from '../count.ts'
import { type Count, type EvidenceMap, kindInWords, type MapGap } from './shape.ts'

/** Kinds whose absence is a gap; most reviews lack the others. */
const TOLD = ['systematic_review', 'meta_analysis', 'randomized_controlled_trial', 'cohort']

export function gapsOf(map: EvidenceMap): MapGap[] {
  if (map.papers === 0) return []
  const among = `the ${plural(map.papers, 'included paper')}`
  const none = map.papers === 1 ? 'The only included paper was not found' : `None of ${among} was found`
  const gaps: MapGap[] = []
  const add = (gap: MapGap['gap'], pointer: string, cell: Count, of: number, text: string) =>
    gaps.push({ gap, text, pointer, count: cell.count, of, paper_ids: cell.paper_ids })

  const bare = new Set(map.by_concept.filter(({ count }) => count === 0).map(({ concept }) => concept))
  for (const [at, cell] of map.by_concept.entries()) {
    if (cell.count > 1 || map.papers < 2) continue
    const what = cell.count === 0 ? 'None' : 'Only one'
    add(
      'concept',
      `/by_concept/${at}`,
      cell,
      map.papers,
      `${what} of ${among} was found to address ${cell.concept}.`,
    )
  }
  for (const [at, cell] of map.by_pair.entries()) {
    const [one, other] = cell.concepts
    if (cell.count > 0 || bare.has(one) || bare.has(other)) continue
    add('pair', `/by_pair/${at}`, cell, map.papers, `${none} to address both ${one} and ${other}.`)
  }
  const missing = new Set(
    map.by_kind.filter(({ kind, count }) => TOLD.includes(kind) && count === 0).map(({ kind }) => kind),
  )
  for (const [at, cell] of map.by_kind.entries()) {
    if (!missing.has(cell.kind)) continue
    add('kind', `/by_kind/${at}`, cell, map.papers, `${none} to be a ${kindInWords(cell.kind)}.`)
  }
  for (const [at, cell] of map.by_concept_and_kind.entries()) {
    if (!TOLD.includes(cell.kind) || missing.has(cell.kind) || bare.has(cell.concept) || cell.count > 1)
      continue
    const of = map.by_concept.find(({ concept }) => concept === cell.concept)?.count ?? 0
    const what = cell.count === 0 ? 'None' : 'Only one'
    if (of < 2) continue
    const text = `${what} of the ${plural(of, 'paper')} on ${cell.concept} was found to be a ${kindInWords(cell.kind)}.`
    add('concept_and_kind', `/by_concept_and_kind/${at}`, cell, of, text)
  }
  const newest = map.years.filter(({ from }) => from !== null).at(-1)
  for (const [at, cell] of map.by_concept_and_years.entries()) {
    if (!newest || cell.years !== newest.label || cell.count > 0 || bare.has(cell.concept)) continue
    const of = map.by_concept.find(({ concept }) => concept === cell.concept)?.count ?? 0
    const when = newest.from === newest.to ? `in ${cell.years}` : `from ${cell.years}`
    const text = `None of the ${plural(of, 'paper')} on ${cell.concept} was published ${when}, the latest period of this review.`
    add('recent', `/by_concept_and_years/${at}`, cell, of, text)
  }
  return gaps
}

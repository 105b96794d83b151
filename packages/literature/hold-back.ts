/**
 * Takes back inclusions that a broad search step made for a single word. Such a step is the last way to find anything;
 * where undecided papers cover more of the question, a person decides about both.
 */
import { meets, prepare } from './match.ts'
import { unitsOf } from './plan.ts'
import type { Query } from './query.ts'
import type { Screened } from './screen.ts'

/** What the undecided papers must cover, in concepts. One alone may be a common word, such as a population. */
const COVERS_MORE = 2

export function holdBack(screened: readonly Screened[], query: Query): Screened[] {
  const labels = new Set(query.concepts.filter(({ required }) => required).map(({ label }) => label))
  const covered = ({ screening }: Screened) =>
    screening.criteria.met.filter((criterion) => labels.has(criterion)).length
  const isBetter = (one: Screened) => one.screening.rule === 'part_of_question' && covered(one) >= COVERS_MORE
  if (query.by === 'query' || labels.size === 0 || !screened.some(isBetter)) return [...screened]

  const units = unitsOf(query)
  const isOneWord = ({ paper }: Screened) => {
    const text = prepare(paper)
    return units.filter(({ expression }) => meets(expression, text)).length < 2
  }
  return screened.map((one) => {
    if (one.screening.decision !== 'included' || covered(one) > 0 || !isOneWord(one)) return one
    const reason = 'it shares only one word with the question, while undecided papers match more of it'
    const { criteria } = one.screening
    return { ...one, screening: { decision: 'uncertain', rule: 'part_of_question', reason, criteria } }
  })
}

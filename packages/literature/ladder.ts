/**
 * Step 3 for one source: from the strict query to broader ones, until one has enough hits for a review. Later steps are
 * only tried if the earlier ones find too little. Each is kept for the log.
 */
import type { LiteratureInputs } from '../../contract/literature.ts'
import { type Expression, SHARES, type Step, strictSteps, unitsOf, weigh, weighedStep } from './plan.ts'
import type { Query } from './query.ts'
import { type Answer, type Plan, type Searching, SourceFailure } from './source.ts'

/** Enough hits to fill a review; a source with fewer is searched more broadly. */
const ENOUGH = 30

/** A step as it was sent. */
export interface Asked {
  step: string
  says: string
  plan: Plan
  hits: number
  /** The source's own remarks on the query. */
  remarks: string[]
}

/** A term searched on its own. */
export interface Line {
  term: string
  hits: number
}

export interface Climb {
  steps: Asked[]
  /** Terms counted one by one, if no strict step finds enough. */
  lines: Line[]
  /** The step whose records are read; null if there was nothing to search for. */
  chosen: Asked | null
  /** What a record must match for that step; null for the user's own query. */
  expression: Expression | null
  /** Why no broader step was tried, if the source failed on the way. */
  stopped?: string
}

export type AskSource = (plan: Plan) => Promise<Answer>

/** Only counts hits; reads nothing. Rejects with what `ask` rejects with. */
export async function climb(
  source: Searching,
  query: Query,
  inputs: LiteratureInputs,
  ask: AskSource,
): Promise<Climb> {
  const made: Climb = { steps: [], lines: [], chosen: null, expression: null }
  const count = async ({ name, says, expression }: Step) => {
    const plan = source.plan(expression, inputs, 0)
    const { total, remarks = [] } = await ask(plan)
    const asked: Asked = { step: name, says, plan, hits: total, remarks }
    made.steps.push(asked)
    // Keep the broadest step so far until a better one is found.
    if (made.chosen === null || total > made.chosen.hits) Object.assign(made, { chosen: asked, expression })
    return asked
  }
  const own = ownQuery(source.name, inputs)
  if (own !== undefined) {
    const plan = source.plan(own, inputs, 0)
    const { total, remarks = [] } = await ask(plan)
    made.chosen = {
      step: 'own_query',
      says: 'the query of the request, unchanged',
      plan,
      hits: total,
      remarks,
    }
    made.steps.push(made.chosen)
    return made
  }
  try {
    await descend(source, query, inputs, ask, count, made)
  } catch (error) {
    // If a source fails half-way, use what the earlier steps found.
    if (!(error instanceof SourceFailure) || !made.chosen?.hits) throw error
    made.stopped = error.message
  }
  return made
}

async function descend(
  source: Searching,
  query: Query,
  inputs: LiteratureInputs,
  ask: AskSource,
  count: (step: Step) => Promise<Asked>,
  made: Climb,
): Promise<void> {
  for (const step of strictSteps(query)) if ((await count(step)).hits >= ENOUGH) return
  // Do not change groups that a person chose.
  if (query.by === 'concepts') return

  const counted = []
  for (const unit of unitsOf(query)) {
    const { total } = await ask(source.plan(unit.expression, inputs, 0))
    made.lines.push({ term: unit.term, hits: total })
    counted.push({ ...unit, hits: total })
  }
  const units = weigh(counted)
  if (units.length === 0) return
  // Each lower share is broader: a binary search finds the strictest that is enough.
  let [low, high] = [0, SHARES.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    const { hits } = await count(weighedStep(units, SHARES[middle] ?? 0))
    if (hits >= ENOUGH) high = middle
    else low = middle + 1
  }
  const last = weighedStep(units, SHARES[low] ?? 0)
  const asked = made.steps.find(({ step }) => step === last.name) ?? (await count(last))
  Object.assign(made, { chosen: asked, expression: last.expression })
}

/** The request's own query for this source. */
function ownQuery(source: string, { query }: LiteratureInputs): string | undefined {
  return typeof query === 'string' ? query : (query as Record<string, string> | undefined)?.[source]
}

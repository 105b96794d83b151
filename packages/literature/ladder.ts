/**
 * Step 3 for one source: from the strict query to broader ones, until one has hits enough for a review. The later steps
 * are asked for only when the earlier ones find too little, and each is kept for the log.
 */
import type { LiteratureInputs } from '../../contract/literature.ts'
import { type Expression, SHARES, type Step, strictSteps, unitsOf, weigh, weighedStep } from './plan.ts'
import type { Query } from './query.ts'
import { type Answer, type Plan, type Searching, SourceFailure } from './source.ts'

/** As many hits fill a review; a source with fewer is asked more broadly. */
const ENOUGH = 30

/** A step as it was asked. */
export interface Asked {
  step: string
  says: string
  plan: Plan
  hits: number
  /** What the source made of it, in its own words. */
  remarks: string[]
}

/** A term asked for by itself. */
export interface Line {
  term: string
  hits: number
}

export interface Climb {
  steps: Asked[]
  /** Terms that were counted one by one, which happens when no strict step finds enough. */
  lines: Line[]
  /** The step whose records are read; null when there was nothing to ask. */
  chosen: Asked | null
  /** What a record must have for that step; null for a query of the user's own. */
  expression: Expression | null
  /** Why no broader step was asked for, where the source failed on the way. */
  stopped?: string
}

export type AskSource = (plan: Plan) => Promise<Answer>

/** Counts its way down; nothing is read here. Rejects with what `ask` rejects with. */
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
    // The broadest step that was asked for stands until a better one is found.
    if (made.chosen === null || total > made.chosen.hits) Object.assign(made, { chosen: asked, expression })
    return asked
  }
  const own = ownQuery(source.name, inputs)
  if (own !== undefined) {
    const plan = source.plan(own, inputs, 0)
    const { total, remarks = [] } = await ask(plan)
    made.chosen = {
      step: 'own_query',
      says: 'the query of the request, as it is',
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
    // A source that fails half-way has told what the steps before found: that is better than nothing.
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
  // Groups that a person chose are hers to change.
  if (query.by === 'concepts') return

  const counted = []
  for (const unit of unitsOf(query)) {
    const { total } = await ask(source.plan(unit.expression, inputs, 0))
    made.lines.push({ term: unit.term, hits: total })
    counted.push({ ...unit, hits: total })
  }
  const units = weigh(counted)
  if (units.length === 0) return
  // Each lower share is broader: the strictest that is enough is found by halving.
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

/** The options of stage 2, checked against the contract's schema and against what this service has. */
import { Value } from '@sinclair/typebox/value'
import { LiteratureInputs } from '../../stages/literature.ts'
import { StageFailure } from '../stage.ts'
import type { Source } from './source.ts'
import { SOURCE_NAMES, sourceNamed } from './sources.ts'

/** `inputs` with defaults filled in, and the sources to search. Throws a 422 `StageFailure`. */
export function readInputs(raw: Record<string, unknown>, fallback: readonly string[]) {
  const asked = Array.isArray(raw.sources) ? raw.sources : fallback
  const missing = asked.filter((name) => typeof name === 'string' && !sourceNamed(name)).slice(0, 5)
  if (missing.length > 0) {
    const names = missing.map((name) => name.slice(0, 40)).join(', ')
    const message = `This version cannot search ${names}; it has: ${SOURCE_NAMES.join(', ')}.`
    throw new StageFailure(422, 'SOURCE_UNAVAILABLE', message)
  }
  const inputs = Value.Default(LiteratureInputs, structuredClone(raw))
  if (!Value.Check(LiteratureInputs, inputs)) {
    const fault = Value.Errors(LiteratureInputs, inputs).First()
    throw invalid(`inputs${fault?.path.slice(0, 100) ?? ''}: ${fault?.message ?? 'not valid'}`)
  }
  const { year_from, year_to } = inputs
  if (year_from !== undefined && year_to !== undefined && year_from > year_to) {
    throw invalid(`inputs/year_from: ${year_from} is later than year_to, ${year_to}; no year lies between`)
  }
  const sources = asked.map(sourceNamed).filter((source): source is Source => source !== undefined)
  return { inputs, sources }
}

function invalid(what: string): StageFailure {
  return new StageFailure(422, 'INVALID_INPUTS', `${what}.`)
}

/** The form of a run: the question, and the inputs of each chosen stage by its number. */
import type { Stage } from '../../../contract/catalogue.ts'
import { type Field, fieldsOf, type OpenApi } from '../form/schema.ts'

/** Only describes a search; a run needs a result. */
const LEFT_OUT = ['preview']

/** The inputs of a stage, at the place where the body of a run has them: `inputs/2/year_from`. */
export function inputsOf(document: OpenApi, stage: number): Field[] {
  return (fieldsOf(document, stage) ?? [])
    .filter(({ path }) => path[0] === 'inputs' && path.length > 1 && !LEFT_OUT.includes(path[1] ?? ''))
    .map((field) => ({ ...field, path: ['inputs', String(stage), ...field.path.slice(1)] }))
}

export const QUESTION: Field = {
  path: ['research_question'],
  kind: 'long-text',
  label: 'Research question',
  hint: '10 to 4000 characters. The stages work on it, and it names the workflow.',
  required: true,
  options: [],
  schema: { type: 'string', minLength: 10, maxLength: 4000 },
}

/** Only holds the message about the choice of stages. */
export const STAGES: Field = { ...QUESTION, path: ['stages'], label: 'Stages' }

/** Chosen at first: the stages that a service is known to serve, or none when no service tells. */
export function usual(stages: readonly Stage[]): number[] {
  return stages.filter(({ available, optional }) => available === true && !optional).map(({ stage }) => stage)
}

/** The chosen stages with one more, and with what it needs. */
export function withNeeds(chosen: readonly number[], stage: number, stages: readonly Stage[]): number[] {
  if (chosen.includes(stage)) return [...chosen]
  const needs = stages.find((one) => one.stage === stage)?.needs ?? []
  return needs.reduce((all, need) => withNeeds(all, need, stages), [...chosen, stage])
}

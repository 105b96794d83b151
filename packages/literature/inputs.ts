/** What stage 2 is asked: the question and its options, checked before anything else happens. */
import { Value } from '@sinclair/typebox/value'
import { LiteratureInputs, literatureFaults, type SourceName } from '../../contract/literature.ts'
import type { StageRequest } from '../../contract/service.ts'
import { StageFailure } from '../stage-kit/stage.ts'
import { refusePrivate } from './privacy.ts'

export interface Asked {
  question: string
  /** With every default filled in. */
  inputs: LiteratureInputs & { sources: SourceName[]; max_results: number }
}

/** Throws a 422 `StageFailure` for the first fault; `fallback` are the sources when the request names none. */
export function readRequest(request: StageRequest, fallback: readonly SourceName[]): Asked {
  const question = request.research_question?.trim() ?? ''
  if (question === '') {
    throw new StageFailure(422, 'QUESTION_MISSING', 'Stage 2 needs a research_question with words in it.')
  }
  const inputs = Value.Default(LiteratureInputs, structuredClone(request.inputs))
  if (!Value.Check(LiteratureInputs, inputs)) {
    const fault = Value.Errors(LiteratureInputs, inputs).First()
    throw invalid(`inputs${fault?.path.slice(0, 100) ?? ''}: ${fault?.message ?? 'not valid'}`)
  }
  const [fault] = literatureFaults(inputs)
  if (fault) throw invalid(`inputs/${fault.path}: ${fault.message}`)

  refusePrivate('research_question', question)
  for (const field of ['include_keywords', 'exclude_keywords'] as const) {
    for (const [at, keyword] of (inputs[field] ?? []).entries()) {
      refusePrivate(`inputs/${field}/${at}`, keyword)
    }
  }
  const { sources = [...fallback], max_results = 25 } = inputs
  return { question, inputs: { ...inputs, sources: [...sources], max_results } }
}

function invalid(what: string): StageFailure {
  return new StageFailure(422, 'INVALID_INPUTS', `${what}.`)
}

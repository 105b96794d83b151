/** The request for stage 2: the question and its options, validated before anything else. */
import { Value } from '@sinclair/typebox/value'
import { LiteratureInputs, literatureFaults, type SourceName } from '../../contract/literature.ts'
import type { StageRequest } from '../../contract/service.ts'
import { StageFailure } from '../stage-kit/stage.ts'
import { refusePrivate } from './privacy.ts'
import { otherLanguage } from './question/language.ts'

/** The API has the same limit. */
const LONGEST_QUESTION = 4000

export interface Asked {
  question: string
  /** With all defaults filled in. */
  inputs: LiteratureInputs & { sources: SourceName[]; max_results: number }
}

/**
 * Throws a 422 `StageFailure` for the first fault. `fallback` names the sources to use if the request names none.
 * `anyLanguage` allows a question in any language, because the terms may come from elsewhere.
 */
export function readRequest(
  request: Pick<StageRequest, 'research_question' | 'inputs'>,
  fallback: readonly SourceName[],
  { anyLanguage = false } = {},
): Asked {
  const question = request.research_question?.trim() ?? ''
  if (question === '') {
    throw new StageFailure(422, 'QUESTION_MISSING', 'Stage 2 needs a research_question with words in it.')
  }
  // The time to read a question grows with its length.
  if ([...question].length > LONGEST_QUESTION) {
    const most = `A research_question has at most ${LONGEST_QUESTION} characters.`
    throw new StageFailure(422, 'QUESTION_TOO_LONG', most)
  }
  const inputs = Value.Default(LiteratureInputs, structuredClone(request.inputs))
  if (!Value.Check(LiteratureInputs, inputs)) {
    const fault = Value.Errors(LiteratureInputs, inputs).First()
    throw invalid(`inputs${fault?.path.slice(0, 100) ?? ''}: ${fault?.message ?? 'not valid'}`)
  }
  const [fault] = literatureFaults(inputs)
  if (fault) throw invalid(`inputs/${fault.path}: ${fault.message}`)

  const hasTerms = inputs.concepts !== undefined || typeof inputs.query === 'string'
  if (!hasTerms && !anyLanguage) refuseOtherLanguage(question)
  refusePrivate('research_question', question)
  for (const [at, group] of (inputs.concepts ?? []).entries()) {
    for (const term of group) refusePrivate(`inputs/concepts/${at}`, term)
  }
  for (const [source, query] of Object.entries(
    typeof inputs.query === 'string' ? { all: inputs.query } : (inputs.query ?? {}),
  )) {
    refusePrivate(source === 'all' ? 'inputs/query' : `inputs/query/${source}`, String(query))
  }
  for (const field of ['include_keywords', 'exclude_keywords'] as const) {
    for (const [at, keyword] of (inputs[field] ?? []).entries()) {
      refusePrivate(`inputs/${field}/${at}`, keyword)
    }
  }
  const { sources = [...fallback], max_results = 25 } = inputs
  return { question, inputs: { ...inputs, sources: [...sources], max_results } }
}

/** Checks before any search, because words we cannot read would find nothing or the wrong records. */
function refuseOtherLanguage(question: string): void {
  const language = otherLanguage(question)
  if (language === undefined) return
  const message =
    `The question seems to be in ${language}, and only English questions are supported. Nothing was sent to any source. ` +
    'Ask in English, or give the terms as inputs.concepts or a query as inputs.query.'
  throw new StageFailure(422, 'QUESTION_LANGUAGE', message)
}

function invalid(what: string): StageFailure {
  return new StageFailure(422, 'INVALID_INPUTS', `${what}.`)
}

/** What the stage service's answer means: a result, or which failure. */
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { type ErrorLine, StageAnswer, type Unchecked } from '../contract/service.ts'
import { clip, codeOf, StageFailure } from './failure.ts'

const stageAnswer = TypeCompiler.Compile(StageAnswer)

/** A JSON object, or `unusable`. */
export function parse(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {}
  throw unusable('it is not a JSON object')
}

/** The answer if it has the contract's shape and reports success; everything else is thrown. */
export function judge(value: Record<string, unknown>): StageAnswer {
  const fault = stageAnswer.Check(value) ? undefined : stageAnswer.Errors(value).First()
  if (fault) throw unusable(`${fault.path || 'it'}: ${fault.message}`)
  const answer = value as StageAnswer
  if (answer.success) return answer
  const message =
    typeof value.message === 'string' ? clip(value.message) : 'The stage service reports a failure'
  throw new StageFailure('STAGE_FAILED', message, { retryable: false, ill: false })
}

/** The service's own word that the stage failed: an `error` line. */
export function throwReported({ code, message, retryable }: Unchecked<ErrorLine>): never {
  throw new StageFailure(
    codeOf(code) ?? 'STAGE_FAILED',
    typeof message === 'string' ? clip(message) : 'The stage service reports a failure',
    { retryable: retryable === true, ill: false },
  )
}

export function unusable(why: string): StageFailure {
  const message = `The answer of the stage service cannot be used: ${clip(why)}`
  return new StageFailure('STAGE_ANSWER_INVALID', message, { retryable: true, ill: true })
}

export function tooLarge(maxBytes: number): StageFailure {
  const message = `The answer of the stage service is larger than ${maxBytes} bytes`
  return new StageFailure('STAGE_RESULT_TOO_LARGE', message, { retryable: false, ill: false })
}

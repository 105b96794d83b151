/** Decides what the stage service's answer means: a result, or which failure. */
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { LossyJsonError, parseExact } from '../contract/exact-json.ts'
import { type ErrorLine, StageAnswer, type Unchecked } from '../contract/service.ts'
import { StageFailure } from './failure.ts'
import { faultOfText } from './not-json.ts'
import { clip, codeOf, reasonIn } from './reason.ts'

const stageAnswer = TypeCompiler.Compile(StageAnswer)
const REQUIRED: readonly string[] = StageAnswer.required ?? []
const OPTIONAL = Object.keys(StageAnswer.properties).filter((name) => !REQUIRED.includes(name))

/** How deeply objects and lists may be nested: this many levels work in both Python and JavaScript. */
const MAX_DEPTH = 200

/** `fatal` refuses bytes that are not UTF-8. A byte-order mark is skipped. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Returns a JSON object, or throws `unusable`. */
export function parse(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = parseExact(utf8.decode(bytes))
  } catch (error) {
    // The path may contain names from the answer.
    if (error instanceof LossyJsonError) throw unusable(error.fault, { shown: error.message })
    const fault = faultOfText(bytes, error as Error)
    throw unusable(fault.words, { bytes, retryable: fault.isCutOff })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unusable(`it is ${kindOf(value)}, not a JSON object`, { bytes })
  return value as Record<string, unknown>
}

/** Returns the answer if it has the contract's shape and reports success; throws otherwise. */
export function judge(given: Record<string, unknown>): StageAnswer {
  if (given.success === false) {
    const { code = 'STAGE_FAILED', message } = reasonIn(given)
    throw new StageFailure(code, 'The stage service reported a failure', {
      shown: message,
      retryable: false,
      ill: false,
      answered: 200,
    })
  }
  const value = withoutNulls(given)
  const fault = stageAnswer.Check(value) ? undefined : stageAnswer.Errors(value).First()
  if (fault) throw unusable(`${fault.path || 'it'}: ${fault.message}`)
  const flaw = flawIn(value)
  if (flaw) throw unusable(flaw)
  return value as StageAnswer
}

/** The service itself says that the stage failed, in an `error` line. */
export function throwReported({ code, message, retryable }: Unchecked<ErrorLine>): never {
  throw new StageFailure(codeOf(code) ?? 'STAGE_FAILED', 'The stage service reported a failure', {
    shown: typeof message === 'string' ? clip(message) : undefined,
    retryable: retryable === true,
    ill: false,
    answered: 200,
  })
}

/**
 * `why` is in our own words. The user sees `shown` instead, if given, and the beginning of the answer, `bytes`. Not
 * retryable by default, because most such mistakes would be repeated.
 */
export function unusable(
  why: string,
  { bytes, shown = why, retryable = false }: { bytes?: Buffer; shown?: string; retryable?: boolean } = {},
): StageFailure {
  const begin = 'The stage service sent an invalid answer:'
  const end = bytes?.length ? `; it begins with ${beginning(bytes)}` : ''
  return new StageFailure('STAGE_ANSWER_INVALID', `${begin} ${why}`, {
    shown: `${begin} ${clip(shown)}${end}`,
    retryable,
    ill: true,
  })
}

export function tooLarge(maxBytes: number): StageFailure {
  const message = `The stage service sent an answer larger than ${maxBytes} bytes`
  return new StageFailure('STAGE_RESULT_TOO_LARGE', message, { retryable: false, ill: false })
}

/** As a JSON string, which escapes control characters and quotes. */
function beginning(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 60).toString()) + (bytes.length > 60 ? '…' : '')
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'string') return `a ${typeof value}`
  return /^\s*\{/.test(value) ? 'JSON inside a JSON string (encoded twice)' : 'a text'
}

/** Treats null in an optional field as absent, because FastAPI's models write null. */
function withoutNulls(given: Record<string, unknown>): Record<string, unknown> {
  const value = { ...given }
  for (const name of OPTIONAL) if (value[name] === null) delete value[name]
  return value
}

/** Why an answer cannot be passed on, or null. Iterative: recursion would overflow the stack at the depth that it rejects. */
function flawIn(value: object): string | null {
  let level: object[] = [value]
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} levels deep`
    const next: object[] = []
    for (const one of level) {
      for (const [key, inner] of Object.entries(one)) {
        if (typeof inner === 'object' && inner !== null) next.push(inner)
        const isText = typeof inner !== 'string' || inner.isWellFormed()
        if (!isText || !key.isWellFormed())
          return 'a string in it is not Unicode: it contains half a surrogate pair, as Python makes from file names in another encoding'
      }
    }
    level = next
  }
  return null
}

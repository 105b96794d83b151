/** An answer of the API, or of something on the way, that is not what was asked for. */
import type { Problem } from '../stages/errors.ts'

export class StagecastError extends Error {
  /** The HTTP status. */
  readonly status: number
  /** The API's stable code, or `HTTP_<status>` when the answer was not the API's. */
  readonly code: string
  /** The problem document; of an answer that was not the API's, what is known of it. */
  readonly problem: Problem
  /** Seconds after which another try makes sense, when the answer names them. */
  readonly retryAfter: number | undefined

  constructor(status: number, problem: Problem, retryAfter?: number) {
    super(`${problem.title}: ${problem.detail}`)
    this.name = 'StagecastError'
    this.status = status
    this.code = problem.code
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

/** Reads an answer that is an error. */
export async function errorOf(answer: Response): Promise<StagecastError> {
  const text = await answer.text().catch(() => '')
  const after = Number(answer.headers.get('retry-after') ?? Number.NaN)
  return new StagecastError(
    answer.status,
    problemOf(answer, text),
    Number.isFinite(after) ? after : undefined,
  )
}

function problemOf({ status, statusText, headers }: Response, text: string): Problem {
  if (headers.get('content-type')?.includes('json')) {
    try {
      const value = JSON.parse(text)
      if (typeof value?.code === 'string') return value
    } catch {}
  }
  const title = `The answer is not the API's: status ${status}${statusText && ` ${statusText}`}`
  return { type: 'about:blank', title, status, detail: text.slice(0, 200), code: `HTTP_${status}` }
}

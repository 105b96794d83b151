/** An error response, from the API or from a proxy in between. */
import type { Problem } from '../../contract/errors.ts'

export class StagecastError extends Error {
  /** The HTTP status. */
  readonly status: number
  /** The API's stable code, or `HTTP_<status>` if the response did not come from the API. */
  readonly code: string
  /** The problem document. For a response that did not come from the API it is made from status and text. */
  readonly problem: Problem
  /** Seconds to wait before a retry, if the response says so. */
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

/** Reads an error response. */
export async function errorOf(answer: Response): Promise<StagecastError> {
  const text = await answer.text().catch(() => '')
  const problem = problemOf(answer, text)
  return problem ? new StagecastError(answer.status, problem, retryAfter(answer)) : foreign(answer, text)
}

/** The error for a response that cannot come from the API, whatever its status. */
export function foreign(answer: Response, text: string): StagecastError {
  const { status, statusText } = answer
  const title = `The answer did not come from the API: status ${status}${statusText && ` ${statusText}`}`
  const code = `HTTP_${status}`
  const problem = { type: 'about:blank', title, status, detail: text.slice(0, 200), code }
  return new StagecastError(status, problem, retryAfter(answer))
}

/** `Retry-After` in seconds. Proxies may send a date instead. */
function retryAfter({ headers }: Response): number | undefined {
  const text = headers.get('retry-after')
  if (!text) return undefined
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}

function problemOf({ headers }: Response, text: string): Problem | null {
  if (!headers.get('content-type')?.includes('json')) return null
  try {
    const value = JSON.parse(text)
    return typeof value?.code === 'string' ? value : null
  } catch {
    return null
  }
}

/** Checks that an error response is a problem document. */

import { FormatRegistry } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Test } from 'tap'
import { ERRORS, type ErrorCode, Problem } from '../../contract/errors.ts'

FormatRegistry.Set('uri', (text) => URL.canParse(text))

/** The common parts of a response from `fetch`, from `app.inject` and from a raw socket. */
export interface Answered {
  status: number
  header(name: string): string | undefined
  text: string
}

/** Reads an answer of `fetch`. */
export async function answered(response: Response | Promise<Response>): Promise<Answered> {
  const { status, headers } = await response
  return { status, header: (name) => headers.get(name) ?? undefined, text: await (await response).text() }
}

/** Reads an answer of `app.inject`. */
export function injected(response: {
  statusCode: number
  headers: Record<string, unknown>
  body: string
}): Answered {
  const { statusCode, headers, body } = response
  return {
    status: statusCode,
    header: (name) => (headers[name] === undefined ? undefined : String(headers[name])),
    text: body,
  }
}

/** Requires the problem document of `code`, and returns it. */
export function isProblem(t: Test, answer: Answered, code: ErrorCode, about: string = code): Problem {
  const { status, header, text } = answer
  const expected = ERRORS[code].status
  t.equal(status, expected, `${about}: status ${expected}, body ${text.slice(0, 300)}`)
  t.match(header('content-type'), /^application\/problem\+json/, `${about}: content type`)
  let problem: unknown
  try {
    problem = JSON.parse(text)
  } catch {}
  const faults = [...Value.Errors(Problem, problem)].map(({ path, message }) => `${path} ${message}`)
  t.same(faults, [], `${about}: a problem document`)
  t.match(problem, { code, status: expected }, `${about}: ${code}`)
  if (expected === 401) t.match(header('www-authenticate'), /^Bearer/, `${about}: WWW-Authenticate`)
  if (expected === 429 || expected === 503)
    t.match(header('retry-after'), /^[1-9]\d*$/, `${about}: Retry-After`)
  return problem as Problem
}

/** The API as this page uses it: the first-party client with the session's token. */
import { Stagecast, StagecastError } from '../../client/index.ts'
import { errorOf } from '../../client/stagecast-error.ts'
import { baseUrl } from './base.ts'
import { observedFetch } from './connection.ts'
import { session, signOut, tokenOf } from './session.ts'

export const stagecast = new Stagecast({
  baseUrl,
  token: () => tokenOf(session.value),
  fetch: observedFetch,
})

/** A sentence for any failure, for people. A refused token also ends the session, so that the page asks for another. */
export function tellFailure(error: unknown): string {
  if (error instanceof StagecastError) {
    if (error.status === 401) {
      const expired = error.code === 'TOKEN_EXPIRED'
      signOut(
        expired
          ? 'Your token has expired. Sign in again to go on where you were.'
          : `${error.problem.title}.`,
      )
    }
    return sentence(error.problem.detail)
  }
  if (error instanceof TypeError) return 'The server cannot be reached right now.'
  return error instanceof Error ? error.message : String(error)
}

/** The API's details are sentences without their full stop. */
function sentence(text: string): string {
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`
}

/** Whether the API takes requests without a token: mock authentication, for development. Throws when it is away. */
export async function asksForToken(): Promise<boolean> {
  const answer = await observedFetch(`${baseUrl}/api/workflow/stages`)
  if (answer.status === 401) return true
  if (answer.ok) return false
  throw new Error(`The server answered with status ${answer.status}.`)
}

/** Whether the API accepts this token; a sentence when not. */
export async function checkToken(token: string): Promise<string | null> {
  const answer = await observedFetch(`${baseUrl}/api/workflow/stages`, {
    headers: { authorization: `Bearer ${token}` },
  })
  if (answer.ok) return null
  const problem = (await answer.json().catch(() => ({}))) as { title?: string; detail?: string }
  return `${problem.title ?? `Status ${answer.status}`}. ${sentence(problem.detail ?? '')}`.trim()
}

/** GETs a JSON document that the client has no method for. `path` begins below the prefix of the API. */
export async function getJson<T>(path: string): Promise<T> {
  const token = tokenOf(session.value)
  const headers = token ? { authorization: `Bearer ${token}` } : undefined
  const answer = await observedFetch(`${baseUrl}${path}`, headers && { headers })
  if (!answer.ok) throw await errorOf(answer)
  return (await answer.json()) as T
}

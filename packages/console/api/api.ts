/** The API for this page: the official client with the session's token. */
import { Stagecast, StagecastError } from '../../client/index.ts'
import { errorOf } from '../../client/stagecast-error.ts'
import { baseUrl } from './base.ts'
import { observedFetch } from './connection.ts'
import { type Me, session, signOut, tokenOf } from './session.ts'

export const stagecast = new Stagecast({
  baseUrl,
  token: () => tokenOf(session.value),
  fetch: observedFetch,
})

/** Describes any failure in a sentence. A rejected token also ends the session, so that the page asks for another. */
export function tellFailure(error: unknown): string {
  if (error instanceof StagecastError) {
    if (error.status === 401) {
      const expired = error.code === 'TOKEN_EXPIRED'
      signOut(
        expired
          ? 'Your token has expired. Sign in again to continue where you were.'
          : `${error.problem.title}.`,
      )
    }
    return sentence(error.problem.detail)
  }
  if (error instanceof TypeError) return 'The server cannot be reached right now.'
  return error instanceof Error ? error.message : String(error)
}

/** Completes the API's details with a full stop. */
function sentence(text: string): string {
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`
}

/** Who the API takes this page for; or why it does not let it in. Throws if it is unreachable. */
export async function whoAmI(token = ''): Promise<{ me: Me } | { problem: string }> {
  const headers: HeadersInit = token ? { authorization: `Bearer ${token}` } : {}
  const answer = await observedFetch(`${baseUrl}/api/workflow/me`, { headers })
  if (answer.ok) return { me: (await answer.json()) as Me }
  const { title, detail = '' } = (await answer.json().catch(() => ({}))) as {
    title?: string
    detail?: string
  }
  const problem = `${title ?? `The server answered with status ${answer.status}`}. ${sentence(detail)}`.trim()
  if (answer.status === 401) return { problem }
  throw new Error(problem)
}

/** GETs a JSON document for which the client has no method. `path` is relative to the API's prefix. */
export const getJson = <T>(path: string): Promise<T> => ask('GET', path)

export const postJson = <T>(path: string): Promise<T> => ask('POST', path)

async function ask<T>(method: string, path: string): Promise<T> {
  const token = tokenOf(session.value)
  const headers: HeadersInit = token ? { authorization: `Bearer ${token}` } : {}
  const answer = await observedFetch(`${baseUrl}${path}`, { method, headers })
  if (!answer.ok) throw await errorOf(answer)
  return (await answer.json()) as T
}

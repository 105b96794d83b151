/** One client for the whole page, made outside all components. */
import { ConnectionError, Stagecast } from 'stagecast/client'

let token = ''
let endsAt = 0

/**
 * The client asks before each request, and once more when the API refuses what it got. Asking your backend each time
 * would do too; this one remembers the token for most of its life.
 */
async function currentToken(): Promise<string> {
  if (Date.now() < endsAt) return token
  // Without a network the client tries again; any other error ends what was asked for.
  const answer = await fetch('/token', { method: 'POST' }).catch((error) => {
    throw new ConnectionError(error)
  })
  if (!answer.ok) throw new Error('You are not signed in.')
  const given: { token: string; expires_in: number } = await answer.json()
  token = given.token
  endsAt = Date.now() + given.expires_in * 800
  return token
}

export const stagecast = new Stagecast({ baseUrl: '/research', token: currentToken })

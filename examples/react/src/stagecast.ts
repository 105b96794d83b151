/** One client for the whole page, created outside all components. */
import { ConnectionError, Stagecast } from 'stagecast/client'

let token = ''
let endsAt = 0

/**
 * The client calls this before each request, and once more if the API refuses the token. You could ask your backend each
 * time; this function caches the token for most of its lifetime.
 */
async function currentToken(): Promise<string> {
  if (Date.now() < endsAt) return token
  // Without a network the client retries; any other error ends the request.
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

/**
 * Who uses the page. The token is kept in sessionStorage: it survives a reload, ends with the tab, and no other tab or site
 * can see it. It is not in localStorage, where it would stay forever, nor in an address, which ends up in logs.
 */
import { Store } from '../state/store.ts'
import { ownName } from './base.ts'

export type Session =
  | { kind: 'unknown' }
  /** `why` is shown above the form, for example that the token has expired. */
  | { kind: 'signed-out'; why: string }
  /** The server lets this page in without a token, as `user`; `development`: it lets everybody in. */
  | { kind: 'open'; user: string; admin: boolean; development: boolean }
  | { kind: 'token'; token: string; user: string; admin: boolean }

/** The API's answer to who the caller is. */
export interface Me {
  user_id: string
  admin: boolean
  authentication: 'token' | 'application' | 'development'
}

const KEY = ownName('token')
/** Who the API says that the token makes the user. */
const ME = ownName('me')
/** The user whose drafts this tab keeps. */
const OWNER = ownName('user')

export const session = new Store<Session>(kept())

function kept(): Session {
  const [token, me] = [sessionStorage.getItem(KEY), sessionStorage.getItem(ME)]
  return token && me ? ofToken(token, JSON.parse(me) as Me) : { kind: 'unknown' }
}

function ofToken(token: string, { user_id, admin }: Me): Session {
  return { kind: 'token', token, user: user_id, admin }
}

/** Remembers a token that the API verified, and whom it belongs to. */
export function signIn(token: string, me: Me): void {
  // One user must not see what another typed.
  if (sessionStorage.getItem(OWNER) !== me.user_id) forget()
  sessionStorage.setItem(OWNER, me.user_id)
  sessionStorage.setItem(KEY, token)
  sessionStorage.setItem(ME, JSON.stringify(me))
  session.set(ofToken(token, me))
}

/** Not `clear`: other pages on this origin may store something too. */
function forget(): void {
  for (const name of Object.keys(sessionStorage))
    if (name.startsWith(ownName(''))) sessionStorage.removeItem(name)
}

/** Goes on without a token, as the user that the API says. */
export function enterAs({ user_id, admin, authentication }: Me): void {
  sessionStorage.removeItem(KEY)
  session.set({ kind: 'open', user: user_id, admin, development: authentication === 'development' })
}

/** Asks for a token; the open page returns after signing in. */
export function signOut(why = ''): void {
  sessionStorage.removeItem(KEY)
  session.set({ kind: 'signed-out', why })
}

export function tokenOf(current: Session): string {
  return current.kind === 'token' ? current.token : ''
}

export function isAdmin(current: Session): boolean {
  return (current.kind === 'open' || current.kind === 'token') && current.admin
}

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
  | { kind: 'mock' }
  | { kind: 'token'; token: string; user: string; admin: boolean }

const KEY = ownName('token')
/** The user whose drafts this tab keeps. */
const OWNER = ownName('user')

export const session = new Store<Session>(fromToken(sessionStorage.getItem(KEY) ?? ''))

/** Remembers a token that the API accepted. */
export function signIn(token: string): void {
  const next = fromToken(token)
  if (next.kind !== 'token') return
  // One user must not see what another typed.
  if (sessionStorage.getItem(OWNER) !== next.user) forget()
  sessionStorage.setItem(OWNER, next.user)
  sessionStorage.setItem(KEY, token)
  session.set(next)
}

/** Not `clear`: other pages on this origin may store something too. */
function forget(): void {
  for (const name of Object.keys(sessionStorage))
    if (name.startsWith(ownName(''))) sessionStorage.removeItem(name)
}

export function useMock(): void {
  sessionStorage.removeItem(KEY)
  session.set({ kind: 'mock' })
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
  return current.kind === 'mock' || (current.kind === 'token' && current.admin)
}

/** What a token says about itself, for display only: the API alone judges it. */
function fromToken(token: string): Session {
  if (token === '') return { kind: 'unknown' }
  const { sub, scope } = claimsOf(token)
  const admin = typeof scope === 'string' && scope.split(' ').includes('admin')
  return { kind: 'token', token, user: typeof sub === 'string' ? sub : 'signed in', admin }
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const text = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof claims === 'object' && claims !== null ? { ...claims } : {}
  } catch {
    return {}
  }
}

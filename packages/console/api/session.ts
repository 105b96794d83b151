/**
 * Who is using the page. The token stays in sessionStorage: it survives a reload, ends with the tab, and no other tab or
 * site sees it. Not in localStorage, where it would lie about for ever; never in an address, which ends up in logs.
 */
import { Store } from '../state/store.ts'
import { ownName } from './base.ts'

export type Session =
  | { kind: 'unknown' }
  /** `why` is shown above the form, e.g. that the token has expired. */
  | { kind: 'signed-out'; why: string }
  | { kind: 'mock' }
  | { kind: 'token'; token: string; user: string; admin: boolean }

const KEY = ownName('token')
/** Whose drafts this tab keeps. */
const OWNER = ownName('user')

export const session = new Store<Session>(fromToken(sessionStorage.getItem(KEY) ?? ''))

/** Remembers a token that the API has accepted. */
export function signIn(token: string): void {
  const next = fromToken(token)
  if (next.kind !== 'token') return
  // What somebody else has typed is nobody's business.
  if (sessionStorage.getItem(OWNER) !== next.user) forget()
  sessionStorage.setItem(OWNER, next.user)
  sessionStorage.setItem(KEY, token)
  session.set(next)
}

/** Not `clear`: other pages of this origin may keep something of their own. */
function forget(): void {
  for (const name of Object.keys(sessionStorage))
    if (name.startsWith(ownName(''))) sessionStorage.removeItem(name)
}

export function useMock(): void {
  sessionStorage.removeItem(KEY)
  session.set({ kind: 'mock' })
}

/** Asks for a token; the page that was open stays the one to come back to. */
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

/** What a token says about itself, for showing only: the API alone judges it. */
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

/**
 * A form's draft, kept for the tab: signing in again or reloading loses nothing that was typed. It also holds the
 * Idempotency-Key of a request without an answer, so that sending it again does not run it twice.
 */
import { ownName } from '../api/base.ts'
import type { Values } from './values.ts'

export interface Draft {
  workflow: string
  values: Values
  /** The last request that did not return a job. */
  sent?: { body: string; key: string }
}

const nameOf = (stage: number) => ownName(`draft.${stage}`)

export function readDraft(stage: number): Draft | null {
  const text = sessionStorage.getItem(nameOf(stage))
  return text === null ? null : (JSON.parse(text) as Draft)
}

export function keepDraft(stage: number, draft: Draft): void {
  sessionStorage.setItem(nameOf(stage), JSON.stringify(draft))
}

export function dropDraft(stage: number): void {
  sessionStorage.removeItem(nameOf(stage))
}

/** The key for sending `body`: the previous one if the body is unchanged, else a new one. */
export function keyFor(body: string, sent: Draft['sent']): string {
  return sent?.body === body ? sent.key : newId()
}

/** A UUID. `crypto.randomUUID` is missing on plain http, except on localhost. */
export function newId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = Array.from(bytes, (byte, at) =>
    (at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte).toString(16).padStart(2, '0'),
  ).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/**
 * The API's address: one folder above this page, whatever prefix both have. The browser's address is right even behind a
 * proxy that strips part of the path.
 */
const path = new URL('..', location.href).pathname.replace(/\/$/, '')

export const baseUrl = `${location.origin}${path}`

/** The key for browser storage. Two Stagecasts on one origin share nothing. */
export function ownName(name: string): string {
  return `stagecast${path}.${name}`
}

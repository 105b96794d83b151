/**
 * Where the API is: one folder above this page, whatever prefix both have. The address that the browser shows is right
 * also behind a proxy that removed a part of it.
 */
const path = new URL('..', location.href).pathname.replace(/\/$/, '')

export const baseUrl = `${location.origin}${path}`

/** The name under which something is kept in the browser: two Stagecasts of one origin share nothing. */
export function ownName(name: string): string {
  return `stagecast${path}.${name}`
}

/** An option's value in one line, for people: never JSON. */

/** Records and decisions can be long; "Run again with changes" shows all of them. */
const LONGEST = 300

export function inShort(value: unknown): string {
  const text = said(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function said(value: unknown): string {
  if (value === null || value === undefined) return 'not set'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value !== 'object') return String(value)
  // What a person decided about a paper, and why.
  if ('decision' in value && typeof value.decision === 'string')
    return [value.decision, 'reason' in value && `“${value.reason}”`].filter(Boolean).join(', ')
  if (!Array.isArray(value))
    return Object.entries(value)
      .map(([name, one]) => `${name.replaceAll('_', ' ')}: ${inner(one)}`)
      .join('; ')
  // Groups of terms: a paper must match any term of each group.
  const isGroups = value.length > 0 && value.every(Array.isArray)
  return isGroups
    ? value.map((group) => (group as unknown[]).map(inner).join(' or ')).join(', and ')
    : value.map(inner).join(', ')
}

/** Inside of another value. */
function inner(value: unknown): string {
  const isMany = typeof value === 'object' && value !== null && !('decision' in value)
  return isMany ? `(${said(value)})` : said(value)
}
